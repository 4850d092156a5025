//! The rows about the effect of a change, and what they have in common: how a series is measured, and what is counted.

pub(super) mod coverage;
pub(super) mod looks;
pub(super) mod mean;
pub(super) mod missing_days;
pub(crate) mod missing_hours;
pub(super) mod novelty;
pub(super) mod portfolio;
pub(super) mod returns;
pub(super) mod season;
pub(super) mod shock;
pub(super) mod stated;
pub(super) mod wrong_control;

use std::ops::Range;

use anyhow::Result;
use kaizen_stats::{Control, Impact, Observed, Times, Verdict, impact_over_time};

use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::change::{AFTER, BEFORE, Sample, Scenario, sample};
use crate::seeds::Seeds;

const DAY: f64 = 86_400.0;

/// The methods from PyPI, which take up to ten times as long, are run on the first of so many seeds each.
const REFERRED_IN: usize = 20;

/// Ends of the names of cells.
const HELD: &str = "interval holds the effect";
const CALLED: &str = "called";

/// What is found so many days after the change, days of `excluded` being no baseline; none where there is nothing to tell.
pub(crate) fn measure(sample: &Sample, days: usize, excluded: Option<Range<usize>>) -> Option<Impact> {
    let until = BEFORE + days;
    let times: Vec<f64> = (0..until).map(|day| day as f64 * DAY).collect();
    let controls: Vec<Control<'_>> = sample
        .controls
        .iter()
        .map(|values| Control {
            name: "control",
            values: &values[..until],
        })
        .collect();
    let excluded = excluded.map(|days| days.start as f64 * DAY..days.end as f64 * DAY);
    impact_over_time(&Observed {
        times: Times::Seconds(&times),
        values: &sample.values[..until],
        samples: None,
        controls: &controls,
        change: BEFORE as f64 * DAY,
        excluded: excluded.as_slice(),
        higher_is_better: true,
        arms: None,
    })
    .ok()
}

/// What is counted of a measurement four weeks after the change.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    /// The interval holds the truth; one that is not there does not.
    held: bool,
    width: f64,
    /// Improved or worse.
    called: bool,
    /// The interval of one look is without 0.
    once: bool,
    fading: bool,
}

impl Found {
    fn of(found: Option<Impact>, truth: f64) -> Self {
        let Some(found) = found else {
            return Self {
                width: f64::NAN,
                ..Self::default()
            };
        };
        let (low, high) = found.interval;
        let novelty = found.series.and_then(|series| series.novelty);
        Self {
            held: low <= truth && truth <= high,
            width: high - low,
            called: matches!(found.verdict, Verdict::Improved | Verdict::Worse),
            once: low > 0.0 || high < 0.0,
            fading: novelty.is_some_and(|novelty| novelty.fading),
        }
    }
}

fn found(seeds: &Seeds, scenario: &Scenario) -> Result<Vec<Found>> {
    seeds.map(|seed| {
        let sample = sample(scenario, seed);
        Ok(Found::of(measure(&sample, AFTER, None), sample.truth))
    })
}

fn share(found: &[Found], is: impl Fn(&Found) -> bool) -> Estimate {
    Estimate::share(found.iter().filter(|it| is(it)).count(), found.len())
}

/// How often the interval holds the effect. One who does nothing has an interval of all numbers.
fn held(name: &str, found: &[Found]) -> Cell {
    let widths: Vec<f64> = found.iter().map(|it| it.width).collect();
    Cell::new(format!("{name}: {HELD}"), share(found, |it| it.held))
        .constant("do nothing", 1.0)
        .beside("Kaizen: its mean width", Estimate::mean(&widths))
}

/// How often something is called where nothing happened.
fn called(name: &str, found: &[Found]) -> Cell {
    Cell::new(format!("{name}: {CALLED}"), share(found, |it| it.called))
        .constant("do nothing", 0.0)
        .constant("always alarm", 1.0)
        .beside("Kaizen: by one look", share(found, |it| it.once))
}

/// Both, of a change that does nothing, beside the methods from PyPI.
fn held_and_called(seeds: &Seeds, name: &str, scenario: &Scenario) -> Result<[Cell; 2]> {
    let found = found(seeds, scenario)?;
    let seeds = referred(seeds, REFERRED_IN);
    Ok([
        held(name, &found).referring(exported(&seeds, scenario, "impact_held")?),
        called(name, &found).referring(exported(&seeds, scenario, "impact_called")?),
    ])
}

/// The first seeds, one of each so many.
fn referred(seeds: &Seeds, each: usize) -> Seeds {
    seeds.first((seeds.count() / each) as u64)
}

/// Series of a scenario for a function of `references/methods.py`.
fn exported(seeds: &Seeds, scenario: &Scenario, task: &'static str) -> Result<Export> {
    let series = seeds.series(|seed| flat(&sample(scenario, seed)))?;
    Ok(export(task, Kind::Share, series))
}

fn export(task: &'static str, kind: Kind, series: Vec<Vec<f64>>) -> Export {
    Export::new(task, kind, series)
        .with("days", (BEFORE + AFTER) as f64)
        .with("before", BEFORE as f64)
}

/// The truth, the series and its controls, one after the other.
fn flat(sample: &Sample) -> Vec<f64> {
    let columns = std::iter::once(&sample.values).chain(&sample.controls);
    std::iter::once(sample.truth)
        .chain(columns.flatten().copied())
        .collect()
}

/// How many controls there are, and how alike, in words.
fn beside(scenario: &Scenario) -> String {
    match scenario.controls {
        0 => "no control".to_owned(),
        1 => format!("one control of correlation {}", scenario.alike),
        many => format!("{many} controls of correlation {}", scenario.alike),
    }
}
