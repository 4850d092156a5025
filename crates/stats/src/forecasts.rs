use std::ops::RangeInclusive;

use crate::bonferroni::bonferroni;
use crate::normal::two_sided;
use crate::shrinkage::{mean, spread};
use crate::student::student_cdf;
use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

/// A forecast and what came of it, in one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastOutcome {
    /// What was forecast, before any correction.
    pub forecast: f64,
    /// Standard error that the forecast gave itself, 0 or above.
    pub forecast_error: f64,
    /// What was measured.
    pub measured: f64,
    /// Standard error of that, 0 or above.
    pub measured_error: f64,
}

/// How the forecasts of one kind are to be corrected; [`corrected`] does it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastCorrection {
    /// Outcomes it rests on.
    pub outcomes: usize,
    /// Measured over forecast, as these outcomes alone say.
    pub ratio: f64,
    /// Standard error of the ratio.
    pub ratio_error: f64,
    /// p-value of forecasts that are right, adjusted for all that was tested.
    pub p_value: f64,
    /// How much of the way from the ratio to 1 the factor was drawn, 0 to 1.
    pub share: f64,
    /// What a forecast is multiplied by, above 0.
    pub factor: f64,
    /// Standard deviation by which a truth lies further from the corrected forecast than that one's own error says, in shares of
    /// the forecast before correction, 0 or above: intervals are widened by it.
    pub widening: f64,
}

/// Forecasts of a kind are left as they are while fewer of them have a measured outcome.
pub const LEAST_OUTCOMES: usize = 5;
/// Probability that the factor of any kind is not 1, and that of widening any, when the forecasts of all are right.
const LEVEL: f64 = 0.01;
/// A factor beyond these is more likely a mistake in a unit than a forecast that far off; and none turns a sign round.
const FACTORS: RangeInclusive<f64> = 0.1..=3.0;
/// Half the width of a 95 % interval in standard errors.
const Z95: f64 = 1.959_963_984_540_054;
/// What is certain still has an error above 0 to be weighed by, in shares of the forecast.
const LEAST_ERROR: f64 = 1e-9;

/// Learns from outcomes how the forecasts of each kind are off. `None` of a kind whose outcomes are too few
/// ([`LEAST_OUTCOMES`]) or do not contradict its forecasts; forecasts of exactly 0 and numbers that are none are left out.
///
/// Each outcome is a ratio, measured over forecast, with the errors of both; units cancel out. A kind's ratio is their mean
/// in a model of random effects: single ratios may lie apart by more than their errors (R. C. Paule and J. Mandel,
/// "Consensus Values and Weighting Factors", J. Res. Natl. Bur. Stand. 87 (1982)), so that no outcome outweighs all others
/// by being measured well. That it is 1 is tested by the normal distribution, and by Student's t with one degree of freedom
/// less than outcomes where they do lie further apart (G. Knapp and J. Hartung, "Improved Tests for a Random Effects
/// Meta-regression with a Single Covariate", Stat. Med. 22 (2003)); that ratios scatter no more than their errors say, by Q
/// (W. G. Cochran, "The Combination of Estimates from Different Experiments", Biometrics 10 (1954)). Each test is adjusted
/// over all kinds ([`bonferroni`]) and believed at 1 %: forecasts that are right keep their exact value.
///
/// A ratio that is contradicted is drawn towards 1 by how sure it is and how far the ratios of all kinds lie from 1
/// (positive-part James–Stein towards a known point, C. N. Morris, "Parametric Empirical Bayes Inference: Theory and
/// Applications", J. Am. Statist. Ass. 78 (1983)). The widening is the standard deviation of a new outcome about the
/// corrected forecast beyond its own error (J. P. T. Higgins, S. G. Thompson and D. J. Spiegelhalter, "A Re-evaluation of
/// Random-effects Meta-analysis", J. R. Statist. Soc. A 172 (2009)).
pub fn forecast_corrections(kinds: &[Vec<ForecastOutcome>]) -> Vec<Option<ForecastCorrection>> {
    let found: Vec<Option<Found>> = kinds.iter().map(|it| Found::of(it)).collect();
    let judged: Vec<&Found> = found.iter().flatten().collect();
    let adjusted = |of: fn(&Found) -> f64| {
        let p_values: Vec<f64> = judged.iter().map(|it| of(it)).collect();
        bonferroni(&p_values)
    };
    let adjusted = adjusted(|it| it.p_ratio)
        .into_iter()
        .zip(adjusted(|it| it.p_scatter));
    let mut adjusted = adjusted.collect::<Vec<_>>().into_iter();
    let ratios: Vec<(f64, f64)> = judged.iter().map(|it| (it.ratio, it.error)).collect();
    let apart = spread(&ratios, Some(1.0));
    let correction = |it: Option<Found>| it?.correction(adjusted.next()?, apart, ratios.len() as f64);
    found.into_iter().map(correction).collect()
}

/// A forecast corrected by `factor` and `widening` of a [`ForecastCorrection`], with its interval of 95 %: 1 and 0 leave
/// both as they are, to the bit. The interval goes on holding the forecast.
pub fn corrected(value: f64, (lower, upper): (f64, f64), factor: f64, widening: f64) -> (f64, (f64, f64)) {
    let moved = factor * value;
    if widening > 0.0 {
        let more = Z95 * widening * value;
        let half = |half: f64| (factor * half).hypot(more);
        (moved, (moved - half(value - lower), moved + half(upper - value)))
    } else {
        (moved, (factor * lower, factor * upper))
    }
}

/// What the outcomes of one kind say by themselves.
struct Found {
    used: Vec<ForecastOutcome>,
    ratio: f64,
    error: f64,
    p_ratio: f64,
    p_scatter: f64,
}

impl Found {
    fn of(outcomes: &[ForecastOutcome]) -> Option<Self> {
        let used: Vec<ForecastOutcome> = outcomes.iter().copied().filter(is_usable).collect();
        if used.len() < LEAST_OUTCOMES {
            return None;
        }
        let ratios = ratios(&used, 1.0);
        let freedom = ratios.len() as f64 - 1.0;
        let apart = spread(&ratios, None);
        let (ratio, weights) = mean(&ratios, apart);
        let error = weights.sqrt().recip();
        let away = (ratio - 1.0) / error;
        let (common, _) = mean(&ratios, 0.0);
        let scatter: f64 = (ratios.iter())
            .map(|(ratio, error)| ((ratio - common) / error).powi(2))
            .sum();
        Some(Self {
            p_ratio: if apart > 0.0 {
                2.0 * student_cdf(-away.abs(), freedom)
            } else {
                two_sided(away)
            },
            p_scatter: ChiSquared::new(freedom).ok()?.sf(scatter),
            used,
            ratio,
            error,
        })
    }

    fn correction(self, p_values: (f64, f64), apart: f64, kinds: f64) -> Option<ForecastCorrection> {
        let (p_ratio, p_scatter) = p_values;
        let is_off = p_ratio < LEVEL;
        if !is_off && p_scatter >= LEVEL {
            return None;
        }
        let variance = self.error * self.error;
        let drawn = variance / (variance + apart);
        // How far the ratios lie from 1 is itself estimated, which three kinds and more make up for
        let drawn = drawn * if kinds > 2.0 { (kinds - 2.0) / kinds } else { 1.0 };
        let share = if is_off { drawn } else { 1.0 };
        let factor = 1.0 + (1.0 - share) * (self.ratio - 1.0);
        let factor = factor.clamp(*FACTORS.start(), *FACTORS.end());
        Some(ForecastCorrection {
            outcomes: self.used.len(),
            ratio: self.ratio,
            ratio_error: self.error,
            p_value: p_ratio.min(p_scatter),
            share,
            widening: self.widening(factor, (1.0 - share) * variance)?,
            factor,
        })
    }

    /// Scatter about the factor beyond the errors, and the factor's own variance, for intervals that take errors as normal.
    fn widening(&self, factor: f64, variance: f64) -> Option<f64> {
        let apart = spread(&ratios(&self.used, factor), Some(factor));
        let student = StudentsT::new(0.0, 1.0, self.used.len() as f64 - 1.0).ok()?;
        let wide = student.inverse_cdf(0.975) / Z95;
        Some(wide * (apart + variance).sqrt())
    }
}

fn is_usable(it: &ForecastOutcome) -> bool {
    let numbers = [it.forecast, it.forecast_error, it.measured, it.measured_error];
    numbers.iter().all(|it| it.is_finite())
        && it.forecast != 0.0
        && it.forecast_error >= 0.0
        && it.measured_error >= 0.0
}

/// Measured over forecast, each with its standard error when forecasts are corrected by that factor.
fn ratios(outcomes: &[ForecastOutcome], factor: f64) -> Vec<(f64, f64)> {
    let ratio = |it: &ForecastOutcome| {
        let error = it.measured_error.hypot(factor * it.forecast_error) / it.forecast.abs();
        (it.measured / it.forecast, error.max(LEAST_ERROR))
    };
    outcomes.iter().map(ratio).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// What the forecasts of a kind are in truth: the truth is `factor` times the forecast, give or take `apart` of it.
    #[derive(Clone, Copy)]
    struct Truth {
        factor: f64,
        apart: f64,
    }

    const RIGHT: Truth = Truth {
        factor: 1.0,
        apart: 0.0,
    };

    /// Forecasts of very different size with errors of 10 to 50 % of it, measured half as exactly to twice as exactly.
    fn outcome(random: &mut ChaCha8Rng, of: Truth) -> (ForecastOutcome, f64) {
        let normal = |random: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(random) };
        let forecast = (2.0 * normal(random) + 4.0).exp();
        let forecast_error = forecast * (0.1 + 0.4 * random.random::<f64>());
        let measured_error = forecast_error * (0.5 + 1.5 * random.random::<f64>());
        let honest = forecast + forecast_error * normal(random);
        let truth = of.factor * honest + of.apart * forecast * normal(random);
        let measured = truth + measured_error * normal(random);
        let outcome = ForecastOutcome {
            forecast,
            forecast_error,
            measured,
            measured_error,
        };
        (outcome, truth)
    }

    /// Over many portfolios of kinds, each learned from `count` outcomes, what new forecasts of each kind are worth before and
    /// after: mean squares of their distance to the truth in shares of the forecast, coverage of their intervals, and the share
    /// of kinds that was corrected.
    #[derive(Default, Debug, Clone, Copy)]
    struct Score {
        raw: f64,
        corrected: f64,
        raw_covered: f64,
        covered: f64,
        touched: f64,
    }

    fn simulate(kinds: &[Truth], count: usize, seeds: u64) -> Vec<Score> {
        const NEW: usize = 20;
        let mut scores = vec![Score::default(); kinds.len()];
        for seed in 0..seeds {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let learned: Vec<Vec<ForecastOutcome>> = (kinds.iter())
                .map(|kind| (0..count).map(|_| outcome(&mut random, *kind).0).collect())
                .collect();
            let found = forecast_corrections(&learned);
            for ((kind, found), score) in kinds.iter().zip(found).zip(&mut scores) {
                score.touched += f64::from(u8::from(found.is_some())) / seeds as f64;
                let (factor, widening) = found.map_or((1.0, 0.0), |it| (it.factor, it.widening));
                for _ in 0..NEW {
                    let (new, truth) = outcome(&mut random, *kind);
                    let half = Z95 * new.forecast_error;
                    let raw = (new.forecast - half, new.forecast + half);
                    let (value, interval) = corrected(new.forecast, raw, factor, widening);
                    let weight = 1.0 / (NEW as f64 * seeds as f64);
                    let covers = |(lower, upper)| f64::from(u8::from(lower <= truth && truth <= upper));
                    score.raw += weight * ((truth - new.forecast) / new.forecast).powi(2);
                    score.corrected += weight * ((truth - value) / new.forecast).powi(2);
                    score.raw_covered += weight * covers(raw);
                    score.covered += weight * covers(interval);
                }
            }
        }
        scores
    }

    #[test]
    fn forecasts_that_are_right_are_left_alone_and_made_no_worse() {
        for count in [5, 10, 40] {
            let scores = simulate(&[RIGHT; 6], count, 1_000);
            let touched: f64 = scores.iter().map(|it| it.touched).sum();
            assert!(touched < 0.03, "{count}: any of six in {touched} of the cases");
            for it in scores {
                assert!(
                    it.corrected < 1.01 * it.raw && it.covered > 0.94,
                    "{count}: {it:?}"
                );
            }
        }
    }

    #[test]
    fn twice_too_high_is_seen_and_mended_the_more_the_more_has_come() {
        let half = Truth {
            factor: 0.5,
            apart: 0.0,
        };
        let kinds = [half, RIGHT, RIGHT, RIGHT];
        for (count, left, seen) in [(5, 0.8, 0.3), (10, 0.45, 0.7), (40, 0.15, 0.99)] {
            let scores = simulate(&kinds, count, 1_000);
            let it = scores[0];
            assert!(
                it.corrected < left * it.raw && it.touched > seen,
                "{count}: {it:?}"
            );
            assert!(
                scores[1..].iter().all(|it| it.corrected < 1.01 * it.raw),
                "{count}: {scores:?}"
            );
            // Alone, with nobody to compare with, as well
            let alone = simulate(&kinds[..1], count, 1_000)[0];
            assert!(alone.corrected < left * alone.raw, "{count}: {alone:?}");
        }
    }

    #[test]
    fn intervals_too_narrow_become_wide_enough_whatever_the_level() {
        for factor in [0.5, 1.0, 1.5] {
            let kind = Truth { factor, apart: 0.6 };
            for count in [10, 40] {
                let it = simulate(&[kind], count, 1_000)[0];
                let least = if count == 40 { 0.93 } else { 0.8 };
                assert!(
                    it.raw_covered < 0.75 && (least..0.98).contains(&it.covered),
                    "{factor} of {count}: {it:?}"
                );
            }
        }
    }

    #[test]
    fn few_outcomes_correct_nothing_and_one_that_is_exact_does_not_outweigh_the_others() {
        let half = |forecast: f64, error: f64| ForecastOutcome {
            forecast,
            forecast_error: error,
            measured: forecast / 2.0,
            measured_error: error,
        };
        let few = vec![half(100.0, 1.0); LEAST_OUTCOMES - 1];
        assert_eq!(forecast_corrections(&[few.clone(), Vec::new()]), [None, None]);
        let enough: Vec<_> = few.iter().copied().chain([half(10.0, 0.1)]).collect();
        let found = forecast_corrections(&[enough])[0].unwrap();
        assert!((found.factor - 0.5).abs() < 0.001, "{found:?}");
        // Four say the forecast is right, and one, measured a thousand times as exactly, that it is ten times too high
        let right = ForecastOutcome {
            measured: 100.0,
            ..half(100.0, 10.0)
        };
        let exact = ForecastOutcome {
            measured: 10.0,
            ..half(100.0, 0.01)
        };
        let found = forecast_corrections(&[vec![right, right, right, right, exact]])[0];
        assert!(found.is_none_or(|it| it.factor == 1.0), "{found:?}");
    }

    #[test]
    fn measured_losses_make_a_forecast_small_and_never_turn_it_round() {
        let loss = ForecastOutcome {
            forecast: 100.0,
            forecast_error: 5.0,
            measured: -80.0,
            measured_error: 5.0,
        };
        let found = forecast_corrections(&[vec![loss; 10]])[0].unwrap();
        assert_eq!(found.factor, *FACTORS.start());
        assert!(found.ratio < -0.7 && found.widening > 0.5, "{found:?}");
    }

    fn outcomes() -> impl Strategy<Value = Vec<ForecastOutcome>> {
        let one = (-100.0..100.0_f64, 0.0..30.0_f64, -100.0..100.0_f64, 0.0..30.0_f64);
        let one = one.prop_map(
            |(forecast, forecast_error, measured, measured_error)| ForecastOutcome {
                forecast,
                forecast_error,
                measured,
                measured_error,
            },
        );
        prop::collection::vec(one, 0..12)
    }

    proptest! {
        #[test]
        fn a_correction_keeps_signs_and_intervals_whatever_came(
            kinds in prop::collection::vec(outcomes(), 0..5),
            value in -1e6..1e6_f64, below in 0.0..1e6_f64, above in 0.0..1e6_f64,
        ) {
            let found = forecast_corrections(&kinds);
            prop_assert_eq!(found.len(), kinds.len());
            for it in found.into_iter().flatten() {
                prop_assert!(FACTORS.contains(&it.factor) && it.widening >= 0.0 && it.widening.is_finite());
                prop_assert!((0.0..=1.0).contains(&it.share) && it.outcomes >= LEAST_OUTCOMES);
                let (moved, (lower, upper)) = corrected(value, (value - below, value + above), it.factor, it.widening);
                prop_assert!(moved == 0.0 || moved.signum() == value.signum());
                prop_assert!(lower <= moved && moved <= upper);
                // Never narrower than the forecast's own interval moved along
                prop_assert!(upper - lower >= it.factor * (below + above) * (1.0 - 1e-9));
            }
        }

        #[test]
        fn the_units_of_single_outcomes_and_their_signs_do_not_matter(
            kind in outcomes(), scale in prop::collection::vec(prop_oneof![-50.0..-0.1_f64, 0.1..50.0_f64], 12),
        ) {
            let scaled = kind.iter().zip(&scale).map(|(it, scale)| ForecastOutcome {
                forecast: it.forecast * scale,
                forecast_error: it.forecast_error * scale.abs(),
                measured: it.measured * scale,
                measured_error: it.measured_error * scale.abs(),
            });
            let found = forecast_corrections(&[kind.clone(), scaled.collect()]);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + a.abs());
            match (found[0], found[1]) {
                (None, None) => {}
                (Some(one), Some(other)) => prop_assert!(
                    close(one.factor, other.factor) && close(one.widening, other.widening),
                    "{:?} {:?}", one, other
                ),
                // Just at the level, the last bit decides
                (one, other) => {
                    let p_value = one.or(other).map_or(0.0, |it| it.p_value);
                    prop_assert!(close(p_value, LEVEL), "{:?} {:?}", one, other);
                }
            }
        }

        #[test]
        fn nothing_to_correct_is_the_identity_to_the_bit(value in -1e9..1e9_f64, lower in -1e9..1e9_f64, upper in -1e9..1e9_f64) {
            prop_assert_eq!(corrected(value, (lower, upper), 1.0, 0.0), (value, (lower, upper)));
        }

        #[test]
        fn forecasts_that_come_true_within_their_errors_are_left_alone(
            sizes in prop::collection::vec((1.0..1e4_f64, 0.05..0.5_f64, -0.5..0.5_f64), 5..20),
        ) {
            let came = |(forecast, error, off): &(f64, f64, f64)| ForecastOutcome {
                forecast: *forecast,
                forecast_error: forecast * error,
                measured: forecast * (1.0 + off * error),
                measured_error: forecast * error,
            };
            // Pairs that miss by the same on both sides: their mean is right
            let other = |(forecast, error, off): &(f64, f64, f64)| came(&(*forecast, *error, -off));
            let kind: Vec<_> = sizes.iter().map(came).chain(sizes.iter().map(other)).collect();
            prop_assert_eq!(forecast_corrections(&[kind]), vec![None]);
        }
    }
}
