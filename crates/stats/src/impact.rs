//! The effect of a change at a known time on a series, by a ladder of methods: the best that the data allow is used, and the
//! result tells why the others were not.

mod arms_by_day;
mod averaging;
mod controls;
mod following;
mod moved;
mod novelty;
mod over_time;
mod placebo;
mod posterior;
mod prepare;
mod question;
mod randomised;
mod regression;
mod result;
mod say;
mod window;

use crate::autocorrelation::effective_n;
pub use arms_by_day::{ArmDay, KnownBefore};
pub use following::impact_following;
use moved::Moves;
pub use novelty::Novelty;
pub use over_time::{Observed, impact_over_time};
pub use placebo::Placebo;
pub use posterior::Posterior;
use prepare::{EFFECT, Measured, Prepared, unit};
pub use question::{Control, Question};
pub use randomised::{Arm, Arms, Covariate};
pub use result::{Confidence, ControlUse, Impact, Method, Rung, SeriesFindings, Unmeasurable, Verdict};
use say::Said;

/// What a method can be trusted with at most.
const TRUST_CONTROLS: f64 = 0.9;
const TRUST_SEASONAL: f64 = 0.7;

/// Measures the effect of a change.
///
/// The series is explained by a step at the change, its season, and the controls, with noise of which neighbours are alike:
/// the coefficients by generalised least squares, their uncertainty by Student's t over all likenesses that the data allow,
/// each as probable as they make it. This is the difference in differences of D. Card and A. B. Krueger, "Minimum Wages and
/// Employment", Am. Econ. Rev. 84 (1994), with weights for the controls as in A. Abadie, A. Diamond and J. Hainmueller,
/// "Synthetic Control Methods for Comparative Case Studies", J. Am. Statist. Ass. 105 (2010), and the errors that M. Bertrand,
/// E. Duflo and S. Mullainathan, "How Much Should We Trust Differences-in-Differences Estimates?", Q. J. Econ. 119 (2004),
/// found missing.
///
/// # Errors
/// With fewer than 14 values before the change or 2 after it, or where nothing varies, there is no effect to be told.
pub fn impact(question: &Question<'_>) -> Result<Impact, Unmeasurable> {
    let mut rungs = Vec::new();
    let mut rung = |name, refused| rungs.push(Rung { name, refused });
    match question.arms.map(|arms| (arms, randomised::compare(arms))) {
        Some((arms, Some((with_covariate, known)))) => {
            rung("randomised", None);
            return Ok(of_arms(question, arms, with_covariate, known, rungs));
        }
        Some((_, None)) => rung(
            "randomised",
            Some("an arm has fewer than two values, or nothing varies"),
        ),
        None => rung(
            "randomised",
            Some("chance did not say which decisions the change applies to"),
        ),
    }
    let prepared = Prepared::of(question);
    if prepared.used.is_empty() {
        rung(
            "controls",
            Some(match question.controls {
                [] => "there are no series that the change did not touch",
                _ => "no control can be used",
            }),
        );
        rung("seasonal", None);
    } else {
        rung("controls", None);
    }
    let measured = prepared.measure()?;
    Ok(of_series(&prepared, measured, rungs))
}

fn of_arms(
    question: &Question<'_>,
    arms: &Arms,
    with_covariate: bool,
    known: Posterior,
    rungs: Vec<Rung>,
) -> Impact {
    let values = arms.without.outcome.count + arms.with.outcome.count;
    let information = values / arms.planned.max(1.0);
    let said = Said::of(&known, information, question.higher_is_better);
    Impact {
        method: if with_covariate {
            Method::RandomisedWithCovariate
        } else {
            Method::Randomised
        },
        rungs,
        effect: known.mean(),
        interval: said.interval,
        interval_at_any_look: said.interval_at_any_look,
        p_positive: 1.0 - known.below(0.0),
        verdict: said.verdict,
        detectable: said.detectable,
        confidence: Confidence::of(1.0, information, 1.0, 1.0),
        before: arms.without.outcome.mean(),
        after: arms.with.outcome.mean(),
        values: (
            arms.without.outcome.count as usize,
            arms.with.outcome.count as usize,
        ),
        posterior: known,
        series: None,
    }
}

fn of_series(prepared: &Prepared<'_>, measured: Measured, rungs: Vec<Rung>) -> Impact {
    let (window, question, known) = (&prepared.window, prepared.question, &measured.known);
    let phi: f64 = measured.fits.iter().map(|fit| fit.weight * fit.phi).sum();
    let at = |after: usize| {
        let [before, after] = [window.before, after].map(|n| effective_n(n, phi.max(0.0)));
        1.0 / (1.0 / before + 1.0 / after)
    };
    let information = at(window.after) / at(question.horizon.max(1));
    let said = Said::of(known, information, question.higher_is_better);
    let placebo = placebo::run(prepared, &measured.fits);
    let called = matches!(said.verdict, Verdict::Improved | Verdict::Worse);
    let trusted = placebo
        .share()
        .filter(|_| called)
        .map_or(1.0, |share| 1.0 - share);
    let wanted = (window.range.len() - window.excluded).max(1);
    let present = (window.before + window.after) as f64 / wanted as f64;
    let most = match measured.method {
        Method::SeasonalLevel => TRUST_SEASONAL,
        _ => TRUST_CONTROLS,
    };
    Impact {
        method: measured.method,
        rungs,
        effect: known.mean(),
        interval: said.interval,
        interval_at_any_look: said.interval_at_any_look,
        p_positive: 1.0 - known.below(0.0),
        verdict: said.verdict,
        detectable: said.detectable,
        confidence: Confidence::of(most, information, present, trusted),
        before: window.mean(&window.values, false),
        after: window.mean(&window.values, true),
        values: (window.before, window.after),
        series: Some(SeriesFindings {
            far: window.far,
            phi,
            season: prepared.season,
            trend: measured.trend,
            controls: prepared.uses(&measured),
            shock: measured.moves.as_ref().map(Moves::shock),
            placebo,
            novelty: measured.novelty,
        }),
        posterior: measured.known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    fn question<'a>(values: &'a [f64], controls: &'a [Control<'a>]) -> Question<'a> {
        Question {
            values,
            change: 60,
            samples: None,
            scales: None,
            controls,
            seasons: &[7],
            excluded: &[],
            higher_is_better: true,
            horizon: 28,
            arms: None,
        }
    }

    /// A series and controls that have much in common, the series higher by `effect` from day 60.
    fn known(seed: u64, phi: f64, effect: f64, controls: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
        let common = ar1(4 * seed, 88, phi);
        let like = |stream: u64| -> Vec<f64> {
            let own = ar1(1_000_000 + 16 * seed + stream, 88, phi);
            common
                .iter()
                .zip(own)
                .map(|(common, own)| 0.8 * common + 0.6 * own)
                .collect()
        };
        let mut values = like(0);
        values[60..].iter_mut().for_each(|value| *value += effect);
        (values, (1..=controls as u64).map(like).collect())
    }

    fn named(controls: &[Vec<f64>]) -> Vec<Control<'_>> {
        controls
            .iter()
            .map(|values| Control {
                name: "other",
                values,
            })
            .collect()
    }

    const SEEDS: u64 = 300;

    /// Share of series of which something holds.
    fn share(holds: impl Fn(u64) -> bool) -> f64 {
        (0..SEEDS).filter(|seed| holds(*seed)).count() as f64 / SEEDS as f64
    }

    #[test]
    fn intervals_hold_the_effect_as_often_as_they_say() {
        for phi in [0.0, 0.3, 0.6] {
            for count in [0, 1, 3] {
                let held = share(|seed| {
                    let (values, controls) = known(seed, phi, 1.0, count);
                    let found = impact(&question(&values, &named(&controls))).unwrap();
                    found.interval.0 <= 1.0 && 1.0 <= found.interval.1
                });
                // Three standard deviations around 95 %, and what is allowed on top of it.
                assert!((0.91..=0.99).contains(&held), "{held} at {phi} with {count}");
            }
        }
    }

    #[test]
    fn looking_every_day_calls_few_series_without_effect() {
        for count in [0, 2] {
            let called = (0..100).filter(|seed| {
                let (values, controls) = known(*seed, 0.5, 0.0, count);
                (62..=88).any(|until| {
                    let controls: Vec<Vec<f64>> =
                        controls.iter().map(|control| control[..until].to_vec()).collect();
                    let found = impact(&question(&values[..until], &named(&controls))).unwrap();
                    matches!(found.verdict, Verdict::Improved | Verdict::Worse)
                })
            });
            // At a true rate of 5 %, 13 or more of 100 have a chance of 1 in 500.
            let called = called.count();
            assert!(called < 13, "{called} of 100 with {count}");
        }
    }

    #[test]
    fn a_control_that_moved_alone_is_left_out_and_one_that_moved_with_all_is_not() {
        let (values, mut controls) = known(5, 0.3, 0.0, 3);
        controls[1][60..].iter_mut().for_each(|value| *value += 4.0);
        let found = impact(&question(&values, &named(&controls))).unwrap();
        let without = impact(&question(
            &values,
            &named(&[controls[0].clone(), controls[2].clone()]),
        ))
        .unwrap();
        assert!(
            (found.effect - without.effect).abs() < 0.15,
            "{} and {}",
            found.effect,
            without.effect
        );
        let found = found.series.unwrap();
        assert!(
            found.controls[1].moved_alone.unwrap() > 0.95,
            "{:?}",
            found.controls
        );
        assert!(found.shock.unwrap() < 0.5);
        let (mut values, mut controls) = known(6, 0.3, 0.0, 3);
        for column in controls.iter_mut().chain([&mut values]) {
            column[60..].iter_mut().for_each(|value| *value += 2.0);
        }
        let found = impact(&question(&values, &named(&controls))).unwrap();
        assert_eq!(found.verdict, Verdict::NoDetectableChange, "{found:?}");
        let found = found.series.unwrap();
        assert!(found.shock.unwrap() > 0.95, "{:?}", found.shock);
        assert!(
            found
                .controls
                .iter()
                .all(|control| control.moved_alone.unwrap() < 0.5)
        );
    }

    #[test]
    fn an_effect_that_fades_is_told_from_one_that_stays() {
        let fading = |seed: u64, fades: bool| {
            let (mut values, _) = known(seed, 0.3, 0.0, 0);
            for (day, value) in values[60..].iter_mut().enumerate() {
                *value += if fades {
                    4.0 * 0.5_f64.powf(day as f64 / 5.0)
                } else {
                    2.0
                };
            }
            impact(&question(&values, &[]))
                .unwrap()
                .series
                .unwrap()
                .novelty
                .unwrap()
                .fading
        };
        assert!(share(|seed| fading(seed, true)) > 0.6);
        assert!(share(|seed| fading(seed, false)) < 0.08);
    }

    #[test]
    fn what_the_ladder_refused_is_told() {
        let (values, controls) = known(1, 0.3, 0.0, 1);
        let constant = vec![1.0; 88];
        let gone = vec![f64::NAN; 88];
        let unfit = [
            Control {
                name: "constant",
                values: &constant,
            },
            Control {
                name: "gone",
                values: &gone,
            },
            Control {
                name: "short",
                values: &constant[..5],
            },
        ];
        let found = impact(&question(&values, &unfit)).unwrap();
        assert_eq!(found.method, Method::SeasonalLevel);
        assert_eq!(found.rungs[1].refused, Some("no control can be used"));
        assert!(
            found
                .series
                .unwrap()
                .controls
                .iter()
                .all(|control| control.refused.is_some())
        );
        let twice = [
            named(&controls)[0],
            Control {
                name: "again",
                values: &controls[0],
            },
        ];
        let found = impact(&question(&values, &twice)).unwrap();
        assert_eq!(found.method, Method::ControlRegression);
        assert_eq!(
            found.series.unwrap().controls[1].refused,
            Some("it is a sum of other controls")
        );
        let many = known(1, 0.3, 0.0, 9).1;
        assert_eq!(
            impact(&question(&values, &named(&many))).unwrap().method,
            Method::SyntheticControl
        );
        assert_eq!(
            impact(&question(&values[..61], &[])).unwrap_err(),
            Unmeasurable::After(1)
        );
        let late = Question {
            change: 9,
            ..question(&values, &[])
        };
        assert_eq!(impact(&late).unwrap_err(), Unmeasurable::Before(9));
        assert_eq!(
            impact(&question(&constant, &[])).unwrap_err(),
            Unmeasurable::Noise
        );
    }

    #[test]
    fn chance_is_the_best_rung_and_a_covariate_narrows_it() {
        let draw = |seed: u64| ar1(seed, 400, 0.0);
        let (known_before, noise) = (draw(1), draw(2));
        let outcomes: Vec<f64> = (0..400).map(|n| 0.9 * known_before[n] + 0.4 * noise[n]).collect();
        let arm = |range: std::ops::Range<usize>, effect: f64, covariate: bool| {
            let values: Vec<f64> = outcomes[range.clone()]
                .iter()
                .map(|value| value + effect)
                .collect();
            let other = &known_before[range];
            Arm {
                outcome: crate::Moments::of(&values),
                covariate: covariate.then(|| Covariate {
                    moments: crate::Moments::of(other),
                    products: values.iter().zip(other).map(|(a, b)| a * b).sum(),
                }),
            }
        };
        let measured = |covariate: bool| {
            let arms = Arms {
                without: arm(0..200, 0.0, covariate),
                with: arm(200..400, 0.5, covariate),
                dispersion: 1.0,
                planned: 400.0,
            };
            let values = [0.0; 88];
            impact(&Question {
                arms: Some(&arms),
                ..question(&values, &[])
            })
            .unwrap()
        };
        let (plain, narrow) = (measured(false), measured(true));
        assert_eq!(
            (plain.method, narrow.method),
            (Method::Randomised, Method::RandomisedWithCovariate)
        );
        let width = |found: &Impact| found.interval.1 - found.interval.0;
        assert!(width(&narrow) < 0.6 * width(&plain));
        assert!(narrow.interval.0 < 0.5 && 0.5 < narrow.interval.1);
        assert_eq!(narrow.verdict, Verdict::Improved);
        let same = crate::welch(
            &crate::Moments::of(&outcomes[..200]),
            &crate::Moments::of(
                &outcomes[200..]
                    .iter()
                    .map(|value| value + 0.5)
                    .collect::<Vec<_>>(),
            ),
            1.0,
            0.95,
        )
        .unwrap();
        assert!(
            (same.interval.0 - plain.interval.0).abs() < 1e-4
                && (same.difference - plain.effect).abs() < 1e-9
        );
    }

    #[test]
    fn the_week_that_raised_the_recommendation_is_no_baseline() {
        let (mut values, _) = known(2, 0.3, 0.0, 0);
        values[53..60].iter_mut().for_each(|value| *value -= 3.0);
        let week = 53..60;
        let all = impact(&question(&values, &[])).unwrap();
        let excluded = impact(&Question {
            excluded: std::slice::from_ref(&week),
            ..question(&values, &[])
        })
        .unwrap();
        assert!(
            excluded.effect < all.effect - 0.2,
            "{} and {}",
            excluded.effect,
            all.effect
        );
        assert_eq!(excluded.values, (49, 28));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn shift_scale_and_sign_go_through(seed in 0..500_u64, count in 0..4_usize, shift in -20.0..20.0_f64, scale in 0.1..50.0_f64) {
            let (values, controls) = known(seed, 0.4, 0.5, count);
            let plain = impact(&question(&values, &named(&controls))).unwrap();
            let moved: Vec<f64> = values.iter().map(|value| shift - scale * value).collect();
            let found = impact(&question(&moved, &named(&controls))).unwrap();
            let tolerance = 1e-5 * scale;
            prop_assert!((found.interval.0 + scale * plain.interval.1).abs() < tolerance);
            prop_assert!((found.interval.1 + scale * plain.interval.0).abs() < tolerance);
            prop_assert!((found.p_positive + plain.p_positive - 1.0).abs() < 1e-6);
            prop_assert!(plain.interval_at_any_look.0 <= plain.interval.0 && plain.interval.1 <= plain.interval_at_any_look.1);
        }

        #[test]
        fn a_larger_effect_moves_what_is_found_by_as_much(seed in 0..500_u64, more in 0.0..1.0_f64) {
            let (less, _) = known(seed, 0.4, 0.2, 0);
            let (values, _) = known(seed, 0.4, 0.2 + more, 0);
            let (less, found) = (impact(&question(&less, &[])).unwrap(), impact(&question(&values, &[])).unwrap());
            prop_assert!((found.effect - less.effect - more).abs() < 1e-6);
            prop_assert!(found.p_positive >= less.p_positive - 1e-9);
        }

        #[test]
        fn no_series_breaks_it(
            values in prop::collection::vec(prop_oneof![
                6 => -1e3..1e3_f64, 1 => Just(f64::NAN), 1 => Just(0.0), 1 => -1e200..1e200_f64,
            ], 0..120),
            change in 0..130_usize, excluded in 0..60_usize,
        ) {
            let excluded = excluded..excluded + 7;
            let asked = Question { change, excluded: std::slice::from_ref(&excluded), ..question(&values, &[]) };
            if let Ok(found) = impact(&asked) {
                prop_assert!(found.interval.0 <= found.interval.1);
                prop_assert!((0.0..=1.0).contains(&found.p_positive));
            }
        }
    }
}
