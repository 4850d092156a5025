use crate::slices::grid::Grid;
use crate::slices::rates::SliceSearch;
use crate::slices::rates::between_cells::variance_between_cells;
use crate::slices::rates::sums::{Period, Sums};
use crate::slices::search::Contrast;

/// How much more the mean of a slice rose than what all share. What that is, the rest tells: as much as it moves with it.
pub(super) struct Difference {
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
    /// Of these cells.
    pub(super) fn of(cells: &[Sums], options: &SliceSearch) -> Self {
        let mut all = [0.0; 2];
        for sums in cells {
            let (before, now) = Period::both(sums);
            all[0] += before.count + now.count;
            all[1] += before.squares + now.squares;
        }
        let [count, squares] = all;
        Self {
            least_count: options.least_count.max(1.0),
            least: options.least_share * count,
            dispersion: options.dispersion.max(1.0),
            pooled: if count > 0.0 { squares / count } else { 0.0 },
            between_cells: 0.0,
        }
    }

    /// Rise of the mean, and the variance of that.
    fn rise(&self, sums: &Sums) -> (f64, f64) {
        let (before, now) = Period::both(sums);
        // Around the mean of both periods: a variance around each one's own is small just where chance made a difference.
        let (sum, count) = (before.left + now.left, before.count + now.count);
        let within = (before.squares + now.squares - sum * sum / count).max(0.0);
        let variance = (within + PRIOR_COUNT * self.pooled) / (count + PRIOR_COUNT);
        // What few cells add up to is uncertain by more than their mean square tells.
        let part = |period: &Period| {
            let part = period.cells / (period.count * period.count);
            part * (1.0 + FEW_CELLS * part)
        };
        let between = self.between_cells * (part(&before) + part(&now));
        (
            now.mean() - before.mean(),
            variance * (1.0 / before.count + 1.0 / now.count) + between,
        )
    }
}

/// By how much the mean of a slice rises with what all share.
fn slope(sums: &Sums) -> f64 {
    sums[8] / sums[4]
}

impl Contrast<9> for Difference {
    fn estimate(&self, slice: &Sums, total: &Sums) -> Option<(f64, f64)> {
        let rest = std::array::from_fn(|at| total[at] - slice[at]);
        let enough = |side: &Sums| {
            let (before, now) = Period::both(side);
            let least = before.count.min(now.count);
            least >= self.least_count && before.count + now.count >= self.least
        };
        if !(enough(slice) && enough(&rest)) {
            return None;
        }
        let (inside, outside) = (self.rise(slice), self.rise(&rest));
        let shared = slope(slice) / slope(&rest);
        let variance = (inside.1 + shared * shared * outside.1) * self.dispersion;
        (variance > 0.0).then(|| (inside.0 - shared * outside.0, variance.sqrt()))
    }

    fn change(&self, cell: &Sums, effect: f64) -> Sums {
        [0.0, 0.0, 0.0, 0.0, 0.0, effect * cell[4], 0.0, 0.0, 0.0]
    }

    fn learn(&mut self, grid: &Grid<9>, left: &[Sums]) {
        self.between_cells = variance_between_cells(grid, left, self.pooled);
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
    use super::*;
    use crate::slices::rates::TwoPeriods;
    use crate::slices::rates::sums::left_of_cells;
    use crate::welch::Moments;

    /// A slice and the rest, whose log-odds rise by 0.05 and some more, when a shift is expected.
    fn effect(more: f64, expected: f64) -> (f64, f64) {
        let odds = [0.3_f64, 3.0];
        let share = |odds: f64| 1.0 / (1.0 + (-odds).exp());
        let of = |share: f64| Moments {
            count: 10_000.0,
            sum: 10_000.0 * share,
            sum_of_squares: 10_000.0 * share,
        };
        let cell = |odds: f64, rise: f64| TwoPeriods {
            baseline: of(share(odds)),
            current: of(share(odds + 0.05) + rise),
        };
        let cells = [cell(odds[0], more), cell(odds[1], 0.0)];
        let sums = left_of_cells(&cells, &odds.map(share), Some(expected), &[true; 2]);
        let total = std::array::from_fn(|at| sums[0][at] + sums[1][at]);
        let difference = Difference::of(&sums, &SliceSearch::default());
        difference.estimate(&sums[0], &total).unwrap()
    }

    #[test]
    fn what_all_log_odds_share_is_no_difference_even_where_it_was_expected_otherwise() {
        for expected in [0.0, 0.05, 0.1] {
            assert!(effect(0.0, expected).0.abs() < 1e-3, "{expected}");
            assert!((effect(0.1, expected).0 - 0.1).abs() < 1e-3, "{expected}");
        }
        // What is not known of the shared shift counts by as much as the slice moves with it.
        let alone = (0.245_f64 / 5_000.0).sqrt();
        assert!(effect(0.0, 0.05).1 > 2.0 * alone);
    }
}
