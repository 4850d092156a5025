use std::ops::Range;

use super::say::Said;
use super::{Confidence, Impact, Question, Unmeasurable, Verdict, impact};

/// Measures the effect of a change that mends what an earlier one has done: on the steps between the two the series was what
/// it would have been without the change, on those before both it was something else. `earlier` are the steps in which the
/// earlier change came and was noticed: they are no part of either. `Question::excluded` is not looked at.
///
/// Two effects are measured against what was before both, that on the steps between and that on the steps after, each as
/// [`impact`] does it, and their difference is the answer. What both are compared with is counted as uncertain twice, so
/// that the interval is too wide rather than too narrow. The placebos are those of the earlier change.
///
/// # Errors
/// As [`impact`], and with fewer than 2 values between.
pub fn impact_following(question: &Question<'_>, earlier: &Range<usize>) -> Result<Impact, Unmeasurable> {
    if question.arms.is_some() {
        return impact(question);
    }
    let change = question.change.min(question.values.len());
    let (start, end) = (earlier.start.min(change), earlier.end.min(change));
    let not_before = start..change;
    let after = impact(&Question {
        excluded: std::slice::from_ref(&not_before),
        ..question.clone()
    })?;
    let controls: Vec<_> = (question.controls.iter())
        .map(|control| super::Control {
            values: &control.values[..change.min(control.values.len())],
            ..*control
        })
        .collect();
    let noticed = start..end;
    let between = impact(&Question {
        values: &question.values[..change],
        change: end,
        samples: question.samples.map(|samples| &samples[..change]),
        scales: question.scales.map(|scales| &scales[..change]),
        controls: &controls,
        excluded: std::slice::from_ref(&noticed),
        horizon: (change - end).max(1),
        ..question.clone()
    });
    let between = between.map_err(|error| match error {
        Unmeasurable::After(values) => Unmeasurable::Between(values),
        error => error,
    })?;
    Ok(difference(question, after, &between))
}

fn difference(question: &Question<'_>, mut after: Impact, between: &Impact) -> Impact {
    let known = after.posterior.minus(&between.posterior);
    let information = after.confidence.information;
    let said = Said::of(&known, information, question.higher_is_better);
    // At times when nothing happened, as much as then should not be seen
    let placebo = between.series.as_ref().map(|it| it.placebo).unwrap_or_default();
    if let Some(series) = &mut after.series {
        series.placebo = placebo;
        series.novelty = series.novelty.map(|it| it.less(between.effect, known.mean()));
    }
    let called = matches!(said.verdict, Verdict::Improved | Verdict::Worse);
    let trusted = (placebo.share().filter(|_| called)).map_or(1.0, |share| 1.0 - share);
    let both = |of: fn(&Confidence) -> f64| of(&after.confidence).min(of(&between.confidence));
    Impact {
        effect: known.mean(),
        interval: said.interval,
        interval_at_any_look: said.interval_at_any_look,
        p_positive: 1.0 - known.below(0.0),
        verdict: said.verdict,
        detectable: said.detectable,
        confidence: Confidence::of(both(|it| it.method), information, both(|it| it.present), trusted),
        before: between.after,
        values: (between.values.1, after.values.1),
        posterior: known,
        ..after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    /// A series that falls by `fault` on day 56, noticed until day 63, and rises by `mended` on day 70.
    fn series(seed: u64, fault: f64, mended: f64) -> Vec<f64> {
        let mut values = ar1(seed, 98, 0.3);
        values[56..].iter_mut().for_each(|value| *value -= fault);
        values[70..].iter_mut().for_each(|value| *value += mended);
        values
    }

    fn question(values: &[f64]) -> Question<'_> {
        Question {
            values,
            change: 70,
            samples: None,
            scales: None,
            controls: &[],
            seasons: &[7],
            excluded: &[],
            higher_is_better: true,
            horizon: 28,
            arms: None,
        }
    }

    #[test]
    fn what_is_mended_is_measured_against_the_days_on_which_it_was_broken() {
        let (mut held, mut improved, mut seen_without) = (0, 0, 0);
        for seed in 0..200 {
            let found = impact_following(&question(&series(seed, 8.0, 8.0)), &(56..63)).unwrap();
            held += usize::from(found.interval.0 <= 8.0 && 8.0 <= found.interval.1);
            improved += usize::from(found.verdict == Verdict::Improved);
            assert_eq!(found.confidence.present, 1.0);
            let told = found.series.unwrap();
            assert_eq!(told.placebo.as_large, 0);
            let novelty = told.novelty.unwrap();
            assert!(novelty.first > 5.0 && novelty.last > 5.0, "{novelty:?}");
            let found = impact_following(&question(&series(seed, 8.0, 0.0)), &(56..63)).unwrap();
            seen_without += usize::from(matches!(found.verdict, Verdict::Improved | Verdict::Worse));
        }
        assert!(held >= 186 && improved == 200, "{held} held, {improved} improved");
        assert!(seen_without <= 10, "{seen_without} of 200 without an effect");
    }

    #[test]
    fn a_share_that_was_low_was_known_less_well_than_the_high_one_it_became() {
        let deviation = |share: f64| (share * (1.0 - share) / 480.0_f64).sqrt();
        let (mut held, mut held_without) = (0, 0);
        for seed in 0..300 {
            let share = |day: usize| if (56..77).contains(&day) { 0.67 } else { 0.92 };
            let noise = ar1(seed, 105, 0.0);
            let values: Vec<f64> = (0..105)
                .map(|day| share(day) + deviation(share(day)) * noise[day])
                .collect();
            let scales: Vec<f64> = (0..105).map(|day| deviation(share(day))).collect();
            let mut asked = Question {
                change: 77,
                scales: Some(&scales),
                ..question(&values)
            };
            let holds = |found: Impact| usize::from(found.interval.0 <= 0.25 && 0.25 <= found.interval.1);
            held += holds(impact_following(&asked, &(56..63)).unwrap());
            asked.scales = None;
            held_without += holds(impact_following(&asked, &(56..63)).unwrap());
        }
        assert!(held >= 277, "{held} of 300");
        assert!(held_without < held, "{held_without} of 300 if all scatter alike");
    }

    #[test]
    fn without_days_between_nothing_is_told() {
        let values = series(1, 8.0, 8.0);
        let asked = Question {
            change: 64,
            ..question(&values)
        };
        assert_eq!(
            impact_following(&asked, &(56..63)).unwrap_err(),
            Unmeasurable::Between(1)
        );
    }
}
