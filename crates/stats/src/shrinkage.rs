/// A measured number of a portfolio, and what is left of it when the others are looked at too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrunk {
    /// The estimate drawn towards the mean of all.
    pub value: f64,
    /// Its standard error, that of the mean and of how far the truths lie apart included.
    pub error: f64,
    /// How much of the way to the mean it was drawn, 0..=1.
    pub share: f64,
}

/// With fewer numbers, how far the truths lie apart cannot be told.
const LEAST: usize = 4;

/// Draws measured numbers, each with its standard error (above 0), towards their mean: the more so the less sure each is and
/// the nearer all are to each other. The best of many measured effects is nearly always measured too high, and so counts for
/// less here. Numbers fewer than four stay as they are.
///
/// W. James and C. Stein, "Estimation with Quadratic Loss", Proc. 4th Berkeley Symp. (1961), positive part, for unequal
/// variances as in C. N. Morris, "Parametric Empirical Bayes Inference: Theory and Applications", J. Am. Statist. Ass. 78
/// (1983).
pub fn shrunk(measured: &[(f64, f64)]) -> Vec<Shrunk> {
    let count = measured.len() as f64;
    if measured.len() < LEAST {
        let as_it_is = |(value, error): &(f64, f64)| Shrunk {
            value: *value,
            error: *error,
            share: 0.0,
        };
        return measured.iter().map(as_it_is).collect();
    }
    let spread = spread(measured, None);
    let (mean, weights) = mean(measured, spread);
    let shrunk = |(value, error): &(f64, f64)| {
        let variance = error * error;
        // As many truths as there are made the estimate of their spread.
        let share = (count - 3.0) / (count - 1.0) * variance / (variance + spread);
        let away = value - mean;
        let of_mean = share * share / weights;
        let of_share = 2.0 / (count - 3.0) * share * share * away * away;
        let of_value = variance * (1.0 - share);
        Shrunk {
            value: mean + (1.0 - share) * away,
            error: (of_value + of_mean + of_share).sqrt(),
            share,
        }
    };
    measured.iter().map(shrunk).collect()
}

/// Mean weighted by how sure each is when the truths lie apart by this variance, and the sum of the weights.
pub(crate) fn mean(measured: &[(f64, f64)], spread: f64) -> (f64, f64) {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (value, error) in measured {
        let weight = 1.0 / (error * error + spread);
        sum += weight * value;
        weights += weight;
    }
    (sum / weights, weights)
}

/// Variance of the truths: the one at which the numbers scatter as much as they should about their mean, or about a
/// centre that is known; 0 when they scatter less.
///
/// R. C. Paule and J. Mandel, "Consensus Values and Weighting Factors", J. Res. Natl. Bur. Stand. 87 (1982).
pub(crate) fn spread(measured: &[(f64, f64)], centre: Option<f64>) -> f64 {
    let freedom = measured.len() as f64 - if centre.is_some() { 0.0 } else { 1.0 };
    let too_wide = |spread: f64| {
        let centre = centre.unwrap_or_else(|| mean(measured, spread).0);
        let square = |(value, error): &(f64, f64)| (value - centre).powi(2) / (error * error + spread);
        measured.iter().map(square).sum::<f64>() > freedom
    };
    if !too_wide(0.0) {
        return 0.0;
    }
    let values = measured.iter().map(|(value, _)| *value).chain(centre);
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let (mut below, mut above) = (0.0, (high - low).powi(2));
    while above - below > 1e-12 * above {
        let middle = f64::midpoint(below, above);
        if too_wide(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
    f64::midpoint(below, above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    #[test]
    fn the_best_of_many_is_no_longer_too_good() {
        let (mut raw, mut drawn, mut squares) = (0.0, 0.0, (0.0, 0.0));
        for seed in 0..300 {
            let (truths, noise) = (ar1(seed, 20, 0.0), ar1(seed + 1000, 20, 0.0));
            let measured: Vec<(f64, f64)> = truths
                .iter()
                .zip(&noise)
                .enumerate()
                .map(|(at, (truth, noise))| {
                    let error = 0.5 + at as f64 / 10.0;
                    (truth + error * noise, error)
                })
                .collect();
            let found = shrunk(&measured);
            let best = (0..20)
                .max_by(|a, b| measured[*a].0.total_cmp(&measured[*b].0))
                .unwrap();
            raw += (measured[best].0 - truths[best]) / 300.0;
            let best = (0..20)
                .max_by(|a, b| found[*a].value.total_cmp(&found[*b].value))
                .unwrap();
            drawn += (found[best].value - truths[best]) / 300.0;
            for at in 0..20 {
                squares.0 += (measured[at].0 - truths[at]).powi(2);
                squares.1 += (found[at].value - truths[at]).powi(2);
            }
        }
        assert!(raw > 1.5 && drawn.abs() < 0.4, "{raw} and {drawn}");
        assert!(squares.1 < 0.6 * squares.0, "{squares:?}");
    }

    #[test]
    fn numbers_that_say_the_same_become_nearly_one_and_few_stay_as_they_are() {
        let same = shrunk(&[(1.0, 1.0), (1.2, 1.0), (0.9, 1.0), (1.1, 1.0), (0.8, 1.0)]);
        assert!(same.iter().all(|it| it.share == 0.5));
        let far = shrunk(&[(0.0, 0.01), (10.0, 0.01), (20.0, 0.01), (-5.0, 0.01)]);
        assert!(far.iter().all(|it| it.share < 1e-4));
        let few = shrunk(&[(1.0, 1.0), (5.0, 2.0)]);
        assert_eq!((few[1].value, few[1].error, few[1].share), (5.0, 2.0, 0.0));
        assert!(shrunk(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn shift_scale_and_sign_go_through(
            values in prop::collection::vec((-10.0..10.0_f64, 0.1..5.0_f64), 4..20), shift in -5.0..5.0_f64, scale in 0.1..5.0_f64,
        ) {
            let plain = shrunk(&values);
            let moved: Vec<(f64, f64)> = values.iter().map(|(value, error)| (shift - scale * value, scale * error)).collect();
            for (plain, moved) in plain.iter().zip(shrunk(&moved)) {
                prop_assert!((shift - scale * plain.value - moved.value).abs() < 1e-6);
                prop_assert!((scale * plain.error - moved.error).abs() < 1e-6);
                prop_assert!((0.0..=1.0).contains(&plain.share));
            }
        }
    }
}
