use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::normal::two_sided;
use crate::wilson::wilson_interval;

/// Decisions that were given the same probability of success.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    /// The probability they were given, 0–1.
    pub probability: f64,
    /// How many there are; one, or those of a confidence level.
    pub trials: f64,
    /// How many of them succeeded.
    pub successes: f64,
}

/// Result of [`calibration`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// p-value of probabilities that mean what they say, against ones that are too high or low, too bold or too timid.
    pub p_value: f64,
    /// By how much the log-odds of success exceed those stated, at even odds.
    pub intercept: f64,
    /// How steeply the log-odds of success rise with those stated: below 1 the probabilities are too bold. Its inverse is
    /// the temperature.
    pub slope: f64,
    /// The p-value of D. J. Spiegelhalter's test of the Brier score, "Probabilistic Prediction in Patient Management and
    /// Clinical Trials", Stat. Med. 5 (1986).
    pub spiegelhalter_p_value: f64,
}

/// Probabilities are taken to be this far from 0 and 1 where their log-odds are needed.
const LEAST: f64 = 1e-6;

/// Tests whether probabilities mean what they say. `None` without trials, or when all probabilities are the same and one of
/// 0 or 1.
///
/// Likelihood-ratio test of intercept 0 and slope 1 in a logistic regression on the stated log-odds: D. R. Cox, "Two Further
/// Applications of a Model for Binary Regression", Biometrika 45 (1958). With one probability alone only the intercept is
/// fitted.
pub fn calibration(predicted: &[Predicted]) -> Option<Calibration> {
    let rows: Vec<(f64, Predicted)> = predicted
        .iter()
        .filter(|row| row.trials > 0.0)
        .map(|row| (log_odds(row.probability), *row))
        .collect();
    let first = rows.first()?.0;
    let levels = if rows.iter().all(|(odds, _)| (odds - first).abs() < 1e-12) {
        1
    } else {
        2
    };
    let (intercept, slope) = fit(&rows, levels)?;
    let gain = log_likelihood(&rows, intercept, slope) - log_likelihood(&rows, 0.0, 1.0);
    Some(Calibration {
        p_value: ChiSquared::new(f64::from(levels)).ok()?.sf((2.0 * gain).max(0.0)),
        intercept,
        slope,
        spiegelhalter_p_value: two_sided(spiegelhalter(&rows)),
    })
}

fn log_odds(probability: f64) -> f64 {
    let within = probability.clamp(LEAST, 1.0 - LEAST);
    (within / (1.0 - within)).ln()
}

fn probability(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

fn log_likelihood(rows: &[(f64, Predicted)], intercept: f64, slope: f64) -> f64 {
    rows.iter()
        .map(|(odds, row)| {
            let odds = intercept + slope * odds;
            // ln(1 + e^x) without overflow.
            row.successes * odds - row.trials * (odds.max(0.0) + (-odds.abs()).exp().ln_1p())
        })
        .sum()
}

/// Newton's method from intercept 0 and slope 1, with halved steps while the likelihood falls.
fn fit(rows: &[(f64, Predicted)], levels: u8) -> Option<(f64, f64)> {
    const STEPS: usize = 50;
    let (mut intercept, mut slope) = (0.0, 1.0);
    let mut likelihood = log_likelihood(rows, intercept, slope);
    for _ in 0..STEPS {
        let mut score = [0.0; 2];
        let mut information = [0.0; 3];
        for (odds, row) in rows {
            let p = probability(intercept + slope * odds);
            let weight = row.trials * p * (1.0 - p);
            let left = row.successes - row.trials * p;
            score[0] += left;
            score[1] += left * odds;
            information[0] += weight;
            information[1] += weight * odds;
            information[2] += weight * odds * odds;
        }
        let [a, b, c] = information;
        let (mut up, mut steeper) = if levels == 1 {
            (score[0] / a, 0.0)
        } else {
            let determinant = a * c - b * b;
            (
                (c * score[0] - b * score[1]) / determinant,
                (a * score[1] - b * score[0]) / determinant,
            )
        };
        if !(up.is_finite() && steeper.is_finite()) {
            return None;
        }
        let mut better = log_likelihood(rows, intercept + up, slope + steeper);
        while better < likelihood && up.abs() + steeper.abs() > 1e-12 {
            (up, steeper) = (up / 2.0, steeper / 2.0);
            better = log_likelihood(rows, intercept + up, slope + steeper);
        }
        (intercept, slope) = (intercept + up, slope + steeper);
        likelihood = better;
        if up.abs() + steeper.abs() < 1e-10 {
            break;
        }
    }
    Some((intercept, slope))
}

/// How far the Brier score is from what the probabilities themselves expect, in its standard errors.
fn spiegelhalter(rows: &[(f64, Predicted)]) -> f64 {
    let (sum, variance) = rows.iter().fold((0.0, 0.0), |(sum, variance), (_, row)| {
        let p = row.probability;
        let weight = 1.0 - 2.0 * p;
        (
            sum + (row.successes - row.trials * p) * weight,
            variance + row.trials * weight * weight * p * (1.0 - p),
        )
    });
    if variance > 0.0 {
        sum / variance.sqrt()
    } else {
        0.0
    }
}

/// Decisions with about the same probability: what was stated, and what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Mean probability stated.
    pub stated: f64,
    /// Share of successes.
    pub observed: f64,
    /// 95 % interval of that share.
    pub interval: (f64, f64),
    /// How many decisions.
    pub trials: f64,
}

/// The reliability curve in at most `bins` bins of about the same number of decisions, by ascending probability; the same
/// probability is never split.
///
/// A. H. Murphy and R. L. Winkler, "Reliability of Subjective Probability Forecasts of Precipitation and Temperature",
/// Appl. Stat. 26 (1977).
pub fn reliability_curve(predicted: &[Predicted], bins: usize) -> Vec<ReliabilityBin> {
    let mut rows: Vec<Predicted> = predicted.iter().filter(|row| row.trials > 0.0).copied().collect();
    rows.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    let total: f64 = rows.iter().map(|row| row.trials).sum();
    let mut curve = Vec::new();
    let mut open = (0.0, 0.0, 0.0);
    let mut before = 0.0;
    for (at, row) in rows.iter().enumerate() {
        open.0 += row.trials * row.probability;
        open.1 += row.successes;
        open.2 += row.trials;
        before += row.trials;
        let last = rows
            .get(at + 1)
            .is_none_or(|next| next.probability > row.probability);
        let full = before + 1e-9 * total >= total * (curve.len() + 1) as f64 / bins.max(1) as f64;
        if last && (full || at + 1 == rows.len()) {
            let (stated, successes, trials) = open;
            curve.push(ReliabilityBin {
                stated: stated / trials,
                observed: successes / trials,
                interval: wilson_interval(successes, trials, 0.95),
                trials,
            });
            open = (0.0, 0.0, 0.0);
        }
    }
    curve
}

/// Mean distance between what was stated and what came, over decisions: 0–1.
///
/// M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
pub fn expected_calibration_error(curve: &[ReliabilityBin]) -> f64 {
    let total: f64 = curve.iter().map(|bin| bin.trials).sum();
    let sum: f64 = curve
        .iter()
        .map(|bin| bin.trials * (bin.stated - bin.observed).abs())
        .sum();
    if total > 0.0 { sum / total } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// Decisions whose stated log-odds are `temperature` times the true ones.
    fn decisions(seed: u64, count: usize, temperature: f64) -> Vec<Predicted> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..count)
            .map(|_| {
                let z: f64 = StandardNormal.sample(&mut random);
                let odds = 0.5 + z;
                let success = random.random::<f64>() < probability(odds);
                Predicted {
                    probability: probability(odds * temperature),
                    trials: 1.0,
                    successes: f64::from(u8::from(success)),
                }
            })
            .collect()
    }

    #[test]
    fn a_temperature_of_1_3_is_seen_in_10_000_decisions_and_honest_ones_are_not_called_so() {
        let called = |temperature: f64, from: u64| {
            (from..from + 200)
                .filter(|seed| {
                    calibration(&decisions(*seed, 10_000, temperature))
                        .unwrap()
                        .p_value
                        < 0.01
                })
                .count()
        };
        // At a true rate of 1 %, 8 or more of 200 have a chance of 1 in 1,000.
        let (seen, false_ones) = (called(1.3, 0), called(1.0, 200));
        assert!(seen >= 199 && false_ones < 8, "{seen} {false_ones}");
    }

    #[test]
    fn the_slope_is_the_inverse_of_the_temperature() {
        let found = calibration(&decisions(7, 40_000, 1.3)).unwrap();
        assert!(
            (1.0 / found.slope - 1.3).abs() < 0.05 && found.intercept.abs() < 0.1,
            "{found:?}"
        );
    }

    #[test]
    fn turning_success_and_failure_round_changes_no_verdict() {
        let rows = decisions(3, 2_000, 1.2);
        let turned: Vec<Predicted> = rows
            .iter()
            .map(|row| Predicted {
                probability: 1.0 - row.probability,
                trials: row.trials,
                successes: row.trials - row.successes,
            })
            .collect();
        let (there, back) = (calibration(&rows).unwrap(), calibration(&turned).unwrap());
        assert!((there.p_value - back.p_value).abs() < 1e-6 && (there.slope - back.slope).abs() < 1e-6);
        assert!((there.spiegelhalter_p_value - back.spiegelhalter_p_value).abs() < 1e-9);
    }

    #[test]
    fn a_single_level_is_judged_by_its_rate_alone() {
        let level = |successes| Predicted {
            probability: 0.9,
            trials: 1_000.0,
            successes,
        };
        assert!(calibration(&[level(900.0)]).unwrap().p_value > 0.9);
        assert!(calibration(&[level(800.0)]).unwrap().p_value < 1e-9);
        assert_eq!(calibration(&[]), None);
    }

    #[test]
    fn the_curve_holds_all_decisions_and_its_error_is_zero_where_rates_are_as_stated() {
        let rows: Vec<Predicted> = (1..=9)
            .map(|tenth| {
                let probability = f64::from(tenth) / 10.0;
                Predicted {
                    probability,
                    trials: 10.0,
                    successes: 10.0 * probability,
                }
            })
            .collect();
        let curve = reliability_curve(&rows, 3);
        assert_eq!(
            curve.iter().map(|bin| bin.trials).collect::<Vec<_>>(),
            [30.0, 30.0, 30.0]
        );
        assert!(expected_calibration_error(&curve) < 1e-12);
        assert!(expected_calibration_error(&reliability_curve(&decisions(1, 5_000, 2.0), 10)) > 0.05);
        assert_eq!(expected_calibration_error(&[]), 0.0);
    }
}
