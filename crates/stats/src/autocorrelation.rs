use statrs::distribution::{ContinuousCDF, Normal};

/// The most that neighbours are taken to be alike: above, a finite series says nothing about its mean.
pub(crate) const MOST: f64 = 0.98;

/// How the neighbours of a series without trend are alike: the coefficient φ of an autoregression of order one, in
/// 0..=0.98. NaN is missing; only pairs of neighbours that are both there count.
///
/// Taken on normal scores of the ranks, so that single outliers do not hide it, and corrected for its bias in short series:
/// taking `fitted` parameters (1 a mean, 2 a line) out of the data makes neighbours look less alike than they are. Below 0
/// it is 0: series that seem to swing are not trusted more than independent values.
///
/// F. H. C. Marriott and J. A. Pope, "Bias in the Estimation of Autocorrelations", Biometrika 41 (1954).
pub fn autocorrelation(residuals: &[f64], fitted: usize) -> f64 {
    let (n, raw) = raw(residuals);
    corrected(raw, n, fitted)
}

/// The expected value of the raw coefficient is φ - (p + (p + 2)·φ)/n or so for p = 1, and φ - (2 + 4·φ)/n for p = 2.
pub(crate) fn corrected(raw: f64, n: usize, fitted: usize) -> f64 {
    let (n, p) = (n as f64, fitted as f64);
    let slope = if fitted <= 1 { 3.0 * p } else { 2.0 * p };
    if n <= slope + 2.0 {
        return MOST;
    }
    ((n * raw + p) / (n - slope)).clamp(0.0, MOST)
}

/// Values that are there, and the correlation of neighbours' normal scores.
pub(crate) fn raw(residuals: &[f64]) -> (usize, f64) {
    let scores = normal_scores(residuals);
    let n = scores.iter().filter(|score| score.is_finite()).count();
    let square = scores
        .iter()
        .filter(|score| score.is_finite())
        .map(|score| score * score);
    let mean_square = square.sum::<f64>() / n as f64;
    let (mut pairs, mut sum) = (0, 0.0);
    for pair in scores.windows(2) {
        if pair[0].is_finite() && pair[1].is_finite() {
            pairs += 1;
            sum += pair[0] * pair[1];
        }
    }
    if pairs == 0 || mean_square == 0.0 {
        return (n, 0.0);
    }
    // The usual denominator has one square more than there are pairs: the bias correction is made for it.
    let pairs_of_a_full_series = (n as f64 - 1.0) / n as f64;
    (n, sum / f64::from(pairs) / mean_square * pairs_of_a_full_series)
}

/// What a normal sample would have in place of each value; equal values share the middle of their ranks. NaN stays NaN.
fn normal_scores(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len())
        .filter(|index| values[*index].is_finite())
        .collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let normal = Normal::standard();
    let mut scores = vec![f64::NAN; values.len()];
    let mut first = 0;
    while first < order.len() {
        let value = values[order[first]];
        let ties = order[first..]
            .iter()
            .take_while(|index| values[**index] == value)
            .count();
        let rank = first as f64 + (ties as f64 + 1.0) / 2.0;
        let score = normal.inverse_cdf(rank / (order.len() as f64 + 1.0));
        for index in &order[first..first + ties] {
            scores[*index] = score;
        }
        first += ties;
    }
    scores
}

/// How many independent values say as much about the mean as `n` values of an autoregression with coefficient φ.
///
/// G. V. Bayley and J. M. Hammersley, "The 'Effective' Number of Independent Observations in an Autocorrelated Time
/// Series", J. R. Statist. Soc. Suppl. 8 (1946).
pub fn effective_n(n: usize, phi: f64) -> f64 {
    let count = n as f64;
    if n == 0 || phi == 0.0 {
        return count;
    }
    // 1 + 2 Σ (1 - k/n) φ^k in closed form.
    let inflation = (1.0 + phi) / (1.0 - phi)
        - 2.0 * phi * (1.0 - phi.powi(i32::try_from(n).unwrap_or(i32::MAX))) / (count * (1.0 - phi).powi(2));
    count / inflation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    #[test]
    fn the_coefficient_is_not_biased_in_short_series() {
        for (phi, n) in [(0.3, 28), (0.6, 28), (0.6, 90), (0.8, 168)] {
            let mean = (0..400).map(|seed| {
                let values = ar1(seed, n, phi);
                let mean = values.iter().sum::<f64>() / n as f64;
                autocorrelation(&values.iter().map(|value| value - mean).collect::<Vec<_>>(), 1)
            });
            let mean = mean.sum::<f64>() / 400.0;
            assert!((mean - phi).abs() < 0.07, "{mean} for {phi} of {n}");
        }
    }

    #[test]
    fn an_effective_n_is_the_sum_it_stands_for() {
        let sum: f64 = (1..28)
            .map(|k| (1.0 - f64::from(k) / 28.0) * 0.6_f64.powi(k))
            .sum();
        assert!((effective_n(28, 0.6) - 28.0 / (1.0 + 2.0 * sum)).abs() < 1e-9);
        assert_eq!(effective_n(28, 0.0), 28.0);
    }

    proptest! {
        #[test]
        fn the_coefficient_does_not_depend_on_shift_scale_or_sign(
            values in prop::collection::vec(-1e3..1e3_f64, 10..60), shift in -10.0..10.0_f64, scale in 0.1..10.0_f64,
        ) {
            let there = autocorrelation(&values, 1);
            let back = autocorrelation(&values.iter().map(|v| shift - v * scale).collect::<Vec<_>>(), 1);
            prop_assert!((0.0..=MOST).contains(&there));
            prop_assert!((there - back).abs() < 1e-6);
        }
    }
}
