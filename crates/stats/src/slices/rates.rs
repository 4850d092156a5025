mod between_cells;
mod difference;
mod known_values;
mod main_effects;
mod root;
mod shift;
mod sums;

use crate::normal::two_sided_quantile;
use crate::slices::cube::{Cube, Names};
use crate::slices::grid::Grid;
use crate::slices::search::{Found, Limits, search};
use crate::slices::split::{Split, split_change};
use crate::welch::Moments;
use difference::Difference;
use known_values::of_known_values;
use main_effects::main_effects;
use shift::shared_shift;
use sums::left_of_cells;

/// A cell of a cube in two periods. For a proportion the sum of squares is the sum.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TwoPeriods {
    /// Before.
    pub baseline: Moments,
    /// Now.
    pub current: Moments,
}

impl TwoPeriods {
    /// Both cells together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            baseline: self.baseline.plus(&other.baseline),
            current: self.current.plus(&other.current),
        }
    }
}

/// How [`find_culprits`] searches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceSearch {
    /// Most conditions of a slice; 1–3.
    pub depth: usize,
    /// Chance to name any slice when nothing happened, 0–1.
    pub false_alarm: f64,
    /// Least number of values in each period that a slice, and the rest, must rest on.
    pub least_count: f64,
    /// Least share of all values, 0–1.
    pub least_share: f64,
    /// Least difference worth a name, in the unit of the mean.
    pub least_effect: f64,
    /// How many times the variance is that of independent values (1 or more), where it is known from days; the scatter of
    /// the slices is judged besides.
    pub dispersion: f64,
    /// Most slices named.
    pub most: usize,
    /// Probability that an interval covers the effect, 0–1.
    pub level: f64,
}

impl Default for SliceSearch {
    fn default() -> Self {
        Self {
            depth: 3,
            false_alarm: 0.005,
            least_count: 30.0,
            least_share: 0.002,
            least_effect: 0.0,
            dispersion: 1.0,
            most: 10,
            level: 0.95,
        }
    }
}

/// A slice whose mean changed otherwise than that of the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Culprit {
    /// Dimension and value of each condition.
    pub slice: Vec<(String, String)>,
    /// How much more its mean rose than that of the rest, after the culprits named before it.
    pub effect: f64,
    /// Interval of the effect.
    pub interval: (f64, f64),
    /// p-value times the number of slices searched.
    pub adjusted_p_value: f64,
    /// The slice in both periods.
    pub periods: TwoPeriods,
    /// What it adds to the change of everything, as measured.
    pub split: Option<Split>,
}

/// Finds the slices whose mean changed otherwise than that of the rest, most important first; none when nothing happened.
/// What all slices share cancels out, and what moves by another mix of values in some dimension is taken off: cells are
/// compared with the main effects of all dimensions.
///
/// The search is exhaustive, as in R. Bhagwan et al., "Adtributor: Revenue Debugging in Advertising Systems", NSDI 2014,
/// is for one dimension; here over up to three, with the family of slices paid for (Bonferroni).
pub fn find_culprits(cube: &Cube<TwoPeriods>, options: &SliceSearch) -> Vec<Culprit> {
    let cube = &*cube.merged(|sum, cell| *sum = sum.plus(cell));
    let (mut grid, names) = cube.grid::<9>(Vec::new());
    let before = main_effects(&grid, cube.cells());
    let known = of_known_values(&grid, cube.cells(), options.least_count);
    let (mut apart, mut attempt) = (vec![false; cube.cells().len()], 1);
    loop {
        let shift = shared_shift(cube, &before, &apart);
        grid.sums = left_of_cells(cube.cells(), &before, shift, &known);
        let named = deviating(&grid, options);
        // What a culprit does is not shared: once the leading ones are known, what the others share is looked at without them.
        let is_leading = |codes: &[u32]| named.iter().take(attempt).any(|it| is_in(&it.conditions, codes));
        let leading: Vec<bool> = grid.rows().map(is_leading).collect();
        let settled = named.is_empty() || leading == apart || leading.iter().all(|it| *it);
        if settled || shift.is_none() || attempt == ATTEMPTS {
            return described(cube, &grid, &names, named, options.level);
        }
        (apart, attempt) = (leading, attempt + 1);
    }
}

/// How often the search is repeated with what the culprits found so far do taken out of what all share.
const ATTEMPTS: usize = 4;

/// The slices that deviate.
fn deviating(grid: &Grid<9>, options: &SliceSearch) -> Vec<Found> {
    let limits = Limits {
        depth: options.depth.max(1),
        false_alarm: options.false_alarm,
        most: options.most,
        least_effect: options.least_effect,
        least_of_largest: 0.0,
    };
    search(grid, Difference::of(&grid.sums, options), &limits)
}

fn is_in(conditions: &[(usize, u32)], codes: &[u32]) -> bool {
    conditions
        .iter()
        .all(|(dimension, code)| codes[*dimension] == *code)
}

fn described(
    cube: &Cube<TwoPeriods>,
    grid: &Grid<9>,
    names: &Names<'_>,
    named: Vec<Found>,
    level: f64,
) -> Vec<Culprit> {
    let periods_of = |conditions: &[(usize, u32)]| {
        let cells = grid.rows().zip(cube.cells());
        let inside = cells.filter(|(codes, _)| is_in(conditions, codes));
        inside.fold(TwoPeriods::default(), |sum, (_, cell)| sum.plus(cell))
    };
    let all = periods_of(&[]);
    let half = two_sided_quantile(1.0 - level);
    let culprit = |found: Found| {
        let periods = periods_of(&found.conditions);
        Culprit {
            slice: names.slice(&found.conditions),
            effect: found.effect,
            interval: (
                found.effect - half * found.error,
                found.effect + half * found.error,
            ),
            adjusted_p_value: found.adjusted_p_value,
            periods,
            split: split_change((periods.baseline, periods.current), (all.baseline, all.current)),
        }
    };
    named.into_iter().map(culprit).collect()
}
