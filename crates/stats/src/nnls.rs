/// Weights of 0 or more with which the columns come nearest to the values, in squares. Columns and values must be finite
/// and of one length; a column that the others already tell gets 0.
///
/// C. L. Lawson and R. J. Hanson, "Solving Least Squares Problems", Prentice-Hall (1974), chapter 23.
pub fn nonnegative_least_squares(columns: &[Vec<f64>], values: &[f64]) -> Vec<f64> {
    let n = columns.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let products: Vec<Vec<f64>> = columns
        .iter()
        .map(|a| columns.iter().map(|b| dot(a, b)).collect())
        .collect();
    let moments: Vec<f64> = columns.iter().map(|column| dot(column, values)).collect();
    let size = dot(values, values).sqrt();
    let mut weights = vec![0.0; n];
    let mut used: Vec<usize> = Vec::new();
    let mut refused = vec![false; n];
    // Rounding must not turn it in circles.
    for _ in 0..30 * (n + 1) {
        let gradient = |at: usize| moments[at] - dot(&products[at], &weights);
        // In units of the column and the values: rounding is no gain.
        let gain = |at: usize| gradient(at) / (products[at][at].sqrt() * size);
        let next = (0..n)
            .filter(|at| !used.contains(at) && !refused[*at] && gain(*at) > 1e-10)
            .max_by(|a, b| gain(*a).total_cmp(&gain(*b)));
        let Some(next) = next else { break };
        used.push(next);
        loop {
            let Some(free) = solve(&products, &moments, &used) else {
                used.retain(|at| *at != next);
                refused[next] = true;
                break;
            };
            if free.iter().all(|weight| *weight > 0.0) {
                weights.fill(0.0);
                for (at, weight) in used.iter().zip(free) {
                    weights[*at] = weight;
                }
                // What was a copy of the others then may be of use now.
                refused.fill(false);
                break;
            }
            if !step_towards(&mut weights, &mut used, &free, next) {
                refused[next] = true;
                break;
            }
        }
    }
    weights
}

/// As far towards the free weights as none gets below 0; those that got there are out. False where the new one is.
fn step_towards(weights: &mut [f64], used: &mut Vec<usize>, free: &[f64], next: usize) -> bool {
    let share = used
        .iter()
        .zip(free)
        .filter(|(_, free)| **free <= 0.0)
        .map(|(at, free)| weights[*at] / (weights[*at] - free))
        .fold(1.0, f64::min);
    for (at, free) in used.iter().zip(free) {
        weights[*at] += share * (free - weights[*at]);
        if *free <= 0.0 && weights[*at] <= 1e-15 {
            weights[*at] = 0.0;
        }
    }
    used.retain(|at| weights[*at] > 0.0);
    used.contains(&next)
}

/// Least squares of the used columns alone.
fn solve(products: &[Vec<f64>], moments: &[f64], used: &[usize]) -> Option<Vec<f64>> {
    let chosen: Vec<Vec<f64>> = used
        .iter()
        .map(|row| used.iter().map(|column| products[*row][*column]).collect())
        .collect();
    let inverse = crate::cholesky::inverse(&crate::cholesky::cholesky(&chosen, used.len())?);
    let row = |row: &Vec<f64>| row.iter().zip(used).map(|(a, at)| a * moments[*at]).sum();
    Some(inverse.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    #[test]
    fn a_mixture_of_columns_is_found_again_and_a_negative_one_is_left_out() {
        let columns: Vec<Vec<f64>> = (0..4).map(|seed| ar1(seed, 60, 0.3)).collect();
        let mixed: Vec<f64> = (0..60)
            .map(|t| 0.5 * columns[0][t] + 2.0 * columns[2][t])
            .collect();
        let weights = nonnegative_least_squares(&columns, &mixed);
        for (found, planted) in weights.iter().zip([0.5, 0.0, 2.0, 0.0]) {
            assert!((found - planted).abs() < 1e-9, "{weights:?}");
        }
        let turned: Vec<f64> = columns[1].iter().map(|value| -value).collect();
        assert_eq!(nonnegative_least_squares(&columns[1..2], &turned), [0.0]);
        let twice = vec![columns[0].clone(), columns[0].clone()];
        let sum: f64 = nonnegative_least_squares(&twice, &columns[0]).iter().sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    proptest! {
        /// The conditions of Karush, Kuhn and Tucker: no weight can be made better.
        #[test]
        fn no_weight_can_be_made_better(seed in 0..1000_u64, n in 1..8_usize) {
            let columns: Vec<Vec<f64>> = (0..n as u64).map(|at| ar1(seed * 10 + at, 30, 0.5)).collect();
            let values = ar1(seed * 10 + 9, 30, 0.5);
            let weights = nonnegative_least_squares(&columns, &values);
            for (at, column) in columns.iter().enumerate() {
                let left = (0..30).map(|t| {
                    let told: f64 = columns.iter().zip(&weights).map(|(column, weight)| column[t] * weight).sum();
                    column[t] * (values[t] - told)
                });
                let gradient: f64 = left.sum();
                prop_assert!(weights[at] >= 0.0);
                prop_assert!(gradient < 1e-8 && (weights[at] == 0.0 || gradient.abs() < 1e-8));
            }
        }
    }
}
