//! Why a metric changed: by how much its slices changed, each split into another mix and another rate.

use kaizen_stats::{Cube, Moments, SliceSearch, TwoPeriods, find_culprits, split_change, welch};

use crate::cube::{CellSums, MetricCube};

/// By how much the whole changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Now minus before, in the unit of the mean.
    pub difference: f64,
    /// 95 % interval of the difference.
    pub interval: (f64, f64),
    /// Two-sided p-value of no change (Welch).
    pub p_value: f64,
    /// The part that other shares of the cells make.
    pub mix: f64,
    /// The part that other means within cells make.
    pub rate: f64,
}

/// A slice that changed otherwise than the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// Dimension and value of each condition; 1 to 3.
    pub slice: Vec<(String, String)>,
    /// Its sums before.
    pub baseline: CellSums,
    /// Its sums now.
    pub current: CellSums,
    /// How much more it changed than the rest, in the unit of the mean.
    pub effect: f64,
    /// 95 % interval of the effect.
    pub interval: (f64, f64),
    /// p-value of no effect, times the number of slices searched; at most 1.
    pub p_value: f64,
    /// What it adds to the change of the whole by another share of the decisions.
    pub mix: f64,
    /// What it adds by another mean of its own.
    pub rate: f64,
}

/// Why a metric changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanation {
    /// By how much; `None` where a window has too little to say.
    pub change: Option<Change>,
    /// The slices that account for it, most important first. None when all slices changed alike.
    pub causes: Vec<Cause>,
}

/// Explains the change of a mean or share from `baseline` to `current`. A slice is named when it rests on at least
/// `least_count` decisions in each window and differs from the rest by more than chance and by at least `least_effect`,
/// in the unit of the mean.
pub fn explain(metric: &MetricCube, least_count: f64, least_effect: f64) -> Explanation {
    let mut cube = Cube::new(&metric.dimensions);
    let mut all = TwoPeriods::default();
    let mut known = Vec::with_capacity(metric.cells.len());
    for cell in &metric.cells {
        let periods = TwoPeriods {
            baseline: moments(&cell.baseline),
            current: moments(&cell.current),
        };
        // A cell of another number of values is of another cube.
        if cube.add(&cell.values, periods).is_ok() {
            all.baseline = all.baseline.plus(&periods.baseline);
            all.current = all.current.plus(&periods.current);
            known.push(periods);
        }
    }
    let search = SliceSearch {
        least_count,
        least_effect,
        ..SliceSearch::default()
    };
    let causes = find_culprits(&cube, &search).into_iter().map(|culprit| Cause {
        baseline: sums(&culprit.periods.baseline),
        current: sums(&culprit.periods.current),
        effect: culprit.effect,
        interval: culprit.interval,
        p_value: culprit.adjusted_p_value.min(1.0),
        mix: culprit.split.map_or(0.0, |split| split.mix),
        rate: culprit.split.map_or(0.0, |split| split.rate),
        slice: culprit.slice,
    });
    Explanation {
        change: change(&all, &known),
        causes: causes.collect(),
    }
}

fn change(all: &TwoPeriods, cells: &[TwoPeriods]) -> Option<Change> {
    let test = welch(&all.baseline, &all.current, 1.0, 0.95)?;
    let whole = (all.baseline, all.current);
    // What a cell that is new or gone has in one window only is another mix.
    let rates = cells
        .iter()
        .filter_map(|cell| split_change((cell.baseline, cell.current), whole));
    let rate: f64 = rates.map(|split| split.rate).sum();
    Some(Change {
        difference: test.difference,
        interval: test.interval,
        p_value: test.p_value,
        mix: test.difference - rate,
        rate,
    })
}

fn moments(sums: &CellSums) -> Moments {
    Moments {
        count: sums.n,
        sum: sums.sum,
        sum_of_squares: sums.sum_squares,
    }
}

fn sums(moments: &Moments) -> CellSums {
    CellSums {
        n: moments.count,
        sum: moments.sum,
        sum_squares: moments.sum_of_squares,
    }
}
