//! From sums to a value with its 95 % interval.

use kaizen_catalogue::Expression;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Two-sided 95 % point of the normal distribution.
pub(super) const Z95: f64 = 1.959_963_984_540_054;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// A metric's value over some span.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Value {
    /// The value; `None` when there was nothing to compute it from.
    pub value: Option<f64>,
    /// Number of decisions the value was computed from.
    pub n: u64,
    /// Share of the expected events that are present, 0 to 1; `None` when nothing could be expected.
    pub coverage: Option<f64>,
    /// 95 % interval: Wilson's of a share, Student's of a mean, of order statistics for a quantile; `None` for counts
    /// and sums, which are no estimates, and where there are too few decisions to have one.
    pub interval: Option<Interval>,
    /// Whether `n` is below the metric's minimum sample.
    pub thin: bool,
}

/// What a value is computed from. Which fields are used depends on the expression.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sums {
    /// Decisions the value is computed from: the denominator of a share.
    pub(super) n: u64,
    /// Numerator of a share, or the number of outcomes or of different values.
    pub(super) hits: u64,
    /// Sum of the measure, or of the outcomes' values.
    pub(super) sum: f64,
    /// Sum of the measure's squares.
    pub(super) sum_squares: f64,
    /// Quantile and the order statistics below and above it that enclose it in 95 % of samples.
    pub(super) quantile: [f64; 3],
    /// Whether those order statistics exist in a sample of this size.
    pub(super) quantile_has_interval: bool,
}

/// The value of rank ⌈nq⌉ of `times` (nanoseconds rising, each with how many there are, `n` in all), and those of the ranks
/// nq ± z√(nq(1−q)) rounded outwards, between which the quantile of the population lies in 95 % of samples (W. J. Conover,
/// Practical Nonparametric Statistics, 3rd ed., 1999, section 3.2).
pub(super) fn quantile(times: &[(u64, u64)], n: u64, level: f64) -> Sums {
    let mut reached = 0_u64;
    let cumulative: Vec<u64> = (times.iter())
        .map(|(_, n)| {
            reached = reached.wrapping_add(*n);
            reached
        })
        .collect();
    let at = |rank: f64| {
        let place = cumulative.iter().position(|reached| *reached as f64 >= rank);
        place.map_or(0.0, |place| times[place].0 as f64 / 1e9)
    };
    let count = n as f64;
    let half = Z95 * (count * level * (1.0 - level)).sqrt();
    let (lower, upper) = ((count * level - half).floor(), (count * level + half).ceil());
    Sums {
        n,
        quantile: [(count * level - 1e-9).ceil(), lower.max(1.0), upper.min(count)].map(at),
        quantile_has_interval: lower >= 1.0 && upper <= count,
        ..Sums::default()
    }
}

/// The value of `expression`, without coverage.
pub(super) fn value(expression: &Expression, minimum_sample: u64, sums: Sums) -> Value {
    let n = sums.n as f64;
    let (value, interval) = match expression {
        Expression::Count => (Some(n), None),
        _ if sums.n == 0 => (None, None),
        Expression::Sum(_) => (Some(sums.sum), None),
        Expression::Mean(_) => (Some(sums.sum / n), mean_interval(sums)),
        Expression::Quantile(..) => {
            let [value, lower, upper] = sums.quantile;
            (
                Some(value),
                sums.quantile_has_interval.then_some(Interval { lower, upper }),
            )
        }
        Expression::OutcomeCount(_) | Expression::Distinct(_) => (Some(sums.hits as f64), None),
        Expression::OutcomeValue(..) => (Some(sums.sum), None),
        Expression::Share(_) | Expression::OutcomeRate(_) => {
            (Some(sums.hits as f64 / n), Some(wilson(sums.hits, sums.n)))
        }
    };
    Value {
        value,
        n: sums.n,
        coverage: None,
        interval,
        thin: sums.n < minimum_sample,
    }
}

/// E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
fn wilson(hits: u64, n: u64) -> Interval {
    let (n, p, z2) = (n as f64, hits as f64 / n as f64, Z95 * Z95);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // The ends are exactly 0 and 1 for a share of 0 and 1; rounding must not put them beside
    let lower = if hits == 0 { 0.0 } else { centre - half };
    let upper = if p == 1.0 { 1.0 } else { centre + half };
    Interval { lower, upper }
}

fn mean_interval(sums: Sums) -> Option<Interval> {
    let n = sums.n as f64;
    let distribution = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    let mean = sums.sum / n;
    // Sums of squares are exact, so what is below 0 is the rounding of this subtraction
    let variance = ((sums.sum_squares - sums.sum * mean) / (n - 1.0)).max(0.0);
    let half = distribution.inverse_cdf(0.975) * (variance / n).sqrt();
    Some(Interval {
        lower: mean - half,
        upper: mean + half,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kaizen_catalogue::{Condition, Measure};
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn a_share_has_wilsons_interval() {
        let share = Expression::Share(Condition::Success);
        // statsmodels.stats.proportion.proportion_confint(8, 10, method="wilson")
        let eight = value(
            &share,
            30,
            Sums {
                n: 10,
                hits: 8,
                ..Sums::default()
            },
        );
        let interval = eight.interval.unwrap();
        assert!(
            close(interval.lower, 0.490_162_5) && close(interval.upper, 0.943_317_8),
            "{interval:?}"
        );
        assert_eq!((eight.value, eight.thin), (Some(0.8), true));
        let none = value(
            &share,
            1,
            Sums {
                n: 10,
                ..Sums::default()
            },
        )
        .interval
        .unwrap();
        assert!(none.lower == 0.0 && close(none.upper, 0.277_532_8), "{none:?}");
    }

    #[test]
    fn a_mean_has_students_interval_from_two_decisions_on() {
        let mean = Expression::Mean(Measure::QualityScore);
        // 1, 2, 3, 4: mean 2.5, s 1.2910, t(3) 3.182446
        let four = value(
            &mean,
            1,
            Sums {
                n: 4,
                sum: 10.0,
                sum_squares: 30.0,
                ..Sums::default()
            },
        );
        let interval = four.interval.unwrap();
        assert!(
            close(interval.lower, 0.445_739_7) && close(interval.upper, 4.554_260_3),
            "{interval:?}"
        );
        let one = value(
            &mean,
            1,
            Sums {
                n: 1,
                sum: 3.0,
                sum_squares: 9.0,
                ..Sums::default()
            },
        );
        assert_eq!((one.value, one.interval), (Some(3.0), None));
    }

    #[test]
    fn nothing_counts_as_zero_and_has_no_mean_share_or_sum() {
        assert_eq!(value(&Expression::Count, 1, Sums::default()).value, Some(0.0));
        for text in [
            "mean(quality_score)",
            "sum(quality_score)",
            "share(success)",
            "quantile(processing_time, 0.5)",
        ] {
            assert_eq!(
                value(&text.parse().unwrap(), 1, Sums::default()).value,
                None,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_share_lies_in_its_interval_and_that_in_0_to_1(n in 1u64..1_000_000, part in 0.0..=1.0f64) {
            let hits = (n as f64 * part) as u64;
            let Interval { lower, upper } = wilson(hits, n);
            let share = hits as f64 / n as f64;
            prop_assert!(0.0 <= lower && lower <= share && share <= upper && upper <= 1.0);
        }
    }
}
