//! Two hundred correlated metrics judged in one run.

use anyhow::Result;
use kaizen_findings::{Direction, History, judge};

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::{ar1, history};
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 4,
    title: "200 metrics in one run",
    light: false,
    score,
};

const METRICS: usize = 200;
const DAYS: usize = 90;
/// Days of the period judged, and of the one before.
const PERIOD: usize = 7;
/// Correlation of neighbouring days: of the share that all metrics have in common, and of their own, in turn.
const PHI: [f64; 3] = [0.0, 0.3, 0.6];
/// Share of the variance that all metrics have in common.
const COMMON: f64 = 0.3;
/// Every tenth metric really moves.
const ONE_IN: usize = 10;
/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 60;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let nothing = seeds.map(|seed| Ok(told(seed, 0.0)))?;
    let declared: Vec<f64> = nothing
        .iter()
        .map(|told| (told.right + told.wrong) as f64)
        .collect();
    let mut cells = vec![
        Cell::new(
            "nothing moves: metrics declared",
            Estimate::of(Kind::Rate(1.0), &declared),
        )
        .constant("do nothing", 0.0)
        .constant("always alarm", METRICS as f64)
        .referring(exported(seeds, 0.0, "family_declared", Kind::Rate(1.0))?),
    ];
    for rise in [2.0, 3.0] {
        let all = seeds.map(|seed| Ok(told(seed, rise)))?;
        let false_share: Vec<f64> = all.iter().map(Told::false_share).collect();
        let power: Vec<f64> = all.iter().map(Told::power).collect();
        cells.push(
            Cell::new(
                format!("one in ten rises by {rise} sd: false share of those declared"),
                Estimate::of(Kind::Mean, &false_share),
            )
            .constant("do nothing", 0.0)
            .constant("always alarm", 1.0 - 0.5 / ONE_IN as f64)
            .referring(exported(seeds, rise, "family_false", Kind::Mean)?),
        );
        cells.push(
            Cell::new(
                format!("one in ten rises by {rise} sd: share of them declared"),
                Estimate::of(Kind::Mean, &power),
            )
            .constant("do nothing", 0.0)
            .constant("always alarm", 0.5)
            .referring(exported(seeds, rise, "family_power", Kind::Mean)?),
        );
    }
    Ok(cells)
}

/// What a run said of its metrics.
struct Told {
    right: usize,
    wrong: usize,
}

impl Told {
    /// Wrong ones among those declared; 0 of none.
    fn false_share(&self) -> f64 {
        self.wrong as f64 / (self.right + self.wrong).max(1) as f64
    }

    fn power(&self) -> f64 {
        self.right as f64 / (METRICS / ONE_IN) as f64
    }
}

/// Whether a metric really moves.
fn is_real(metric: usize, rise: f64) -> bool {
    rise > 0.0 && metric.is_multiple_of(ONE_IN)
}

fn told(seed: u64, rise: f64) -> Told {
    let spans = history::last(DAYS, PERIOD);
    let histories: Vec<History> = family(seed, rise)
        .iter()
        .map(|values| history::daily(values, spans))
        .collect();
    let mut told = Told { right: 0, wrong: 0 };
    for (metric, judgement) in judge(&histories, spans).iter().enumerate() {
        match judgement.trend.direction {
            Direction::Improving if is_real(metric, rise) => told.right += 1,
            Direction::Improving | Direction::Declining => told.wrong += 1,
            Direction::Stable | Direction::InsufficientData => {}
        }
    }
    told
}

/// Metrics that share a part of their noise; every tenth rises on a line by so many of its standard deviations.
pub(crate) fn family(seed: u64, rise: f64) -> Vec<Vec<f64>> {
    let common: Vec<Vec<f64>> = (PHI.iter().zip(0..))
        .map(|(phi, stream)| ar1(seed, stream, DAYS, *phi))
        .collect();
    let one = |metric: usize| {
        let kind = metric % PHI.len();
        let own = ar1(seed, (metric + PHI.len()) as u64, DAYS, PHI[kind]);
        let height = if is_real(metric, rise) { rise } else { 0.0 };
        let values = own
            .iter()
            .zip(&common[kind])
            .enumerate()
            .map(|(day, (own, common))| {
                (1.0 - COMMON).sqrt() * own + COMMON.sqrt() * common + height * day as f64 / (DAYS - 1) as f64
            });
        values.collect()
    };
    (0..METRICS).map(one).collect()
}

/// The metrics of a seed, one after the other.
fn exported(seeds: &Seeds, rise: f64, task: &'static str, kind: Kind) -> Result<Export> {
    let series = seeds.first(REFERRED).series(|seed| family(seed, rise).concat())?;
    let export = Export::new(task, kind, series).with("metrics", METRICS as f64);
    Ok(export.with("one_in", if rise > 0.0 { ONE_IN as f64 } else { 0.0 }))
}
