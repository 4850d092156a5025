//! How often a change that does nothing, made after a bad week, is called an improvement.

use anyhow::Result;
use kaizen_stats::Verdict;

use super::super::Row;
use super::{beside, export, flat, measure, referred};
use crate::cell::Cell;
use crate::estimate::{Estimate, Kind};
use crate::generate::change::{AFTER, ALIKE, BEFORE, Family, Sample, Scenario};
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 17,
    title: "Regression to the mean: nothing after a bad week called improved",
    light: false,
    score,
};

/// Days in which the worst week is looked for: any of the last 62 that has the days before and after it.
const DAYS: usize = 150;
const WEEK: usize = 7;

/// Days after the change on which a ticket is measured.
const LOOKS: [usize; 3] = [7, 14, AFTER];

/// The methods from PyPI are run on the first of so many seeds each: once a seed.
const REFERRED_IN: usize = 5;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for phi in [0.0, 0.3, 0.6] {
        for controls in [0, 3] {
            let scenario = Scenario {
                controls,
                ..Scenario::plain(phi, 0.0)
            };
            let found = seeds.map(|seed| {
                let sample = after_the_worst_week(&scenario, seed);
                Ok([improved(&sample, true), improved(&sample, false)])
            })?;
            let series =
                referred(seeds, REFERRED_IN).series(|seed| flat(&after_the_worst_week(&scenario, seed)))?;
            let of = |which: usize| found.iter().map(|it| it[which]).collect::<Vec<f64>>();
            cells.push(
                Cell::new(
                    format!("φ {phi}, {}", beside(&scenario)),
                    Estimate::of(Kind::Share, &of(0)),
                )
                .constant("do nothing", 0.0)
                .constant("always alarm", 1.0)
                .beside("Kaizen: the week as baseline", Estimate::of(Kind::Share, &of(1)))
                .referring(export("impact_improved", Kind::Share, series)),
            );
        }
    }
    Ok(cells)
}

/// A series cut so that the worst of its weeks is the last one before the change.
fn after_the_worst_week(scenario: &Scenario, seed: u64) -> Sample {
    let mut family = Family::new(seed, 0, DAYS, scenario.phi);
    let values = family.series(ALIKE);
    let week = |end: usize| values[end - WEEK..end].iter().sum::<f64>();
    let worst = (BEFORE..=DAYS - AFTER).min_by(|a, b| week(*a).total_cmp(&week(*b)));
    let change = worst.unwrap_or(BEFORE);
    let cut = |values: &[f64]| values[change - BEFORE..change + AFTER].to_vec();
    Sample {
        controls: (0..scenario.controls)
            .map(|_| cut(&family.series(ALIKE)))
            .collect(),
        values: cut(&values),
        truth: 0.0,
    }
}

/// 1 if it is called improved at any of the looks. The week that made someone think of the change is no baseline, or is.
fn improved(sample: &Sample, excluded: bool) -> f64 {
    let excluded = excluded.then_some(BEFORE - WEEK..BEFORE);
    let found = LOOKS
        .iter()
        .filter_map(|days| measure(sample, *days, excluded.clone()))
        .any(|found| found.verdict == Verdict::Improved);
    f64::from(u8::from(found))
}
