use crate::slices::grid::Grid;
use crate::slices::rates::TwoPeriods;

/// The cells all of whose values were there in both periods. A value that hardly was there in one has no mean to compare: what
/// its share does to the whole is mix. Its cells say nothing of a change, and would only disturb what others are compared with.
pub(super) fn of_known_values(grid: &Grid<9>, cells: &[TwoPeriods], least_count: f64) -> Vec<bool> {
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
