use crate::normal::two_sided_quantile;
use crate::slices::cube::Cube;
use crate::slices::grid::Grid;
use crate::slices::noise::Noise;
use crate::slices::search::{Contrast, Limits, search};

/// A cell of a cube with what was expected of it: counts, or sums of anything that adds up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// What came.
    pub actual: f64,
    /// What should have come.
    pub expected: f64,
}

/// A cell of a cube of ratios: the sums that are divided.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MeasuredRatio {
    /// What came.
    pub actual: f64,
    /// What `actual` is divided by.
    pub actual_total: f64,
    /// What should have come.
    pub expected: f64,
    /// What `expected` is divided by.
    pub expected_total: f64,
}

/// A slice that deviates from what was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviatingSlice {
    /// Dimension and value of each condition.
    pub slice: Vec<(String, String)>,
    /// What came; for ratios the ratio.
    pub actual: f64,
    /// What should have come; for ratios the ratio.
    pub expected: f64,
    /// What its cells share, in which no slice named before it is: actual over expected, less 1.
    pub effect: f64,
    /// 95 % interval of the effect.
    pub interval: (f64, f64),
    /// p-value times the number of slices searched.
    pub adjusted_p_value: f64,
}

/// Finds the slices whose cells deviate from what was expected, most important first; none when nothing happened. No
/// variance is known: how far a cell of its size deviates by chance is seen from the cells, most of which did not change.
/// A deviation that everything shares is no finding.
///
/// All cells of a cause deviate by the same proportion, sums and ratios alike (the generalised ripple effect of Z. Li et
/// al., "Generic and Robust Localization of Multi-Dimensional Root Causes", ISSRE 2019, whose symmetric deviation score is
/// used here); slices are chosen by likelihood instead of by clusters of cells.
pub fn find_deviating_slices(cube: &Cube<Measured>) -> Vec<DeviatingSlice> {
    let total = |cells: &[&Measured]| {
        let sum = |value: fn(&Measured) -> f64| cells.iter().map(|cell| value(cell)).sum::<f64>();
        (sum(|cell| cell.actual), sum(|cell| cell.expected))
    };
    find(cube, cube.cells().to_vec(), total)
}

/// The same for ratios; each cell is compared with the ratio that was expected of it.
pub fn find_deviating_ratios(cube: &Cube<MeasuredRatio>) -> Vec<DeviatingSlice> {
    let cells = cube.cells().iter().map(|cell| {
        let ratio = if cell.expected_total == 0.0 {
            0.0
        } else {
            cell.expected / cell.expected_total
        };
        Measured {
            actual: cell.actual,
            expected: ratio * cell.actual_total,
        }
    });
    let ratio = |cells: &[&MeasuredRatio]| {
        let sum = |value: fn(&MeasuredRatio) -> f64| cells.iter().map(|cell| value(cell)).sum::<f64>();
        let divided = |part: f64, total: f64| if total == 0.0 { 0.0 } else { part / total };
        (
            divided(sum(|cell| cell.actual), sum(|cell| cell.actual_total)),
            divided(sum(|cell| cell.expected), sum(|cell| cell.expected_total)),
        )
    };
    find(cube, cells.collect(), ratio)
}

/// With more conditions than this only cubes of as many dimensions are searched.
const DEPTH: usize = 3;
/// Cubes of up to this many dimensions are searched down to single cells.
const FULL_DEPTH: usize = 6;
/// Chance to name any slice when nothing happened.
const FALSE_ALARM: f64 = 0.002;
/// Most slices named.
const MOST: usize = 20;
/// Least deviation worth a name.
const LEAST_EFFECT: f64 = 0.03;
/// Least share of the largest deviation worth a name beside it.
const LEAST_OF_LARGEST: f64 = 0.1;

fn find<V>(cube: &Cube<V>, cells: Vec<Measured>, total: impl Fn(&[&V]) -> (f64, f64)) -> Vec<DeviatingSlice> {
    let noise = Noise::of(&cells);
    let sums = cells.iter().map(|cell| noise.evidence(cell)).collect();
    let (grid, names) = cube.grid::<2>(sums);
    let dimensions = grid.cardinalities.len();
    let limits = Limits {
        depth: if dimensions <= FULL_DEPTH {
            dimensions
        } else {
            DEPTH
        },
        false_alarm: FALSE_ALARM,
        most: MOST,
        least_effect: LEAST_EFFECT,
        least_of_largest: LEAST_OF_LARGEST,
    };
    let heaviest = grid.sums.iter().map(|sums| sums[0]).fold(0.0, f64::max);
    let deviation = Deviation {
        least_weight: heaviest * 1e-6,
    };
    let half = two_sided_quantile(0.05);
    search(&grid, deviation, &limits)
        .into_iter()
        .map(|found| {
            let inside = |codes: &[u32]| found.conditions.iter().all(|(at, code)| codes[*at] == *code);
            let cells = grid.rows().zip(cube.cells()).filter(|(codes, _)| inside(codes));
            let (actual, expected) = total(&cells.map(|(_, cell)| cell).collect::<Vec<_>>());
            DeviatingSlice {
                slice: names.slice(&found.conditions),
                actual,
                expected,
                effect: relative(found.effect),
                interval: (
                    relative(found.effect - half * found.error),
                    relative(found.effect + half * found.error),
                ),
                adjusted_p_value: found.adjusted_p_value,
            }
        })
        .collect()
}

/// The change in proportion of a symmetric deviation. What came where nothing was expected is a thousand times more.
fn relative(deviation: f64) -> f64 {
    let deviation = deviation.clamp(-2.0, 1.996);
    2.0 * deviation / (2.0 - deviation)
}

/// How far the cells of a slice deviate: of sums of weights, and of weights times deviations.
struct Deviation {
    /// Slices of less weight are empty: rounding is all that is left of cells that were left out.
    least_weight: f64,
}

impl Contrast<2> for Deviation {
    fn estimate(&self, slice: &[f64; 2], _: &[f64; 2]) -> Option<(f64, f64)> {
        (slice[0] > self.least_weight).then(|| (slice[1] / slice[0], 1.0 / slice[0].sqrt()))
    }

    fn change(&self, cell: &[f64; 2], effect: f64) -> [f64; 2] {
        [0.0, effect * cell[0]]
    }

    fn leaves_out_named(&self) -> bool {
        true
    }

    fn scatters_as_stated(&self) -> bool {
        true
    }

    fn shared_effect(&self) -> bool {
        true
    }

    fn prominence(&self, _: &[f64; 2]) -> f64 {
        0.0
    }

    fn learn(&mut self, _: &Grid<2>, _: &[[f64; 2]]) {}
}
