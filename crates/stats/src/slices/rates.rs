use crate::normal::two_sided_quantile;
use crate::slices::bulk::variance_beyond;
use crate::slices::cube::{Cube, Names};
use crate::slices::grid::Grid;
use crate::slices::search::{Contrast, Found, Limits, search};
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
    let (mut grid, names) = cube.grid::<8>(Vec::new());
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

/// What is left of the cells beyond the main effects and the shift that all share; nothing of those that are not `known`.
fn left_of_cells(cells: &[TwoPeriods], before: &[f64], shift: Option<f64>, known: &[bool]) -> Vec<Sums> {
    let cells = cells.iter().zip(before).zip(known);
    cells
        .map(|((cell, mean), known)| match (known, shift) {
            (false, _) => [0.0; 8],
            (true, None) => sums(cell, *mean, *mean),
            (true, Some(shift)) => sums(cell, *mean, moved(*mean, shift)),
        })
        .collect()
}

/// The slices that deviate.
fn deviating(grid: &Grid<8>, options: &SliceSearch) -> Vec<Found> {
    let pooled = pooled_variance(&grid.sums);
    let contrast = Difference {
        least_count: options.least_count.max(1.0),
        least: options.least_share * grid.sums.iter().map(|sums| sums[0] + sums[4]).sum::<f64>(),
        dispersion: options.dispersion.max(1.0),
        pooled,
        between_cells: variance_between_cells(grid, pooled),
    };
    let limits = Limits {
        depth: options.depth.max(1),
        false_alarm: options.false_alarm,
        most: options.most,
        least_effect: options.least_effect,
        least_of_largest: 0.0,
    };
    search(grid, &contrast, &limits)
}

fn is_in(conditions: &[(usize, u32)], codes: &[u32]) -> bool {
    conditions
        .iter()
        .all(|(dimension, code)| codes[*dimension] == *code)
}

fn described(
    cube: &Cube<TwoPeriods>,
    grid: &Grid<8>,
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

/// Count, sum and sum of squares of what is left of the values beyond what is expected, and the square of the count, in both
/// periods.
type Sums = [f64; 8];

fn sums(cell: &TwoPeriods, before: f64, now: f64) -> Sums {
    let left = |period: &Moments, mean: f64| {
        let sum = period.sum - period.count * mean;
        let squares = period.sum_of_squares - 2.0 * mean * period.sum + period.count * mean * mean;
        [period.count, sum, squares.max(0.0), period.count * period.count]
    };
    let ([a, b, c, d], [e, f, g, h]) = (left(&cell.baseline, before), left(&cell.current, now));
    [a, b, c, d, e, f, g, h]
}

/// The change of log-odds that all proportions share, as seen in the cells that are not `apart`; such a change moves a
/// proportion near a half further than one near the ends. `None` for other means: there a shared change is a shared
/// difference, and that cancels out of the comparison with the rest.
fn shared_shift(cube: &Cube<TwoPeriods>, before: &[f64], apart: &[bool]) -> Option<f64> {
    let whole = |period: &Moments| {
        period.sum >= 0.0 && period.sum <= period.count && period.sum_of_squares == period.sum
    };
    let mut cells = cube.cells().iter();
    if !cells.all(|cell| whole(&cell.baseline) && whole(&cell.current)) {
        return None;
    }
    let cells = cube.cells().iter().zip(before).zip(apart);
    let known: Vec<Known> = cells
        .filter(|((cell, _), apart)| !**apart && cell.baseline.count > 0.0 && cell.current.count > 0.0)
        .map(|((cell, mean), _)| Known::of(cell, *mean))
        .collect();
    Some(root(-10.0, 10.0, |shift| {
        known.iter().fold((0.0, 0.0), |(left, slope), cell| {
            let (of_cell, its_slope) = cell.left(shift);
            (left + of_cell, slope + its_slope)
        })
    }))
}

/// What a cell tells of what is shared: as much as it was known before.
struct Known {
    /// Log-odds before.
    odds: f64,
    /// Weight of what its proportion moves by.
    weight: f64,
    /// The weighted sum now, less what does not move with the shift.
    sum: f64,
}

impl Known {
    fn of(TwoPeriods { baseline, current }: &TwoPeriods, mean: f64) -> Self {
        let within = mean.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
        let known = baseline.count / (baseline.count + current.count);
        Self {
            odds: log_odds(within),
            weight: known * current.count,
            sum: known * (current.sum - current.count * (mean - within)),
        }
    }

    /// What a shift leaves of the sum, and by how much it falls with the shift.
    fn left(&self, shift: f64) -> (f64, f64) {
        let moved = 1.0 / (1.0 + (-self.odds - shift).exp());
        (
            self.sum - self.weight * moved,
            self.weight * moved * (1.0 - moved),
        )
    }
}

/// Where a falling function, given with by how much it falls, is 0, or the end that is nearer to it: by Newton's steps, and by
/// halves where they lead out of what is known to hold it (W. H. Press et al., "Numerical Recipes", 3rd ed. (2007), section 9.4).
fn root(mut low: f64, mut high: f64, falling: impl Fn(f64) -> (f64, f64)) -> f64 {
    const ROUNDS: usize = 60;
    // Steps are smaller than what rounding leaves of a sum over a million cells only below this
    const NEAR: f64 = 1e-10;
    let mut at = f64::midpoint(low, high);
    for _ in 0..ROUNDS {
        let (value, slope) = falling(at);
        if value > 0.0 {
            low = at;
        } else {
            high = at;
        }
        let step = value / slope;
        let next = if step.is_finite() && (low..=high).contains(&(at + step)) {
            at + step
        } else {
            f64::midpoint(low, high)
        };
        if (next - at).abs() < NEAR {
            return next;
        }
        at = next;
    }
    at
}

fn log_odds(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

/// A proportion after a shift of its log-odds.
fn moved(mean: f64, shift: f64) -> f64 {
    let within = mean.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
    let odds = log_odds(within) + shift;
    mean + 1.0 / (1.0 + (-odds).exp()) - within
}

/// Shares are taken to be this far from 0 and 1 where their log-odds are needed.
const LEAST_SHARE: f64 = 0.005;

/// The mean of each cell by the main effects of its values before, fitted by least squares in rounds (A. Buja, T. Hastie and
/// R. Tibshirani, "Linear Smoothers and Additive Models", Ann. Stat. 17 (1989)).
fn main_effects(grid: &Grid<8>, cells: &[TwoPeriods]) -> Vec<f64> {
    const ROUNDS: usize = 4;
    let total = cells.iter().fold([0.0; 2], |[count, sum], cell| {
        [count + cell.baseline.count, sum + cell.baseline.sum]
    });
    let mut means = vec![if total[0] > 0.0 { total[1] / total[0] } else { 0.0 }; cells.len()];
    // The shifts of a dimension are added while what is left of the next one is summed
    let mut last: Option<(usize, Vec<f64>)> = None;
    for _ in 0..ROUNDS {
        for (dimension, cardinality) in grid.cardinalities.iter().enumerate() {
            let mut left = vec![[0.0; 2]; *cardinality];
            for ((codes, TwoPeriods { baseline, .. }), mean) in grid.rows().zip(cells).zip(&mut means) {
                if let Some((other, shifts)) = &last {
                    *mean += shifts[codes[*other] as usize];
                }
                let value = &mut left[codes[dimension] as usize];
                value[0] += baseline.count;
                value[1] += baseline.sum - baseline.count * *mean;
            }
            let shifts = left.iter();
            let shifts = shifts.map(|[count, sum]| if *count > 0.0 { sum / count } else { 0.0 });
            last = Some((dimension, shifts.collect()));
        }
    }
    if let Some((dimension, shifts)) = last {
        for (codes, mean) in grid.rows().zip(&mut means) {
            *mean += shifts[codes[dimension] as usize];
        }
    }
    means
}

/// The cells all of whose values were there in both periods. A value that hardly was there in one has no mean to compare: what
/// its share does to the whole is mix. Its cells say nothing of a change, and would only disturb what others are compared with.
fn of_known_values(grid: &Grid<8>, cells: &[TwoPeriods], least_count: f64) -> Vec<bool> {
    const LEAST_OF_OTHER_SHARE: f64 = 0.05;
    let mut counts: Vec<Vec<[f64; 2]>> = (grid.cardinalities.iter())
        .map(|cardinality| vec![[0.0; 2]; *cardinality])
        .collect();
    let mut total = [0.0; 2];
    for (codes, cell) in grid.rows().zip(cells) {
        let of_cell = [cell.baseline.count, cell.current.count];
        for (code, values) in codes.iter().zip(&mut counts) {
            let value = &mut values[*code as usize];
            *value = [value[0] + of_cell[0], value[1] + of_cell[1]];
        }
        total = [total[0] + of_cell[0], total[1] + of_cell[1]];
    }
    let known = |[before, now]: &[f64; 2]| {
        let (share_before, share_now) = (before / total[0], now / total[1]);
        let enough = before.min(*now) >= least_count;
        enough && share_before.min(share_now) >= LEAST_OF_OTHER_SHARE * share_before.max(share_now)
    };
    let known: Vec<Vec<bool>> = (counts.iter())
        .map(|values| values.iter().map(known).collect())
        .collect();
    let are_known = |codes: &[u32]| {
        codes
            .iter()
            .zip(&known)
            .all(|(code, known)| known[*code as usize])
    };
    grid.rows().map(are_known).collect()
}

fn pooled_variance(cells: &[Sums]) -> f64 {
    let (count, squares) = cells.iter().fold((0.0, 0.0), |(count, squares), sums| {
        (count + sums[0] + sums[4], squares + sums[2] + sums[6])
    });
    if count > 0.0 { squares / count } else { 0.0 }
}

/// How much the mean of a cell varies from period to period beyond what its values explain and what moved with one of them,
/// by moments; cells weigh by how well they tell (R. C. Paule and J. Mandel, "Consensus Values and Weighting Factors", J.
/// Res. Natl. Bur. Stand. 87 (1982)). Its error is added, as too little names too many; 0 unless it exceeds that. Never
/// more than the bulk of the larger cells vary: what a culprit does to its cells is no such variation.
fn variance_between_cells(grid: &Grid<8>, pooled: f64) -> f64 {
    const ROUNDS: usize = 4;
    let rises = rises_beyond_values(grid, pooled);
    let (mut between, mut error) = (0.0_f64, 0.0);
    for _ in 0..ROUNDS {
        let weights = rises.iter().map(|(_, variance)| 1.0 / (variance + 2.0 * between));
        let (weight, sum) = weights
            .clone()
            .zip(&rises)
            .fold((0.0, 0.0), |(all, sum), (weight, (rise, _))| {
                (all + weight, sum + weight * rise)
            });
        let shared = sum / weight;
        let (squares, excess) =
            weights
                .zip(&rises)
                .fold((0.0, 0.0), |(all, sum), (weight, (rise, variance))| {
                    let weight = weight * weight;
                    (all + weight, sum + weight * ((rise - shared).powi(2) - variance))
                });
        if squares <= 0.0 {
            return 0.0;
        }
        between = (excess / squares / 2.0).max(0.0);
        error = (1.0 / (2.0 * squares)).sqrt();
    }
    if between <= error {
        return 0.0;
    }
    let large: Vec<(f64, f64)> = rises
        .into_iter()
        .filter(|(_, variance)| *variance <= 2.0 * pooled / LARGE_CELL)
        .collect();
    // Half of it in each period.
    let bulk = variance_beyond(&large, FEWEST_CELLS).map_or(f64::INFINITY, |both| both / 2.0);
    (between + error).min(bulk)
}

/// How much the mean of each cell rose beyond what moved with one of its values, and the variance of that; as wide as if no
/// effects of values had been fitted. Those are medians (J. W. Tukey, "Exploratory Data Analysis" (1977), ch. 11), so that a
/// culprit of a few cells stays in these. Empty where there are too few cells to fit them: they do not show how they vary,
/// and a culprit would be taken for their variation. Of many cells every so-manieth is looked at.
fn rises_beyond_values(grid: &Grid<8>, pooled: f64) -> Vec<(f64, f64)> {
    const ROUNDS: usize = 3;
    let known = |sums: &Sums| sums[0] > 0.0 && sums[4] > 0.0 && pooled > 0.0;
    let cells: Vec<_> = grid
        .rows()
        .zip(&grid.sums)
        .filter(|(_, sums)| known(sums))
        .collect();
    let step = cells.len().div_ceil(MOST_CELLS).max(1);
    let cells: Vec<(&[u32], &Sums)> = cells.into_iter().step_by(step).collect();
    let rise = |sums: &Sums| sums[5] / sums[4] - sums[1] / sums[0];
    let mut left: Vec<f64> = cells.iter().map(|(_, sums)| rise(sums)).collect();
    let mut fitted = 1;
    for round in 0..ROUNDS {
        for (dimension, cardinality) in grid.cardinalities.iter().enumerate() {
            let mut of_value: Vec<Vec<f64>> = vec![Vec::new(); *cardinality];
            for ((codes, _), left) in cells.iter().zip(&left) {
                of_value[codes[dimension] as usize].push(*left);
            }
            let values = of_value.iter().filter(|it| !it.is_empty()).count();
            fitted += if round == 0 { values.saturating_sub(1) } else { 0 };
            let moved: Vec<f64> = of_value.iter_mut().map(|it| median(it)).collect();
            for ((codes, _), left) in cells.iter().zip(&mut left) {
                *left -= moved[codes[dimension] as usize];
            }
        }
    }
    let free = cells.len().saturating_sub(fitted);
    if cells.len() < FEWEST_CELLS || free < 2 {
        return Vec::new();
    }
    let widened = (cells.len() as f64 / free as f64).sqrt();
    let variance = |sums: &Sums| pooled * (1.0 / sums[0] + 1.0 / sums[4]);
    let rises = cells.iter().zip(left);
    rises
        .map(|((_, sums), left)| (left * widened, variance(sums)))
        .collect()
}

/// 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// More cells say hardly more of how they vary.
const MOST_CELLS: usize = 4_000;
/// Fewer cells do not show how they vary.
const FEWEST_CELLS: usize = 5;
/// A cell of this many values in each period is large.
const LARGE_CELL: f64 = 10.0;

/// How much more the mean of a slice rose than that of the rest.
struct Difference {
    least_count: f64,
    least: f64,
    dispersion: f64,
    pooled: f64,
    between_cells: f64,
}

/// The variance within a slice counts as much as this many values of the pooled variance.
const PRIOR_COUNT: f64 = 30.0;

/// Weight of the inverse of the number of cells in the variance between them.
const FEW_CELLS: f64 = 3.0;

impl Difference {
    /// Rise of the mean, and the variance of that.
    fn rise(&self, [n_0, sum_0, squares_0, cells_0, n_1, sum_1, squares_1, cells_1]: &Sums) -> (f64, f64) {
        // Around the mean of both periods: a variance around each one's own is small just where chance made a difference.
        let sum = sum_0 + sum_1;
        let within = (squares_0 + squares_1 - sum * sum / (n_0 + n_1)).max(0.0);
        let variance = (within + PRIOR_COUNT * self.pooled) / (n_0 + n_1 + PRIOR_COUNT);
        // What few cells add up to is uncertain by more than their mean square tells.
        let part = |cells: f64, n: f64| cells / (n * n) * (1.0 + FEW_CELLS * cells / (n * n));
        let between = self.between_cells * (part(*cells_0, *n_0) + part(*cells_1, *n_1));
        (
            sum_1 / n_1 - sum_0 / n_0,
            variance * (1.0 / n_0 + 1.0 / n_1) + between,
        )
    }
}

impl Contrast<8> for Difference {
    fn estimate(&self, slice: &Sums, total: &Sums) -> Option<(f64, f64)> {
        let rest = std::array::from_fn(|at| total[at] - slice[at]);
        let enough = |side: &Sums| {
            side[0] >= self.least_count && side[4] >= self.least_count && side[0] + side[4] >= self.least
        };
        if !(enough(slice) && enough(&rest)) {
            return None;
        }
        let (inside, outside) = (self.rise(slice), self.rise(&rest));
        let variance = (inside.1 + outside.1) * self.dispersion;
        (variance > 0.0).then(|| (inside.0 - outside.0, variance.sqrt()))
    }

    fn change(&self, cell: &Sums, effect: f64) -> Sums {
        [0.0, 0.0, 0.0, 0.0, 0.0, effect * cell[4], 0.0, 0.0]
    }

    fn leaves_out_named(&self) -> bool {
        false
    }

    fn scatters_as_stated(&self) -> bool {
        false
    }

    fn shared_effect(&self) -> bool {
        false
    }

    fn prominence(&self, slice: &Sums) -> f64 {
        self.rise(slice).0.abs()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn steps_find_the_root_that_halving_finds(cells in prop::collection::vec(
            (1_u32..50, 1_u32..50, 0.0..1.0_f64, 0.0..1.0_f64), 1..40,
        )) {
            let known: Vec<Known> = cells.iter().map(|(before, now, mean, share)| {
                let of = |count: u32, share: f64| {
                    let sum = (f64::from(count) * share).round();
                    Moments { count: count.into(), sum, sum_of_squares: sum }
                };
                Known::of(&TwoPeriods { baseline: of(*before, *mean), current: of(*now, *share) }, *mean)
            }).collect();
            let left = |shift| known.iter().map(|cell| cell.left(shift)).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
            let (mut low, mut high) = (-10.0, 10.0);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if left(middle).0 > 0.0 { low = middle } else { high = middle }
            }
            let found = root(-10.0, 10.0, left);
            prop_assert!((found - low).abs() < 1e-6, "{found} {low}");
        }
    }

    #[test]
    fn main_effects_are_those_of_values_where_cells_have_nothing_of_their_own() {
        let mut cube = Cube::new(["model", "region"]);
        let of = |count: f64, mean: f64| Moments {
            count,
            sum: count * mean,
            sum_of_squares: count,
        };
        let wanted = |model: usize, region: usize| 0.5 + 0.1 * model as f64 - 0.05 * region as f64;
        for at in 0..9 {
            let (model, region) = (at / 3, at % 3);
            let cell = TwoPeriods {
                baseline: of(10.0, wanted(model, region)),
                current: of(20.0, 0.1),
            };
            cube.add(&[format!("m{model}"), format!("r{region}")], cell)
                .unwrap();
        }
        let (grid, _) = cube.grid(Vec::new());
        for (at, mean) in main_effects(&grid, cube.cells()).into_iter().enumerate() {
            assert!((mean - wanted(at / 3, at % 3)).abs() < 1e-9, "{at} {mean}");
        }
    }
}
