use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StudentT};

use crate::normal::{normal_cdf, two_sided_quantile};
use crate::student::student_cdf;

/// What is known of a number: Student's distributions, each with its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    pub(super) weight: f64,
    pub(super) mean: f64,
    pub(super) error: f64,
    pub(super) freedom: f64,
}

/// Parts less likely than this, in relation to all, change no digit that is read.
const LEAST: f64 = 1e-5;

/// A quantile is found in ten steps or so.
const MOST_STEPS: usize = 200;

impl Posterior {
    pub(super) fn new(mut parts: Vec<Part>) -> Self {
        let all: f64 = parts.iter().map(|part| part.weight).sum();
        parts.retain(|part| part.weight > LEAST * all);
        let kept: f64 = parts.iter().map(|part| part.weight).sum();
        parts.iter_mut().for_each(|part| part.weight /= kept);
        Self { parts }
    }

    /// What is known of this number less another that is known independently of it.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let pairs = (self.parts.iter()).flat_map(|one| other.parts.iter().map(move |two| (one, two)));
        let part = |(one, two): (&Part, &Part)| Part {
            weight: one.weight * two.weight,
            mean: one.mean - two.mean,
            error: one.error.hypot(two.error),
            freedom: one.freedom.min(two.freedom),
        };
        Self::new(pairs.map(part).collect())
    }

    /// Its mean.
    pub fn mean(&self) -> f64 {
        self.parts.iter().map(|part| part.weight * part.mean).sum()
    }

    /// Its standard deviation, Student's tails not counted.
    pub fn error(&self) -> f64 {
        let mean = self.mean();
        let square = |part: &Part| part.weight * (part.error.powi(2) + (part.mean - mean).powi(2));
        self.parts.iter().map(square).sum::<f64>().sqrt()
    }

    /// Probability that the number is below `value`.
    pub fn below(&self, value: f64) -> f64 {
        let below = |part: &Part| {
            let distance = (value - part.mean) / part.error;
            if part.error > 0.0 {
                student_cdf(distance, part.freedom)
            } else if distance > 0.0 {
                1.0
            } else {
                0.0
            }
        };
        self.parts.iter().map(|part| part.weight * below(part)).sum()
    }

    /// The value that the number is below with this probability, in 1e-300..1.
    pub fn quantile(&self, probability: f64) -> f64 {
        // The tail that is small is the one that is told exactly.
        if probability > 0.5 {
            return -self.turned().quantile(1.0 - probability);
        }
        let ends = self.parts.iter().map(|part| (part.mean, part.error));
        let (mut low, mut high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |ends, (mean, error)| {
            (ends.0.min(mean - error), ends.1.max(mean))
        });
        while self.below(low) > probability && low.is_finite() {
            low -= (high - low).max(f64::MIN_POSITIVE);
        }
        // In normal scores the distribution is nearly a line. M. Dowell and P. Jarratt, "A Modified Regula Falsi Method for
        // Computing the Root of an Equation", BIT 11 (1971).
        let score = |probability: f64| {
            let tail = probability.min(1.0 - probability).clamp(1e-300, 0.5);
            let score = two_sided_quantile(2.0 * tail);
            if probability < 0.5 { -score } else { score }
        };
        let aim = score(probability);
        let mut at_low = score(self.below(low)) - aim;
        let mut at_high = score(self.below(high)) - aim;
        for _ in 0..MOST_STEPS {
            if at_low >= 0.0 || at_high <= 0.0 {
                return if at_low >= 0.0 { low } else { high };
            }
            let next = high - at_high * (high - low) / (at_high - at_low);
            let at_next = score(self.below(next)) - aim;
            if at_next.abs() < 1e-12 {
                return next;
            }
            if at_next > 0.0 {
                (high, at_high, at_low) = (next, at_next, at_low / 2.0);
            } else {
                (low, at_low, at_high) = (next, at_next, at_high / 2.0);
            }
        }
        f64::midpoint(low, high)
    }

    /// The interval that leaves out as much on each side as a standard normal leaves above `z`.
    pub fn interval(&self, z: f64) -> (f64, f64) {
        let tail = normal_cdf(-z);
        (self.quantile(tail), -self.turned().quantile(tail))
    }

    /// So many draws from it.
    pub(crate) fn draws(&self, random: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
        let mut draw = || {
            let mut left: f64 = random.random();
            let chosen = self.parts.iter().find(|part| {
                left -= part.weight;
                left <= 0.0
            });
            // Rounding may leave a little.
            let part = chosen.or(self.parts.last())?;
            let student = StudentT::new(part.freedom).ok()?;
            Some(part.mean + part.error * student.sample(random))
        };
        (0..count).map(|_| draw().unwrap_or(f64::NAN)).collect()
    }

    /// Of the number with its sign turned.
    #[must_use]
    pub fn turned(&self) -> Self {
        let turned = |part: &Part| Part {
            mean: -part.mean,
            ..*part
        };
        Self {
            parts: self.parts.iter().map(turned).collect(),
        }
    }
}
