//! Comparisons of windows and groups.

use kaizen_stats::{
    Graded, Moments, Predicted, benjamini_hochberg, bonferroni, calibration, cochran_armitage, mann_whitney,
    mean_dispersion, paired_t, proportion_dispersion, stratified_auc, two_proportions, welch,
    wilson_interval,
};
use serde::Deserialize;

use crate::close;

#[derive(Deserialize)]
struct Reference {
    paired_t: Vec<PairedCase>,
    benjamini_hochberg: Vec<Family>,
    bonferroni: Vec<Family>,
    welch: Vec<WelchCase>,
    mann_whitney: Vec<RankCase>,
    wilson: Vec<WilsonCase>,
    two_proportions: Vec<ProportionCase>,
    dispersion: Vec<Groups<(f64, f64)>>,
    mean_dispersion: Vec<Groups<(f64, f64, f64)>>,
    calibration: Vec<CalibrationCase>,
    cochran_armitage: Vec<TrendCase>,
    stratified_auc: Vec<AreaCase>,
}

#[derive(Deserialize)]
struct TrendCase {
    levels: Vec<(f64, f64, f64)>,
    z: f64,
    p_value: f64,
    departure: f64,
    departure_p_value: f64,
}

#[derive(Deserialize)]
struct AreaCase {
    strata: Vec<Vec<(f64, f64)>>,
    auc: f64,
    z: f64,
    p_value: f64,
    dispersion: f64,
    error: f64,
}

#[derive(Deserialize)]
struct WelchCase {
    first: (f64, f64, f64),
    second: (f64, f64, f64),
    t: f64,
    degrees: f64,
    p_value: f64,
    interval: (f64, f64),
}

#[derive(Deserialize)]
struct RankCase {
    first: Vec<f64>,
    second: Vec<f64>,
    u: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct WilsonCase {
    successes: f64,
    trials: f64,
    level: f64,
    interval: (f64, f64),
}

#[derive(Deserialize)]
struct ProportionCase {
    first: (f64, f64),
    second: (f64, f64),
    z: f64,
    p_value: f64,
    interval: (f64, f64),
}

#[derive(Deserialize)]
struct Groups<T> {
    groups: Vec<T>,
    dispersion: f64,
}

#[derive(Deserialize)]
struct CalibrationCase {
    stated: Vec<f64>,
    success: Vec<f64>,
    p_value: f64,
    intercept: f64,
    slope: f64,
    spiegelhalter_p_value: f64,
}

#[derive(Deserialize)]
struct PairedCase {
    pairs: Vec<(f64, f64)>,
    mean_difference: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct Family {
    p_values: Vec<f64>,
    adjusted: Vec<f64>,
}

fn reference() -> serde_json::Result<Reference> {
    serde_json::from_str(include_str!("comparisons.json"))
}

#[test]
fn the_paired_t_test_gives_scipys_p_values() {
    for case in reference().unwrap().paired_t {
        let found = paired_t(&case.pairs, &vec![1.0; case.pairs.len()], 0.0).unwrap();
        assert!(
            close(found.p_value, case.p_value),
            "{} for {}",
            found.p_value,
            case.p_value
        );
        assert!(close(found.mean_difference, case.mean_difference));
    }
}

#[test]
fn adjusted_p_values_are_scipys() {
    for family in reference().unwrap().benjamini_hochberg {
        let found = benjamini_hochberg(&family.p_values);
        assert!(
            found
                .iter()
                .zip(&family.adjusted)
                .all(|(found, expected)| close(*found, *expected)),
            "{found:?}"
        );
    }
}

fn moments((count, sum, sum_of_squares): (f64, f64, f64)) -> Moments {
    Moments {
        count,
        sum,
        sum_of_squares,
    }
}

/// Sums of squares keep fewer digits than values, and so do error functions far out.
fn about(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-7 * expected.abs().max(1e-6)
}

fn same(found: (f64, f64), expected: (f64, f64)) -> bool {
    (found.0 - expected.0).abs() < 1e-8 && (found.1 - expected.1).abs() < 1e-8
}

#[test]
fn welchs_test_is_scipys() {
    for case in reference().unwrap().welch {
        let found = welch(&moments(case.first), &moments(case.second), 1.0, 0.95).unwrap();
        assert!(
            about(found.t, case.t) && about(found.degrees, case.degrees),
            "{found:?}"
        );
        assert!(
            about(found.p_value, case.p_value) && same(found.interval, case.interval),
            "{found:?}"
        );
    }
}

#[test]
fn the_rank_test_is_scipys_with_ties_too() {
    for case in reference().unwrap().mann_whitney {
        let found = mann_whitney(&case.first, &case.second).unwrap();
        assert!(
            close(found.u, case.u) && about(found.p_value, case.p_value),
            "{found:?} for {}",
            case.p_value
        );
    }
}

#[test]
fn intervals_of_one_proportion_are_scipys() {
    for case in reference().unwrap().wilson {
        let found = wilson_interval(case.successes, case.trials, case.level);
        assert!(same(found, case.interval), "{found:?} for {:?}", case.interval);
    }
}

#[test]
fn two_proportions_are_compared_as_statsmodels_does() {
    for case in reference().unwrap().two_proportions {
        let found = two_proportions(case.first, case.second, 1.0, 0.95).unwrap();
        assert!(
            about(found.z, case.z) && about(found.p_value, case.p_value),
            "{found:?}"
        );
        assert!(
            same(found.interval, case.interval),
            "{found:?} for {:?}",
            case.interval
        );
    }
}

#[test]
fn dispersion_is_that_of_a_quasi_binomial_fit_and_of_an_analysis_of_variance() {
    let reference = reference().unwrap();
    for case in reference.dispersion {
        assert!(about(
            proportion_dispersion(&case.groups),
            case.dispersion.max(1.0)
        ));
    }
    for case in reference.mean_dispersion {
        let groups: Vec<Moments> = case.groups.into_iter().map(moments).collect();
        assert!(about(mean_dispersion(&groups), case.dispersion));
    }
}

#[test]
fn bonferronis_values_are_those_of_statsmodels() {
    for family in reference().unwrap().bonferroni {
        let found = bonferroni(&family.p_values);
        assert!(
            found
                .iter()
                .zip(&family.adjusted)
                .all(|(found, expected)| close(*found, *expected))
        );
    }
}

#[test]
fn calibration_is_the_likelihood_ratio_of_logistic_regressions() {
    for case in reference().unwrap().calibration {
        let rows: Vec<Predicted> = case
            .stated
            .iter()
            .zip(&case.success)
            .map(|(probability, successes)| Predicted {
                probability: *probability,
                trials: 1.0,
                successes: *successes,
            })
            .collect();
        let found = calibration(&rows).unwrap();
        assert!((found.intercept - case.intercept).abs() < 1e-6 && (found.slope - case.slope).abs() < 1e-6);
        assert!(
            (found.p_value - case.p_value).abs() < 1e-6 * case.p_value.max(1e-3),
            "{found:?}"
        );
        assert!(
            about(found.spiegelhalter_p_value, case.spiegelhalter_p_value),
            "{found:?}"
        );
    }
}

#[test]
fn the_trend_over_levels_is_that_of_statsmodels_and_the_rest_departs_from_it() {
    for case in reference().unwrap().cochran_armitage {
        let level = |(score, trials, successes): &(f64, f64, f64)| Graded {
            score: *score,
            trials: *trials,
            successes: *successes,
        };
        let levels: Vec<Graded> = case.levels.iter().map(level).collect();
        let found = cochran_armitage(&levels, 1.0).unwrap();
        assert!(
            close(found.z, case.z) && close(found.p_value, case.p_value),
            "{found:?}"
        );
        assert!(
            (found.departure - case.departure).abs() < 1e-9
                && close(found.departure_p_value, case.departure_p_value),
            "{found:?}"
        );
    }
}

#[test]
fn areas_of_strata_are_those_of_scipy_and_put_together_as_the_papers_say() {
    for case in reference().unwrap().stratified_auc {
        let found = stratified_auc(&case.strata).unwrap();
        assert!(close(found.auc, case.auc) && close(found.z, case.z), "{found:?}");
        assert!(close(found.p_value, case.p_value), "{found:?}");
        assert!(
            close(found.dispersion, case.dispersion) && close(found.error, case.error),
            "{found:?}"
        );
    }
}
