/// How scores scatter where nothing happened, as seen from the scores themselves, most of which have no effect in them
/// (B. Efron, "Large-Scale Simultaneous Hypothesis Testing: The Choice of a Null Hypothesis", J. Am. Stat. Assoc. 99
/// (2004)): days, cells or forecasts vary more than independent decisions would. It is never below that of a standard
/// normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scatter {
    scale: f64,
    /// Degrees of freedom of the Student distribution with the same tails; infinite for a normal one.
    degrees: f64,
}

/// Median of the absolute value of a standard normal, and its 99 % quantile.
const NORMAL_MEDIAN: f64 = 0.674_489_750_196_081_7;
const NORMAL_99: f64 = 2.575_829_303_548_900_4;
/// Error of a scale by the median, times the root of the number of scores.
const MEDIAN_ERROR: f64 = 1.166;
/// With fewer scores nothing is read from their tails.
const ENOUGH_FOR_TAILS: usize = 1_000;

impl Scatter {
    /// The least scale that all levels share.
    pub(crate) fn shared(levels: &[Vec<f64>]) -> f64 {
        let mut all: Vec<f64> = levels.concat();
        let error = MEDIAN_ERROR / (levels.first().map_or(1, Vec::len).max(1) as f64).sqrt();
        (quantile(&mut all, 0.5) / NORMAL_MEDIAN / (1.0 + error / 2.0)).max(1.0)
    }

    /// Of the absolute scores of one level.
    pub(crate) fn of(mut scores: Vec<f64>, shared: f64) -> Self {
        if scores.is_empty() {
            return Self {
                scale: shared,
                degrees: f64::INFINITY,
            };
        }
        let error = MEDIAN_ERROR / (scores.len() as f64).sqrt();
        let scale = (quantile(&mut scores, 0.5) / NORMAL_MEDIAN / (1.0 + error)).max(shared);
        let degrees = if scores.len() >= ENOUGH_FOR_TAILS {
            degrees(quantile(&mut scores, 0.99) / scale)
        } else {
            f64::INFINITY
        };
        Self { scale, degrees }
    }

    /// How many times wider than a standard normal.
    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// The score that is as rare for a standard normal, by likelihood.
    pub(crate) fn normal(&self, score: f64) -> f64 {
        as_normal(score / self.scale, self.degrees)
    }
}

fn as_normal(score: f64, degrees: f64) -> f64 {
    if degrees.is_finite() {
        (degrees * (score * score / degrees).ln_1p()).sqrt()
    } else {
        score
    }
}

/// The degrees with which a score that 1 % exceed becomes that of a normal.
fn degrees(score: f64) -> f64 {
    if score <= NORMAL_99 * 1.02 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.5_f64, 1e6_f64);
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        if as_normal(score, middle) > NORMAL_99 {
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
