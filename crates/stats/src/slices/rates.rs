use crate::normal::two_sided_quantile;
use crate::slices::cube::Cube;
use crate::slices::search::{Contrast, Limits, search};
use crate::slices::split::{Split, split_change};
use crate::welch::Moments;

/// A cell of a cube in two periods. For a proportion the sum of squares is the sum.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TwoPeriods {
    /// Before.
    pub baseline: Moments,
    /// Now.
    pub current: Moments,
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
            false_alarm: 0.01,
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
    let expected = main_effects(cube);
    let sums = cube
        .cells()
        .iter()
        .zip(&expected)
        .map(|(cell, mean)| sums(cell, *mean))
        .collect();
    let (grid, names) = cube.grid::<6>(sums);
    let contrast = Difference {
        least_count: options.least_count.max(1.0),
        least: options.least_share * grid.sums.iter().map(|sums| sums[0] + sums[3]).sum::<f64>(),
        dispersion: options.dispersion.max(1.0),
        pooled: pooled_variance(&grid.sums),
    };
    let limits = Limits {
        depth: options.depth.max(1),
        false_alarm: options.false_alarm,
        most: options.most,
        least_effect: options.least_effect,
    };
    let found = search(&grid, &contrast, &limits);

    let periods_of = |conditions: &[(usize, u32)]| {
        let inside = |codes: &[u32]| {
            conditions
                .iter()
                .all(|(dimension, code)| codes[*dimension] == *code)
        };
        let cells = grid.rows().zip(cube.cells()).filter(|(codes, _)| inside(codes));
        cells.fold(TwoPeriods::default(), |sum, (_, cell)| TwoPeriods {
            baseline: sum.baseline.plus(&cell.baseline),
            current: sum.current.plus(&cell.current),
        })
    };
    let all = periods_of(&[]);
    let half = two_sided_quantile(1.0 - options.level);
    found
        .into_iter()
        .map(|found| {
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
        })
        .collect()
}

/// Count, sum and sum of squares of what is left of the values beyond `mean`, in both periods.
fn sums(cell: &TwoPeriods, mean: f64) -> [f64; 6] {
    let left = |period: &Moments| {
        let sum = period.sum - period.count * mean;
        let squares = period.sum_of_squares - 2.0 * mean * period.sum + period.count * mean * mean;
        [period.count, sum, squares.max(0.0)]
    };
    let ([a, b, c], [d, e, f]) = (left(&cell.baseline), left(&cell.current));
    [a, b, c, d, e, f]
}

/// The mean of each cell by the main effects of its values over both periods, fitted by least squares in rounds
/// (A. Buja, T. Hastie and R. Tibshirani, "Linear Smoothers and Additive Models", Ann. Stat. 17 (1989)).
fn main_effects(cube: &Cube<TwoPeriods>) -> Vec<f64> {
    const ROUNDS: usize = 4;
    let cells: Vec<[f64; 2]> = cube
        .cells()
        .iter()
        .map(|cell| {
            [
                cell.baseline.count + cell.current.count,
                cell.baseline.sum + cell.current.sum,
            ]
        })
        .collect();
    let total = cells
        .iter()
        .fold([0.0; 2], |all, cell| [all[0] + cell[0], all[1] + cell[1]]);
    let mut means = vec![if total[0] > 0.0 { total[1] / total[0] } else { 0.0 }; cells.len()];
    let (grid, _) = cube.grid::<2>(cells);
    for _ in 0..ROUNDS {
        for (dimension, cardinality) in grid.cardinalities.iter().enumerate() {
            let mut left = vec![[0.0; 2]; *cardinality];
            for ((codes, [count, sum]), mean) in grid.rows().zip(&grid.sums).zip(&means) {
                let value = &mut left[codes[dimension] as usize];
                value[0] += count;
                value[1] += sum - count * mean;
            }
            let shifts: Vec<f64> = left
                .iter()
                .map(|[count, sum]| if *count > 0.0 { sum / count } else { 0.0 })
                .collect();
            for (codes, mean) in grid.rows().zip(&mut means) {
                *mean += shifts[codes[dimension] as usize];
            }
        }
    }
    means
}

fn pooled_variance(cells: &[[f64; 6]]) -> f64 {
    let (count, squares) = cells.iter().fold((0.0, 0.0), |(count, squares), sums| {
        (count + sums[0] + sums[3], squares + sums[2] + sums[5])
    });
    if count > 0.0 { squares / count } else { 0.0 }
}

/// How much more the mean of a slice rose than that of the rest.
struct Difference {
    least_count: f64,
    least: f64,
    dispersion: f64,
    pooled: f64,
}

/// The variance within a slice counts as much as this many values of the pooled variance.
const PRIOR_COUNT: f64 = 10.0;

impl Difference {
    /// Rise of the mean, and the variance of that.
    fn rise(&self, [n_0, sum_0, squares_0, n_1, sum_1, squares_1]: &[f64; 6]) -> (f64, f64) {
        let within = (squares_0 - sum_0 * sum_0 / n_0).max(0.0) + (squares_1 - sum_1 * sum_1 / n_1).max(0.0);
        let variance = (within + PRIOR_COUNT * self.pooled) / (n_0 + n_1 + PRIOR_COUNT);
        (sum_1 / n_1 - sum_0 / n_0, variance * (1.0 / n_0 + 1.0 / n_1))
    }
}

impl Contrast<6> for Difference {
    fn estimate(&self, slice: &[f64; 6], total: &[f64; 6]) -> Option<(f64, f64)> {
        let rest = std::array::from_fn(|at| total[at] - slice[at]);
        let enough = |side: &[f64; 6]| {
            side[0] >= self.least_count && side[3] >= self.least_count && side[0] + side[3] >= self.least
        };
        if !(enough(slice) && enough(&rest)) {
            return None;
        }
        let (inside, outside) = (self.rise(slice), self.rise(&rest));
        let variance = (inside.1 + outside.1) * self.dispersion;
        (variance > 0.0).then(|| (inside.0 - outside.0, variance.sqrt()))
    }

    fn change(&self, cell: &[f64; 6], effect: f64) -> [f64; 6] {
        [0.0, 0.0, 0.0, 0.0, effect * cell[3], 0.0]
    }

    fn shared_effect(&self) -> bool {
        false
    }

    fn prominence(&self, slice: &[f64; 6]) -> f64 {
        self.rise(slice).0.abs()
    }
}
