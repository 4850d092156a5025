use super::posterior::{Part, Posterior};
use crate::cholesky::{cholesky, inverse};

/// A series explained by columns, with noise that is an autoregression of order one and scatter of each value on top.
pub(super) struct Regression<'a> {
    /// The series; NaN is missing.
    pub(super) values: &'a [f64],
    /// What explains it, each as long as the series; a step where one is NaN is missing.
    pub(super) columns: Vec<Vec<f64>>,
    /// Sample sizes of the values: the scatter on top is the smaller the more samples a value has.
    pub(super) samples: Option<&'a [f64]>,
    /// Standard deviations of the values' noise in relation to each other.
    pub(super) scales: Option<&'a [f64]>,
}

/// Likenesses of neighbours that are weighed against each other. With none below 0, intervals for independent values were
/// too wide.
const PHIS: [f64; 15] = [
    -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98,
];

/// Shares of the variance that may be scatter of each value alone, and how likely each is taken to be beforehand: something
/// slow below scatter has neighbours that are alike for longer than they seem to be.
const SCATTERS: [(f64, f64); 2] = [(0.0, 0.95), (0.4, 0.05)];

/// One setting of the noise and the coefficients that follow.
pub(super) struct Fit {
    coefficients: Vec<f64>,
    /// Covariance of the coefficients in units of `variance`.
    covariance: Vec<Vec<f64>>,
    /// Variance of the noise.
    pub(super) variance: f64,
    /// Values less columns.
    pub(super) freedom: f64,
    /// How alike neighbours are.
    pub(super) phi: f64,
    /// Share of the variance that is scatter.
    pub(super) scatter: f64,
    /// Logarithm of the likelihood of all settings together, but for what all regressions of as many columns share.
    pub(super) evidence: f64,
    /// Probability of this setting, all together 1.
    pub(super) weight: f64,
}

impl Fit {
    /// Mean and standard error of a weighted sum of the coefficients.
    pub(super) fn combined(&self, weights: &[f64]) -> (f64, f64) {
        let mean = weights.iter().zip(&self.coefficients).map(|(w, c)| w * c).sum();
        (mean, self.spread(weights))
    }

    /// How many coefficients there are.
    pub(super) fn coefficients(&self) -> usize {
        self.coefficients.len()
    }

    fn spread(&self, weights: &[f64]) -> f64 {
        let rows = weights.iter().zip(&self.covariance);
        let square: f64 = rows
            .map(|(weight, row)| weight * row.iter().zip(weights).map(|(c, w)| c * w).sum::<f64>())
            .sum();
        (square.max(0.0) * self.variance).sqrt()
    }
}

impl Regression<'_> {
    /// Fits at every setting of the noise, each with its probability: the coefficients' uncertainty is that within settings
    /// and that of the setting. The likelihood is the restricted one, which the number of columns does not bias. `None` where
    /// there are too few values, a column is a sum of others, or nothing is left to explain.
    ///
    /// H. D. Patterson and R. Thompson, "Recovery of Inter-Block Information when Block Sizes are Unequal", Biometrika 58
    /// (1971); the recursion is that of R. H. Jones, "Maximum Likelihood Fitting of ARMA Models to Time Series with Missing
    /// Observations", Technometrics 22 (1980).
    pub(super) fn fits(&self) -> Option<Vec<Fit>> {
        let noise = self.scatter_of_each();
        let mut fits = Vec::new();
        let mut likelihoods = Vec::new();
        for (scatter, prior) in SCATTERS {
            for phi in PHIS {
                // Scatter on top of independent values is the same noise again.
                if scatter > 0.0 && (phi < 0.0 || (phi == 0.0 && self.samples.is_none())) {
                    continue;
                }
                let (fit, likelihood) = self.fit(phi, scatter, &noise)?;
                fits.push(fit);
                likelihoods.push(likelihood + prior.ln());
            }
        }
        let most = likelihoods.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let all: f64 = likelihoods
            .iter()
            .map(|likelihood| (likelihood - most).exp())
            .sum();
        for (fit, likelihood) in fits.iter_mut().zip(likelihoods) {
            fit.weight = (likelihood - most).exp() / all;
            fit.evidence = most + all.ln();
        }
        Some(fits)
    }

    /// The fit at one setting that is known: how alike neighbours are, and what share of the variance is scatter.
    pub(super) fn fit_at(&self, phi: f64, scatter: f64) -> Option<Fit> {
        self.fit(phi, scatter, &self.scatter_of_each())
            .map(|(fit, _)| fit)
    }

    /// Scatter of each value alone, on average 1.
    fn scatter_of_each(&self) -> Vec<f64> {
        let steps = self.values.len();
        let Some(samples) = self.samples else {
            return vec![1.0; steps];
        };
        let there = samples.iter().filter(|n| n.is_finite() && **n > 0.0);
        let (sum, count) = there.fold((0.0, 0.0), |(sum, count), n| (sum + 1.0 / n, count + 1.0));
        let mean = sum / f64::max(count, 1.0);
        let usual = |n: f64| {
            if n.is_finite() && n > 0.0 {
                1.0 / n / mean
            } else {
                1.0
            }
        };
        (0..steps)
            .map(|step| samples.get(step).map_or(1.0, |n| usual(*n)))
            .collect()
    }

    /// Coefficients at one setting, and its logarithmic likelihood.
    fn fit(&self, phi: f64, scatter: f64, noise: &[f64]) -> Option<(Fit, f64)> {
        let whitened = self.whitened(phi, scatter, noise);
        let p = self.columns.len();
        let freedom = whitened.values as f64 - p as f64;
        if freedom < 3.0 {
            return None;
        }
        let lower = cholesky(&whitened.products, p)?;
        let inverse = inverse(&lower);
        let moments: Vec<f64> = (0..p).map(|row| whitened.products[row][p]).collect();
        let coefficients: Vec<f64> = inverse
            .iter()
            .map(|row| row.iter().zip(&moments).map(|(a, b)| a * b).sum())
            .collect();
        let explained: f64 = coefficients.iter().zip(&moments).map(|(a, b)| a * b).sum();
        let left = whitened.products[p][p] - explained;
        if left <= 1e-12 * whitened.products[p][p] {
            return None;
        }
        let determinant: f64 = (0..p).map(|row| 2.0 * lower[row][row].ln()).sum();
        let likelihood = -0.5 * (whitened.log_variances + determinant + freedom * left.ln());
        let fit = Fit {
            coefficients,
            covariance: inverse,
            variance: left / freedom,
            freedom,
            phi,
            scatter,
            evidence: likelihood,
            weight: 1.0,
        };
        Some((fit, likelihood))
    }

    /// Sums of products of columns and values, from each what the steps before tell taken away.
    fn whitened(&self, phi: f64, scatter: f64, noise: &[f64]) -> Whitened {
        let p = self.columns.len();
        let mut products = vec![vec![0.0; p + 1]; p + 1];
        let (mut values, mut log_variances) = (0, 0.0);
        let slow = 1.0 - scatter;
        let mut state = vec![0.0; p + 1];
        let mut variance = slow;
        let mut row = vec![0.0; p + 1];
        for step in 0..self.values.len() {
            if step > 0 {
                state.iter_mut().for_each(|part| *part *= phi);
                variance = phi * phi * variance + slow * (1.0 - phi * phi);
            }
            for (cell, column) in row.iter_mut().zip(&self.columns) {
                *cell = column[step];
            }
            row[p] = self.values[step];
            if row.iter().any(|cell| !cell.is_finite()) {
                continue;
            }
            if let Some(scale) = self.scales.and_then(|scales| scales.get(step)) {
                row.iter_mut().for_each(|cell| *cell /= scale);
            }
            let expected = variance + scatter * noise[step];
            let gain = variance / expected;
            values += 1;
            log_variances += expected.ln();
            for (cell, part) in row.iter_mut().zip(&mut state) {
                *cell -= *part;
                *part += gain * *cell;
            }
            variance *= 1.0 - gain;
            for (at, cell) in row.iter().enumerate() {
                let scaled = cell / expected;
                for (product, other) in products[at].iter_mut().zip(&row) {
                    *product += scaled * other;
                }
            }
        }
        Whitened {
            products,
            values,
            log_variances,
        }
    }
}

/// Of a weighted sum of coefficients, over all settings of the noise.
pub(super) fn posterior(fits: &[Fit], weights: &[f64]) -> Posterior {
    let part = |fit: &Fit| {
        let (mean, error) = fit.combined(weights);
        Part {
            weight: fit.weight,
            mean,
            error,
            freedom: fit.freedom,
        }
    };
    Posterior::new(fits.iter().map(part).collect())
}

struct Whitened {
    products: Vec<Vec<f64>>,
    values: usize,
    log_variances: f64,
}
