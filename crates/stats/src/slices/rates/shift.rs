use crate::slices::cube::Cube;
use crate::slices::rates::TwoPeriods;
use crate::slices::rates::root::root;
use crate::welch::Moments;

/// The change of log-odds that all proportions share, as seen in the cells that are not `apart`; such a change moves a
/// proportion near a half further than one near the ends. `None` for other means: there a shared change is a shared
/// difference, and that cancels out of the comparison with the rest.
pub(super) fn shared_shift(cube: &Cube<TwoPeriods>, before: &[f64], apart: &[bool]) -> Option<f64> {
    if !are_proportions(cube.cells()) {
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

pub(super) fn are_proportions(cells: &[TwoPeriods]) -> bool {
    let whole = |period: &Moments| {
        period.sum >= 0.0 && period.sum <= period.count && period.sum_of_squares == period.sum
    };
    cells
        .iter()
        .all(|cell| whole(&cell.baseline) && whole(&cell.current))
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

pub(super) fn log_odds(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

/// A proportion after a shift of its log-odds.
pub(super) fn moved(mean: f64, shift: f64) -> f64 {
    let within = mean.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
    let odds = log_odds(within) + shift;
    mean + 1.0 / (1.0 + (-odds).exp()) - within
}

/// Shares are taken to be this far from 0 and 1 where their log-odds are needed.
pub(super) const LEAST_SHARE: f64 = 0.005;
