use crate::normal::two_sided_quantile;

/// How scores scatter where nothing happened, as seen from the scores themselves, most of which have no effect in them
/// (B. Efron, "Large-Scale Simultaneous Hypothesis Testing: The Choice of a Null Hypothesis", J. Am. Stat. Assoc. 99
/// (2004)): days, cells or forecasts vary more than independent decisions would. It is never below that of a standard
/// normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scatter {
    scale: f64,
    /// The scale of all levels together. Slices of different levels are compared by it, so that the error in the scale of a
    /// level with few slices favours none.
    shared: f64,
    /// Variance of effects from slice to slice beyond their errors.
    between: f64,
    /// Degrees of freedom of the Student distribution with the same tails; infinite for a normal one.
    degrees: f64,
}

/// Median of the absolute value of a standard normal.
const NORMAL_MEDIAN: f64 = 0.674_489_750_196_081_7;
/// Tails are read where about this many scores lie beyond.
const BEYOND: f64 = 50.0;
/// Error of a scale by the median, times the root of the number of scores.
const MEDIAN_ERROR: f64 = 1.166;
/// Tails are never taken to be heavier than those with so many degrees of freedom.
const LEAST_DEGREES: f64 = 3.0;
/// With fewer scores nothing is read from their median: in a small cube a culprit is in most of them.
const ENOUGH_FOR_SCALE: usize = 60;
/// Scores never scatter less than this: errors are told by fitted means, and hours are a little more alike than independent ones.
const LEAST_SCALE: f64 = 1.08;
/// With fewer scores nothing is read from their tails.
const ENOUGH_FOR_TAILS: usize = 1_000;

impl Scatter {
    /// As a standard normal.
    pub(crate) const NORMAL: Self = Self {
        scale: 1.0,
        shared: 1.0,
        between: 0.0,
        degrees: f64::INFINITY,
    };

    /// Of the absolute scores of each level, all by the median.
    pub(crate) fn of_levels(levels: Vec<Vec<f64>>) -> Vec<Self> {
        if levels.iter().map(Vec::len).sum::<usize>() < ENOUGH_FOR_SCALE {
            return vec![Self::NORMAL; levels.len()];
        }
        let error = MEDIAN_ERROR / (levels.first().map_or(1, Vec::len).max(1) as f64).sqrt();
        let shared = quantile(&mut levels.concat(), 0.5) / NORMAL_MEDIAN / (1.0 + error / 2.0);
        let shared = shared.max(LEAST_SCALE);
        levels
            .into_iter()
            .map(|scores| Self::of(scores, shared))
            .collect()
    }

    fn of(mut scores: Vec<f64>, shared: f64) -> Self {
        if scores.is_empty() {
            return Self {
                shared,
                scale: shared,
                ..Self::NORMAL
            };
        }
        let error = MEDIAN_ERROR / (scores.len() as f64).sqrt();
        let scale = (quantile(&mut scores, 0.5) / NORMAL_MEDIAN / (1.0 + error)).max(shared);
        Self {
            scale,
            shared,
            ..Self::NORMAL
        }
    }

    /// Of slices whose effects vary by `between` beyond their errors: `effects` are those of a level, with their errors. How
    /// much they vary was seen from about `values` independent ones.
    pub(crate) fn beyond(effects: &[(f64, f64)], between: f64, values: usize) -> Self {
        // A scale by the median is known as well as one by squares of so many times fewer values.
        const EFFICIENCY: f64 = 0.37;
        let varied = Self {
            between,
            degrees: if between > 0.0 {
                (EFFICIENCY * values as f64).max(LEAST_DEGREES)
            } else {
                f64::INFINITY
            },
            ..Self::NORMAL
        };
        let mut scores: Vec<f64> = effects
            .iter()
            .map(|(effect, error)| effect.abs() / varied.error(*error))
            .collect();
        if scores.len() < ENOUGH_FOR_TAILS {
            return varied;
        }
        let beyond = (BEYOND / scores.len() as f64).clamp(0.001, 0.01);
        let degrees = degrees(quantile(&mut scores, 1.0 - beyond), two_sided_quantile(beyond));
        Self {
            degrees: degrees.min(varied.degrees),
            ..varied
        }
    }

    /// The error of an effect, with what else varies.
    pub(crate) fn error(&self, error: f64) -> f64 {
        (error * self.scale).hypot(self.between.sqrt())
    }

    /// The score that is as rare for a standard normal, by likelihood.
    pub(crate) fn normal(&self, effect: f64, error: f64) -> f64 {
        as_normal(effect.abs() / self.error(error), self.degrees)
    }

    /// How much more likely an effect is where something happened, as a logarithm.
    pub(crate) fn log_likelihood(&self, effect: f64, error: f64) -> f64 {
        (effect / error / self.shared).powi(2) / 2.0
    }
}

fn as_normal(score: f64, degrees: f64) -> f64 {
    if degrees.is_finite() {
        (degrees * (score * score / degrees).ln_1p()).sqrt()
    } else {
        score
    }
}

/// The degrees with which a score becomes that of a normal.
fn degrees(score: f64, normal: f64) -> f64 {
    if score <= normal * 1.02 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (LEAST_DEGREES, 1e6_f64);
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        if as_normal(score, middle) > normal {
            high = middle;
        } else {
            low = middle;
        }
    }
    low
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let place = ((values.len() - 1) as f64 * share).round() as usize;
    *values.select_nth_unstable_by(place, f64::total_cmp).1
}
