//! How large a fault is, in its unit and in standard deviations of the daily metric.

use serde::Serialize;

use super::expect::{Expectation, Rate};
use super::odds::Active;
use super::plan::Plan;
use super::plant::Planted;
use super::slow;

/// What a fault changes at whole strength, in the slice that it befalls. Numbers have six significant digits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Size {
    /// What changes: `success_rate`, `approval_rate`, `quality`, `p50_seconds`, `p95_seconds`, `p99_seconds`, `decisions_per_day`,
    /// `share`, `temperature`, `labels.confidence`, `labels.quality`, `hours_missing`, `duplicates`; with the prefix `component.` for the whole component.
    pub of: String,
    /// Expected before.
    pub before: f64,
    /// Expected at whole strength, nothing else being planted.
    pub after: f64,
    /// The difference.
    pub absolute: f64,
    /// Standard deviation of the daily value about its season before; none where there is no such thing.
    pub daily_sd: Option<f64>,
    /// The difference in these.
    pub sd: Option<f64>,
}

impl Size {
    pub(super) fn new(of: &str, before: f64, after: f64, daily_sd: Option<f64>) -> Self {
        let absolute = after - before;
        let daily_sd = daily_sd.filter(|sd| *sd > 0.0 && sd.is_finite());
        Self {
            of: of.to_owned(),
            before: six_digits(before),
            after: six_digits(after),
            absolute: six_digits(absolute),
            daily_sd: daily_sd.map(six_digits),
            sd: daily_sd.map(|sd| six_digits(absolute / sd)),
        }
    }
}

/// The same number whatever the last bits of the processor's logarithms are.
pub(crate) fn six_digits(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

/// All that a fault changes, in a component; what it was planted for comes first.
pub(crate) fn sizes(plan: &Plan<'_>, planted: &Planted<'_>, expectation: &Expectation<'_, '_>) -> Vec<Size> {
    let effect = planted.fault.effect;
    let mut sizes = Vec::new();
    rates(planted, expectation, &mut sizes);
    if planted.quality != 0.0 {
        let (_, a_day) = expectation.decisions(&planted.befalls, &Vec::new());
        if let Some((mean, deviation)) = quality(plan, &planted.befalls, a_day) {
            sizes.push(Size::new(
                "quality",
                mean,
                mean + planted.quality,
                Some(deviation),
            ));
        }
    }
    sizes.extend(slow::sizes(plan, planted, expectation));
    numbers(planted, expectation, &mut sizes);
    if let (Some(factor), Some(confidence)) = (effect.temperature, &plan.component.confidence) {
        let before = confidence.temperature;
        sizes.push(Size::new("temperature", before, before * factor, None));
    }
    let (before, added) = (plan.component.labels, effect.labels);
    for (of, before, added) in [
        ("labels.confidence", before.confidence, added.confidence),
        ("labels.quality", before.quality, added.quality),
    ] {
        sizes.extend((added != 0.0).then(|| Size::new(of, before, before + added, None)));
    }
    for (of, share) in [
        ("hours_missing", effect.missing),
        ("duplicates", effect.duplicates),
    ] {
        sizes.extend(share.map(|share| Size::new(of, 0.0, share, None)));
    }
    // What an effect was asked for is told even when it is none: a size of 0 is a size.
    sizes
}

fn rates(planted: &Planted<'_>, expectation: &Expectation<'_, '_>, sizes: &mut Vec<Size>) {
    let effect = planted.fault.effect;
    let (nothing, whole): (Active<'_, '_>, Active<'_, '_>) = (Vec::new(), vec![(planted, 1.0)]);
    let everything = vec![true; planted.befalls.len()];
    let sliced = !planted.slice.is_empty();
    let asked = |amount: crate::scenario::Amount| amount != crate::scenario::Amount::default();
    for (rate, of, asked) in [
        (
            Rate::Success,
            "success_rate",
            asked(effect.success) || effect.log_odds != 0.0,
        ),
        (
            Rate::Approval,
            "approval_rate",
            asked(effect.approval) || effect.log_odds != 0.0,
        ),
    ] {
        let size = |of: &str, within: &[bool]| {
            let (before, after) = (
                expectation.rate(rate, within, &nothing),
                expectation.rate(rate, within, &whole),
            );
            Size::new(of, before, after, Some(expectation.deviation(rate, within)))
        };
        if asked {
            sizes.push(size(of, &planted.befalls));
        }
        // A change of the mix changes the component, even where no slice does.
        if sliced && (asked || effect.mix.is_some()) {
            sizes.push(size(&format!("component.{of}"), &everything));
        }
    }
}

fn numbers(planted: &Planted<'_>, expectation: &Expectation<'_, '_>, sizes: &mut Vec<Size>) {
    let whole: Active<'_, '_> = vec![(planted, 1.0)];
    let (before, after) = (
        expectation.decisions(&planted.befalls, &Vec::new()),
        expectation.decisions(&planted.befalls, &whole),
    );
    if planted.fault.effect.mix.is_some() {
        let n = before.1 / before.0;
        let deviation = (before.0 * (1.0 - before.0) / n).sqrt();
        sizes.insert(0, Size::new("share", before.0, after.0, Some(deviation)));
    }
    if planted.fault.effect.volume.is_some() {
        let deviation = expectation.deviation_of_number(&planted.befalls);
        sizes.push(Size::new("decisions_per_day", before.1, after.1, Some(deviation)));
    }
}

/// Mean quality of the decisions within, and the standard deviation of a day's mean of so many.
pub(crate) fn quality(plan: &Plan<'_>, within: &[bool], a_day: f64) -> Option<(f64, f64)> {
    let (mut whole, mut all, mut sum, mut squares) = (0.0, 0.0, 0.0, 0.0);
    for (class, _) in plan.classes.iter().zip(within).filter(|it| *it.1) {
        all += class.share;
        if let Some(quality) = plan.component.methods[class.method].quality {
            whole += class.share;
            sum += class.share * quality.mean;
            squares += class.share * (quality.mean * quality.mean + quality.deviation * quality.deviation);
        }
    }
    let mean = sum / whole;
    let scored = a_day * whole / all;
    (whole > 0.0).then(|| (mean, ((squares / whole - mean * mean) / scored).sqrt()))
}
