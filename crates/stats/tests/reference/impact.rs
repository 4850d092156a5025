//! Impact: weights, portfolios and steps.

use kaizen_stats::{Control, Question, impact, nonnegative_least_squares, shrunk};
use serde::Deserialize;

use crate::close;

#[derive(Deserialize)]
struct Reference {
    nonnegative: Vec<Weights>,
    portfolios: Vec<Portfolio>,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Weights {
    columns: Vec<Vec<f64>>,
    values: Vec<f64>,
    weights: Vec<f64>,
}

#[derive(Deserialize)]
struct Portfolio {
    values: Vec<f64>,
    errors: Vec<f64>,
    shrunk: Vec<f64>,
    shares: Vec<f64>,
}

#[derive(Deserialize)]
struct Change {
    values: Vec<f64>,
    controls: Vec<Vec<f64>>,
    effect: f64,
    error: f64,
}

fn reference() -> serde_json::Result<Reference> {
    serde_json::from_str(include_str!("impact.json"))
}

#[test]
fn nonnegative_weights_are_those_of_scipy() {
    for case in reference().unwrap().nonnegative {
        let found = nonnegative_least_squares(&case.columns, &case.values);
        for (found, expected) in found.iter().zip(&case.weights) {
            assert!((found - expected).abs() < 1e-9, "{found} for {expected}");
        }
    }
}

/// The spread of the truths is Paule's and Mandel's of statsmodels.
#[test]
fn a_portfolio_is_drawn_together_by_the_spread_of_statsmodels() {
    for case in reference().unwrap().portfolios {
        let measured: Vec<(f64, f64)> = case.values.iter().copied().zip(case.errors).collect();
        for (at, found) in shrunk(&measured).iter().enumerate() {
            assert!((found.share - case.shares[at]).abs() < 1e-6, "{found:?}");
            assert!((found.value - case.shrunk[at]).abs() < 1e-6, "{found:?}");
        }
    }
}

/// Maximum likelihood takes its one likeness of neighbours for the truth; here all are weighed, and controls may have moved.
#[test]
fn effects_are_near_those_of_maximum_likelihood_and_less_sure() {
    for case in reference().unwrap().changes {
        let controls: Vec<Control<'_>> = case
            .controls
            .iter()
            .map(|values| Control {
                name: "control",
                values,
            })
            .collect();
        let found = impact(&Question {
            values: &case.values,
            change: 60,
            samples: None,
            scales: None,
            controls: &controls,
            seasons: &[7],
            excluded: &[],
            higher_is_better: true,
            horizon: 28,
            arms: None,
        })
        .unwrap();
        let error = (found.interval.1 - found.interval.0) / 2.0 / 1.96;
        assert!(
            (found.effect - case.effect).abs() < 0.35 * case.error,
            "{found:?} for {}",
            case.effect
        );
        assert!(
            (0.9..1.6).contains(&(error / case.error)),
            "{error} for {}",
            case.error
        );
        assert!(close(found.values.0 as f64, 56.0));
    }
}
