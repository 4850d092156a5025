use super::posterior::{Part, Posterior};
use super::regression::Fit;
use super::window::Window;
use crate::autocorrelation::{autocorrelation, effective_n};
use crate::cholesky::{cholesky, inverse};

/// How likely it is, beforehand, that something else happened to all series at the time of the change, and that it happened
/// to one control alone. Of one control that moved, nothing tells which of the two it was: both are as likely.
const SHOCK: f64 = 0.1;
const WRONG: f64 = 0.25;

/// Standard deviation of such moves, in standard deviations of a step.
const MOVE: f64 = 1.5;

/// What may have happened to the controls at the time of the change.
struct Story {
    weight: f64,
    /// Expected move of all, and of the one.
    moves: Vec<f64>,
    covariance: Vec<Vec<f64>>,
    all: bool,
    one: Option<usize>,
}

/// What is known of the moves of the controls at the time of the change.
pub(super) struct Moves {
    stories: Vec<Story>,
    /// Standard deviation of a step of each control, and of the series.
    scales: Vec<f64>,
    own_scale: f64,
    /// Variance of the ratio of these scales, as a share of it squared.
    ratio_variance: f64,
}

impl Moves {
    /// Weighs the stories by how well they tell the controls' own differences before to after. The series itself has no say:
    /// what it tells of the effect is kept. `None` where the controls do not vary on their own.
    pub(super) fn of(window: &Window, series: &[f64], controls: &[&[f64]]) -> Option<Self> {
        let (own_scale, _) = scatter(window, series)?;
        let scattered: Vec<(f64, Vec<f64>)> = controls
            .iter()
            .map(|control| scatter(window, control))
            .collect::<Option<_>>()?;
        let scales: Vec<f64> = scattered.iter().map(|(scale, _)| *scale).collect();
        let inverse = inverse(&cholesky(&chance(window, &scattered), controls.len())?);
        let differences: Vec<f64> = controls
            .iter()
            .zip(&scales)
            .map(|(control, scale)| (window.mean(control, true) - window.mean(control, false)) / scale)
            .collect();
        let k = controls.len();
        let ones = (0..k).map(Some).chain([None]);
        let mut stories: Vec<Story> = ones
            .flat_map(|one| [(false, one), (true, one)])
            // With one control, both at once are no more than either.
            .filter(|(all, one)| k > 1 || !(*all && one.is_some()))
            .map(|(all, one)| story(&inverse, &differences, all, one))
            .collect();
        let sum: f64 = stories.iter().map(|story| story.weight).sum();
        stories.iter_mut().for_each(|story| story.weight /= sum);
        Some(Self {
            stories,
            ratio_variance: ratio_variance(window, &scattered),
            scales,
            own_scale,
        })
    }

    /// Probability that all moved.
    pub(super) fn shock(&self) -> f64 {
        let all = self.stories.iter().filter(|story| story.all);
        all.map(|story| story.weight).sum()
    }

    /// Probability that this control moved alone.
    pub(super) fn wrong(&self, control: usize) -> f64 {
        let alone = self.stories.iter().filter(|story| story.one == Some(control));
        alone.map(|story| story.weight).sum()
    }

    /// What is known of the effect. `at` is where the effect stands among the coefficients, `first` where the controls start.
    /// What a control moved alone is taken out of it; what all moved is expected of the series as a whole, not only the part
    /// that its regression on noisy controls passes on.
    pub(super) fn posterior(&self, fits: &[Fit], at: usize, first: usize, columns: usize) -> Posterior {
        let told = self
            .stories
            .iter()
            .flat_map(|story| fits.iter().map(move |fit| (story, fit)));
        let part = |(story, fit): (&Story, &Fit)| {
            let told = self.told(story, fit, first, columns);
            let mut weights = told.weights;
            weights[at] = 1.0;
            let (mean, error) = fit.combined(&weights);
            Part {
                weight: story.weight * fit.weight,
                mean: mean - told.expected,
                error: (error * error + told.variance).sqrt(),
                freedom: fit.freedom,
            }
        };
        Posterior::new(told.map(part).collect())
    }

    /// What a story says of the effect with the coefficients of a fit.
    fn told(&self, story: &Story, fit: &Fit, first: usize, columns: usize) -> Told {
        let mut told = Told {
            weights: vec![0.0; columns],
            expected: 0.0,
            variance: 0.0,
        };
        let mut gradients = Vec::new();
        let mut moves = story.moves.iter().copied();
        if story.all
            && let Some(size) = moves.next()
        {
            let mut passed = vec![0.0; columns];
            for (control, scale) in self.scales.iter().enumerate() {
                told.weights[first + control] += scale * size;
                passed[first + control] = *scale;
            }
            let passed = fit.combined(&passed).0;
            // A series that falls when its controls rise does so here too.
            let own = self.own_scale.copysign(passed);
            told.expected = own * size;
            told.variance += told.expected.powi(2) * self.ratio_variance;
            gradients.push(passed - own);
        }
        if let Some(one) = story.one
            && let Some(size) = moves.next()
        {
            told.weights[first + one] += self.scales[one] * size;
            let mut passed = vec![0.0; columns];
            passed[first + one] = self.scales[one];
            gradients.push(fit.combined(&passed).0);
        }
        for (row, a) in story.covariance.iter().zip(&gradients) {
            told.variance += row.iter().zip(&gradients).map(|(c, b)| a * c * b).sum::<f64>();
        }
        told
    }
}

/// What is added to the effect of a fit: a sum of its coefficients, less what is expected of the series, with a variance.
struct Told {
    weights: Vec<f64>,
    expected: f64,
    variance: f64,
}

/// Standard deviation of a step within the sides, and the deviations in units of it.
fn scatter(window: &Window, column: &[f64]) -> Option<(f64, Vec<f64>)> {
    let means = [false, true].map(|after| window.mean(column, after));
    let mut deviations = vec![f64::NAN; column.len()];
    let (mut square, mut count) = (0.0, 0.0);
    for step in window.used().filter(|step| column[*step].is_finite()) {
        let deviation = column[step] - means[usize::from(step >= window.change)];
        deviations[step] = deviation;
        square += deviation * deviation;
        count += 1.0;
    }
    let scale = (square / (count - 2.0)).sqrt();
    deviations.iter_mut().for_each(|deviation| *deviation /= scale);
    (scale > 0.0 && scale.is_finite()).then_some((scale, deviations))
}

/// How alike neighbours are on average, in all controls.
fn likeness(scattered: &[(f64, Vec<f64>)]) -> f64 {
    let phis = scattered
        .iter()
        .map(|(_, deviations)| autocorrelation(deviations, 1));
    phis.sum::<f64>() / scattered.len() as f64
}

/// The variance of the logarithm of an estimated standard deviation is half of one over the number of values.
fn ratio_variance(window: &Window, scattered: &[(f64, Vec<f64>)]) -> f64 {
    // Squares of neighbours are less alike than the neighbours.
    let values = effective_n(window.before + window.after, likeness(scattered).powi(2));
    (1.0 + 1.0 / scattered.len() as f64) / (2.0 * values)
}

/// Covariance of the differences that chance makes.
fn chance(window: &Window, scattered: &[(f64, Vec<f64>)]) -> Vec<Vec<f64>> {
    let phi = likeness(scattered);
    let [before, after] = [window.before, window.after].map(|n| effective_n(n, phi));
    // The likeness is an estimate: with few independent values it is often too small.
    let few = 1.0 + 2.0 / (before + after);
    let size = (1.0 / before + 1.0 / after) * few;
    let covariance = |a: &[f64], b: &[f64]| {
        let products = a
            .iter()
            .zip(b)
            .map(|(a, b)| a * b)
            .filter(|product| product.is_finite());
        let (sum, count) = products.fold((0.0, 0.0), |(sum, count), product| (sum + product, count + 1.0));
        sum / f64::max(count - 2.0, 1.0) * size
    };
    scattered
        .iter()
        .map(|(_, a)| scattered.iter().map(|(_, b)| covariance(a, b)).collect())
        .collect()
}

/// One story: how likely, and how far what moved did so.
fn story(inverse: &[Vec<f64>], differences: &[f64], all: bool, one: Option<usize>) -> Story {
    let k = differences.len();
    let product = |vector: &[f64]| -> Vec<f64> {
        inverse
            .iter()
            .map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
            .collect()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let together = all.then(|| vec![1.0; k]);
    let alone = one.map(|one| (0..k).map(|at| f64::from(u8::from(at == one))).collect());
    let directions: Vec<Vec<f64>> = together.into_iter().chain(alone).collect();
    let told = product(differences);
    let pulls: Vec<f64> = directions.iter().map(|direction| dot(direction, &told)).collect();
    let precision: Vec<Vec<f64>> = directions
        .iter()
        .enumerate()
        .map(|(row, a)| {
            let a = product(a);
            let prior = |column: usize| f64::from(u8::from(row == column)) / (MOVE * MOVE);
            directions
                .iter()
                .enumerate()
                .map(|(column, b)| dot(&a, b) + prior(column))
                .collect()
        })
        .collect();
    // The prior makes it definite.
    let lower = cholesky(&precision, directions.len()).unwrap_or_default();
    let covariance = crate::cholesky::inverse(&lower);
    let moves: Vec<f64> = covariance.iter().map(|row| dot(row, &pulls)).collect();
    let determinant: f64 = (0..lower.len()).map(|row| (lower[row][row] * MOVE).ln()).sum();
    let likelihood = 0.5 * dot(&moves, &pulls) - determinant;
    let prior_all = if all { SHOCK } else { 1.0 - SHOCK };
    let wrong = if k == 1 { SHOCK } else { WRONG };
    let prior_one = if one.is_some() {
        wrong / k as f64
    } else {
        1.0 - wrong
    };
    Story {
        weight: prior_all * prior_one * likelihood.min(600.0).exp(),
        moves,
        covariance,
        all,
        one,
    }
}
