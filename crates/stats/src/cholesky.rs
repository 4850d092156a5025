/// Below this share of what it was, a column is a sum of those before it.
const COLLINEAR: f64 = 1e-9;

/// Lower triangle L with L·Lᵀ the first `p` rows and columns. `None` where one is, but for rounding, a sum of those before.
pub(crate) fn cholesky(matrix: &[Vec<f64>], p: usize) -> Option<Vec<Vec<f64>>> {
    let mut lower = vec![vec![0.0; p]; p];
    for row in 0..p {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| lower[row][k] * lower[column][k]).sum();
            let left = matrix[row][column] - known;
            if row == column {
                if left.is_nan() || left <= COLLINEAR * matrix[row][row] {
                    return None;
                }
                lower[row][row] = left.sqrt();
            } else {
                lower[row][column] = left / lower[column][column];
            }
        }
    }
    Some(lower)
}

/// Inverse of L·Lᵀ.
pub(crate) fn inverse(lower: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let p = lower.len();
    let mut columns = vec![vec![0.0; p]; p];
    for (unit, column) in columns.iter_mut().enumerate() {
        for row in 0..p {
            let known: f64 = (0..row).map(|k| lower[row][k] * column[k]).sum();
            column[row] = (f64::from(u8::from(row == unit)) - known) / lower[row][row];
        }
        for row in (0..p).rev() {
            let known: f64 = (row + 1..p).map(|k| lower[k][row] * column[k]).sum();
            column[row] = (column[row] - known) / lower[row][row];
        }
    }
    columns
}
