use crate::slices::rates::TwoPeriods;
use crate::slices::rates::shift::{LEAST_SHARE, moved};
use crate::welch::Moments;

/// What is left of the values of a cell or slice beyond what is expected: of the earlier period and then of the later one the
/// count, the sum, the sum of squares, and the square of a cell's count; and by how much the later sum would rise with
/// what all share.
pub(super) type Sums = [f64; 9];

/// One period of them.
pub(super) struct Period {
    pub(super) count: f64,
    pub(super) left: f64,
    pub(super) squares: f64,
    /// Squares of the counts of the cells.
    pub(super) cells: f64,
}

impl Period {
    /// Before, and now.
    pub(super) fn both([a, b, c, d, e, f, g, h, _]: &Sums) -> (Self, Self) {
        let of = |count: &f64, left: &f64, squares: &f64, cells: &f64| Self {
            count: *count,
            left: *left,
            squares: *squares,
            cells: *cells,
        };
        (of(a, b, c, d), of(e, f, g, h))
    }

    /// Mean of what is left.
    pub(super) fn mean(&self) -> f64 {
        self.left / self.count
    }
}

/// What is left of the cells beyond the main effects and the shift of log-odds that all share, if they are proportions; nothing of
/// those that are not `known`.
pub(super) fn left_of_cells(
    cells: &[TwoPeriods],
    before: &[f64],
    shift: Option<f64>,
    known: &[bool],
) -> Vec<Sums> {
    let cells = cells.iter().zip(before).zip(known);
    cells
        .map(|((cell, mean), known)| match (known, shift) {
            (false, _) => [0.0; 9],
            (true, None) => sums(cell, [*mean; 2], 1.0),
            (true, Some(shift)) => {
                let now = moved(*mean, shift);
                let within = now.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
                sums(cell, [*mean, now], within * (1.0 - within))
            }
        })
        .collect()
}

/// With the expected mean of each period, and by how much that of the later one rises with what all share.
fn sums(cell: &TwoPeriods, [before, now]: [f64; 2], slope: f64) -> Sums {
    let left = |period: &Moments, mean: f64| {
        let sum = period.sum - period.count * mean;
        let squares = period.sum_of_squares - 2.0 * mean * period.sum + period.count * mean * mean;
        [period.count, sum, squares.max(0.0), period.count * period.count]
    };
    let ([a, b, c, d], [e, f, g, h]) = (left(&cell.baseline, before), left(&cell.current, now));
    [a, b, c, d, e, f, g, h, slope * cell.current.count]
}
