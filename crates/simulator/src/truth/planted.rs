//! What was planted, and how large it is.

use std::collections::BTreeMap;

use kaizen_catalogue::Catalogue;
use serde::Serialize;

use super::Span;
use crate::process::Process;
use crate::process::size::{Size, six_digits};
use crate::scenario::{ALL, Amount, Fault, Improvement, Labels, Scenario, Shocked};

type Slice = BTreeMap<String, String>;

/// What was planted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultTruth {
    /// Its name.
    pub name: String,
    /// What kind of change it is.
    pub kind: Kind,
    /// The component of the catalogue that it befalls; none when it befalls all, or one that the catalogue does not have.
    pub component: Option<String>,
    /// Kind of decision it befalls; `*` for all.
    pub log_type: String,
    /// The metric it is planted for; `*` for all.
    pub metric: String,
    /// The slice it befalls.
    pub slice: Slice,
    /// When.
    pub window: Span,
    /// What it changes first of all, at whole strength.
    pub size: Option<SizeTruth>,
    /// All that it changes, in each component.
    pub sizes: Vec<SizeTruth>,
    /// Expected decisions a day of the slice in its first component, before.
    pub decisions_per_day: f64,
    /// Their share of the component's decisions.
    pub share: f64,
    /// What an improvement is worth.
    pub improvement: Option<ImprovementTruth>,
}

/// A change in one component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SizeTruth {
    /// Kind of its decisions.
    pub log_type: String,
    /// How large it is.
    #[serde(flatten)]
    pub size: Size,
}

/// Kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Kind {
    Step,
    Ramp,
    SeasonChange,
    NoveltyDecay,
    SliceRegression,
    SliceImprovement,
    MixShift,
    LatencyDrift,
    TailLatencyDrift,
    Miscalibration,
    Mislabelling,
    MissingHours,
    Outage,
    VolumeShift,
    Duplicates,
    GlobalShock,
    Improvement,
}

impl Kind {
    fn of(fault: &Fault) -> Self {
        let (effect, shape) = (fault.effect, fault.shape);
        let asked = |amount: Amount| amount != Amount::default();
        let rate =
            effect.log_odds + effect.success.number() + effect.approval.number() + effect.quality.number();
        let rated = asked(effect.success)
            || asked(effect.approval)
            || asked(effect.quality)
            || effect.log_odds != 0.0;
        let tail = effect
            .seconds
            .is_some_and(|slow| slow.above >= 0.5 || slow.share < 0.5);
        match () {
            () if fault.improvement.is_some() => Self::Improvement,
            () if shape.season_hours.is_some() => Self::SeasonChange,
            () if effect.duplicates.is_some() => Self::Duplicates,
            () if effect.missing.is_some() => Self::MissingHours,
            () if effect.volume == Some(0.0) => Self::Outage,
            () if effect.temperature.is_some() => Self::Miscalibration,
            () if effect.labels != Labels::default() => Self::Mislabelling,
            () if tail => Self::TailLatencyDrift,
            () if effect.seconds.is_some() => Self::LatencyDrift,
            () if !rated && effect.mix.is_some() => Self::MixShift,
            () if !rated && effect.volume.is_some() => Self::VolumeShift,
            () if fault.log_type == ALL => Self::GlobalShock,
            () if shape.ramp_days.is_some() => Self::Ramp,
            () if shape.half_life_days.is_some() => Self::NoveltyDecay,
            () if fault.slice.is_empty() => Self::Step,
            () if rate > 0.0 => Self::SliceImprovement,
            () => Self::SliceRegression,
        }
    }
}

/// What an improvement is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImprovementTruth {
    /// Expected benefit over the horizon: the change of the metric, times the decisions that count for it, times the value of one.
    pub benefit: f64,
    /// What it cost.
    pub cost: f64,
    /// Of both.
    pub currency: String,
    /// Benefit ÷ cost − 1.
    pub roi: f64,
    /// Days over which the benefit counts.
    pub horizon_days: u32,
    /// What it is compared with.
    pub controls: Vec<ControlTruth>,
}

/// A slice that an improvement is compared with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ControlTruth {
    /// Values of dimensions.
    pub slice: Slice,
    /// Correlation of its shocks with those of the improved slice; none when there are no shocks.
    pub correlation: Option<f64>,
    /// Other faults that befall only one of the two at the same time: with any, it is a wrong control.
    pub befallen_apart: Vec<String>,
}

/// The truth of every fault.
pub(super) fn planted(process: &Process<'_>, catalogue: &Catalogue) -> Vec<FaultTruth> {
    let faults = process.scenario.faults.iter().enumerate();
    faults
        .map(|(index, fault)| truth(process, catalogue, index, fault))
        .collect()
}

fn truth(process: &Process<'_>, catalogue: &Catalogue, index: usize, fault: &Fault) -> FaultTruth {
    let mut sizes = Vec::new();
    let (mut share, mut decisions, mut labelled) = (None, 0.0, 1.0);
    for plan in &process.plans {
        let Some(planted) = plan.planted.iter().find(|it| it.index == index) else {
            continue;
        };
        if share.is_none() {
            let expected = process.slice(plan, planted);
            (share, decisions) = (Some(expected.0), expected.1);
            labelled = plan.component.labelled;
        }
        let log_type = &plan.component.log_type;
        let size = |size: Size| SizeTruth {
            log_type: log_type.clone(),
            size,
        };
        sizes.extend(process.sizes(plan, planted).into_iter().map(size));
    }
    let component = catalogue.component_of(&fault.log_type);
    let worth = |improvement| {
        worth(
            process.scenario,
            fault,
            improvement,
            sizes.first(),
            decisions,
            labelled,
        )
    };
    FaultTruth {
        name: fault.name.clone(),
        kind: Kind::of(fault),
        component: component.map(|component| component.name.clone()),
        log_type: fault.log_type.clone(),
        metric: fault.metric.clone(),
        slice: fault.slice.clone(),
        window: window(process.scenario, fault),
        improvement: fault.improvement.as_ref().map(worth),
        size: sizes.first().cloned(),
        sizes,
        decisions_per_day: six_digits(decisions),
        share: six_digits(share.unwrap_or_default()),
    }
}

fn window(scenario: &Scenario, fault: &Fault) -> Span {
    Span {
        start: fault.from,
        end: fault.to.unwrap_or(scenario.end()),
    }
}

fn worth(
    scenario: &Scenario,
    fault: &Fault,
    improvement: &Improvement,
    size: Option<&SizeTruth>,
    decisions: f64,
    labelled: f64,
) -> ImprovementTruth {
    let change = size.map_or(0.0, |it| match it.size.of.as_str() {
        "approval_rate" => it.size.absolute * labelled,
        of if of.ends_with("_seconds") => -it.size.absolute,
        _ => it.size.absolute,
    });
    let days = f64::from(improvement.horizon_days) * strength(fault, improvement.horizon_days);
    let benefit = change * decisions * days * improvement.value_per_unit;
    // The scenario gives exactly one of the two.
    let cost = improvement
        .cost
        .unwrap_or_else(|| benefit / (1.0 + improvement.roi.unwrap_or_default()));
    let control = |slice: &Slice| ControlTruth {
        slice: slice.clone(),
        correlation: correlation(scenario, &fault.slice, slice),
        befallen_apart: apart(scenario, fault, slice),
    };
    ImprovementTruth {
        benefit: six_digits(benefit),
        cost: six_digits(cost),
        currency: improvement.currency.clone(),
        roi: six_digits(benefit / cost - 1.0),
        horizon_days: improvement.horizon_days,
        controls: improvement.controls.iter().map(control).collect(),
    }
}

/// Mean strength over so many days from its start.
fn strength(fault: &Fault, days: u32) -> f64 {
    let hours = i64::from(days) * 24;
    let at = |hour: i64| fault.shape.strength(jiff::SignedDuration::from_hours(hour));
    (0..hours).map(at).sum::<f64>() / hours as f64
}

/// Correlation of the shocks on the log-odds of two slices, all shocks together.
fn correlation(scenario: &Scenario, one: &Slice, other: &Slice) -> Option<f64> {
    let (mut shared, mut whole) = (0.0, 0.0);
    for shock in scenario
        .noise
        .shocks
        .iter()
        .filter(|shock| shock.on == Shocked::Outcome)
    {
        let variance = shock.sd * shock.sd;
        let values = shock.by.as_ref().map(|by| (one.get(by), other.get(by)));
        let apart = values.is_some_and(|(one, other)| one != other);
        shared += variance * if apart { shock.correlation } else { 1.0 };
        whole += variance;
    }
    (whole > 0.0).then(|| six_digits(shared / whole))
}

/// Other faults that hold at the same time and befall only one of the two slices.
fn apart(scenario: &Scenario, fault: &Fault, control: &Slice) -> Vec<String> {
    let at = window(scenario, fault);
    let others = scenario.faults.iter().filter(|other| {
        let when = window(scenario, other);
        let of_it = other.log_type == ALL || other.log_type == fault.log_type;
        let same_time = when.start < at.end && at.start < when.end;
        of_it && other.name != fault.name && same_time
    });
    let meets = |slice: &Slice, other: &Fault| {
        let conflict = |(name, value): (&String, &String)| slice.get(name).is_some_and(|it| it != value);
        !other.slice.iter().any(conflict)
    };
    let apart = others.filter(|other| meets(control, other) != meets(&fault.slice, other));
    apart.map(|other| other.name.clone()).collect()
}
