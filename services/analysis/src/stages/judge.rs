//! Which way each metric goes: a first, simple answer that does not cry wolf.
//!
//! A day of the period is paired with the same day of the period before, so that weekdays cancel out, and the
//! differences are tested by the paired t-test. The p-values of all metrics are adjusted together, so that of the trends
//! reported at 5 % about one in twenty is chance. It sees no change within a period, takes days as independent, and needs
//! at least five pairs of whole days.

use kaizen_catalogue::Direction;
use kaizen_stats::{benjamini_hochberg, paired_t};
use kaizen_warehouse::queries::{Series, TrendRecord, Value};

use super::{Measured, Work};

const METHOD: &str = "paired t-test over days, Benjamini-Hochberg adjusted";
/// Below so many pairs a p-value says little.
const FEWEST_PAIRS: usize = 5;
/// Below this coverage of either period the two are not the same thing.
const LEAST_COVERAGE: f64 = 0.8;
/// Up to here a change is called one.
const MEDIUM: f64 = 0.05;
const HIGH: f64 = 0.01;

/// Judges every metric that was measured.
pub fn judge(work: &mut Work<'_>) {
    work.trends = trends(&work.measured);
}

fn trends(measured: &[Measured]) -> Vec<TrendRecord> {
    let tested: Vec<Option<f64>> = measured.iter().map(|metric| p_value(&metric.series)).collect();
    let known: Vec<f64> = tested.iter().copied().flatten().collect();
    let mut adjusted = benjamini_hochberg(&known).into_iter();
    let p_values = tested.iter().map(|tested| tested.and_then(|_| adjusted.next()));
    measured
        .iter()
        .zip(p_values)
        .map(|(metric, p_value)| trend(metric, p_value))
        .collect()
}

fn trend(metric: &Measured, p_value: Option<f64>) -> TrendRecord {
    let change = metric.series.change();
    let (direction, significance) = match p_value {
        None => ("insufficient_data", ""),
        Some(p) => {
            let significance = if p < HIGH {
                "high"
            } else if p < MEDIUM {
                "medium"
            } else {
                "low"
            };
            (
                if p < MEDIUM {
                    towards(metric.direction, change)
                } else {
                    "stable"
                },
                significance,
            )
        }
    };
    TrendRecord {
        metric: metric.name.clone(),
        direction: direction.to_owned(),
        change_percent: metric.series.relative_change().map(|change| change * 100.0),
        p_value,
        significance: significance.to_owned(),
        method: METHOD.to_owned(),
    }
}

fn towards(better: Direction, change: Option<f64>) -> &'static str {
    let up = match change {
        Some(change) if change > 0.0 => true,
        Some(change) if change < 0.0 => false,
        _ => return "stable",
    };
    if up == (better == Direction::HigherIsBetter) {
        "improving"
    } else {
        "declining"
    }
}

/// Of no change between the periods; `None` when there is too little to say.
fn p_value(series: &Series) -> Option<f64> {
    let fit = |value: &Value| !value.thin && value.coverage.is_none_or(|coverage| coverage >= LEAST_COVERAGE);
    if !fit(&series.total) || !series.previous_total.as_ref().is_some_and(fit) {
        return None;
    }
    let whole = |point: &&kaizen_warehouse::queries::Point| !point.incomplete;
    let days = series
        .previous_points
        .iter()
        .zip(&series.points)
        .filter(|(before, now)| whole(before) && whole(now));
    let pairs: Vec<(f64, f64)> = days
        .filter_map(|(before, now)| before.value.value.zip(now.value.value))
        .collect();
    if pairs.len() < FEWEST_PAIRS {
        return None;
    }
    paired_t(&pairs).map(|test| test.p_value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};
    use kaizen_warehouse::queries::Point;

    const NOISE: [f64; 7] = [0.01, -0.02, 0.015, 0.0, -0.01, 0.02, -0.015];

    fn measured(direction: Direction, before: f64, now: f64) -> Measured {
        let value = |value: f64| Value {
            value: Some(value),
            n: 1000,
            coverage: Some(1.0),
            ..Value::default()
        };
        let days = |week: i64, level: f64, noise: &dyn Fn(usize) -> f64| -> Vec<Point> {
            (0..7)
                .map(|day| {
                    let start =
                        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(week * 168 + day as i64 * 24);
                    let end = start + SignedDuration::from_hours(24);
                    Point {
                        start,
                        end,
                        value: value(level + noise(day)),
                        incomplete: false,
                    }
                })
                .collect()
        };
        let series = Series {
            group: String::new(),
            total: value(now),
            points: days(1, now, &|day| NOISE[day]),
            previous_total: Some(value(before)),
            previous_points: days(0, before, &|day| NOISE[(day * 3) % 7]),
        };
        Measured {
            name: "c.m".to_owned(),
            direction,
            series,
        }
    }

    fn direction(metric: Measured) -> String {
        trends(&[metric])[0].direction.clone()
    }

    #[test]
    fn a_change_beyond_chance_is_judged_by_the_metrics_own_direction() {
        assert_eq!(
            direction(measured(Direction::HigherIsBetter, 0.9, 0.8)),
            "declining"
        );
        assert_eq!(
            direction(measured(Direction::LowerIsBetter, 0.9, 0.8)),
            "improving"
        );
        assert_eq!(
            direction(measured(Direction::HigherIsBetter, 0.8, 0.9)),
            "improving"
        );
        assert_eq!(direction(measured(Direction::HigherIsBetter, 0.9, 0.9)), "stable");
    }

    #[test]
    fn what_is_thin_or_uncovered_or_short_is_not_judged() {
        let mut thin = measured(Direction::HigherIsBetter, 0.9, 0.5);
        thin.series.total.thin = true;
        let mut uncovered = measured(Direction::HigherIsBetter, 0.9, 0.5);
        uncovered.series.previous_total.as_mut().unwrap().coverage = Some(0.5);
        let mut short = measured(Direction::HigherIsBetter, 0.9, 0.5);
        short.series.points.truncate(4);
        let mut cut = measured(Direction::HigherIsBetter, 0.9, 0.5);
        cut.series
            .points
            .iter_mut()
            .take(3)
            .for_each(|point| point.incomplete = true);
        for metric in [thin, uncovered, short, cut] {
            let trend = &trends(&[metric])[0];
            assert_eq!(
                (trend.direction.as_str(), trend.p_value),
                ("insufficient_data", None)
            );
        }
    }

    #[test]
    fn many_metrics_are_judged_together() {
        let one = trends(&[measured(Direction::HigherIsBetter, 0.9, 0.88)])[0]
            .p_value
            .unwrap();
        let many: Vec<_> = (0..20)
            .map(|index| {
                measured(
                    Direction::HigherIsBetter,
                    0.9,
                    if index == 0 { 0.88 } else { 0.9 },
                )
            })
            .collect();
        assert!(trends(&many)[0].p_value.unwrap() > one * 10.0);
    }
}
