//! Which way each metric goes: a first, simple answer that does not cry wolf.
//!
//! A day of the period is paired with the same weekday of the period before, so that weekdays cancel out, and the
//! differences are tested by the paired t-test. The p-values of all metrics are adjusted together, so that of the trends
//! reported at 5 % about one in twenty is chance. It sees no change within a period, takes days as independent, needs
//! at least five pairs of whole days, and leaves out days most of whose decisions are missing: an outage is a fault of
//! the data, not of what is measured.

use jiff::SignedDuration;
use kaizen_catalogue::Direction;
use kaizen_stats::{PairedT, benjamini_hochberg, paired_t};
use kaizen_warehouse::queries::{Point, Series, TrendRecord, Value};

use super::{Measured, Work};

const METHOD: &str = "paired t-test over days, Benjamini-Hochberg adjusted";
/// Below so many pairs a p-value says little.
const FEWEST_PAIRS: usize = 5;
/// Below this coverage of either period the two are not the same thing.
const LEAST_COVERAGE: f64 = 0.8;
/// Below this coverage a day is left out.
const LEAST_COVERAGE_OF_A_DAY: f64 = 0.5;
/// Up to here a change is called one.
const MEDIUM: f64 = 0.05;
const HIGH: f64 = 0.01;

/// Judges every metric that was measured.
pub fn judge(work: &mut Work<'_>) {
    work.trends = trends(&work.measured);
}

fn trends(measured: &[Measured]) -> Vec<TrendRecord> {
    let tests: Vec<Option<PairedT>> = measured.iter().map(|metric| test(&metric.series)).collect();
    let known: Vec<f64> = tests.iter().flatten().map(|test| test.p_value).collect();
    let mut adjusted = benjamini_hochberg(&known).into_iter();
    let judge = |(metric, test): (&Measured, &Option<PairedT>)| {
        let found = test.and_then(|test| Some((test.mean_difference, adjusted.next()?)));
        trend(metric, found)
    };
    measured.iter().zip(&tests).map(judge).collect()
}

/// `found` is the mean difference of the days and its adjusted p-value.
fn trend(metric: &Measured, found: Option<(f64, f64)>) -> TrendRecord {
    let (direction, significance) = match found {
        None => ("insufficient_data", ""),
        Some((difference, p)) if p < HIGH => (towards(metric, difference), "high"),
        Some((difference, p)) if p < MEDIUM => (towards(metric, difference), "medium"),
        Some(_) => ("stable", "low"),
    };
    TrendRecord {
        metric: metric.name.clone(),
        direction: direction.to_owned(),
        change_percent: metric.series.relative_change().map(|change| change * 100.0),
        p_value: found.map(|(_, p)| p),
        significance: significance.to_owned(),
        method: METHOD.to_owned(),
    }
}

/// The whole and its days must agree; where they do not, what changed is the weight of the days.
fn towards(metric: &Measured, difference: f64) -> &'static str {
    match metric.series.change() {
        Some(change) if change * difference > 0.0 => {
            if (change > 0.0) == (metric.direction == Direction::HigherIsBetter) {
                "improving"
            } else {
                "declining"
            }
        }
        _ => "stable",
    }
}

/// Tests for no change between the periods; `None` when there is too little to say.
fn test(series: &Series) -> Option<PairedT> {
    let fit = |value: &Value| !value.thin && value.coverage.is_none_or(|coverage| coverage >= LEAST_COVERAGE);
    if !fit(&series.total) || !series.previous_total.as_ref().is_some_and(fit) {
        return None;
    }
    let pairs = pairs(series);
    // With less than half of the days, the period before is mostly one that nothing is known of.
    if pairs.len() < FEWEST_PAIRS || pairs.len() * 2 < series.points.len() {
        return None;
    }
    paired_t(&pairs, 0.0)
}

/// Days before and now, as many whole weeks apart as the period has, at least one.
fn pairs(series: &Series) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (series.points.first(), series.points.last()) else {
        return Vec::new();
    };
    let apart = (days(last.end.duration_since(first.start)) / 7 * 7).max(7);
    let pair = |now: &Point| {
        let before = whole(&series.previous_points)
            .find(|before| days(now.start.duration_since(before.start)) == apart)?;
        before.value.value.zip(now.value.value)
    };
    whole(&series.points).filter_map(pair).collect()
}

/// Days that have ended and have most of their decisions.
fn whole(points: &[Point]) -> impl Iterator<Item = &Point> {
    let covered = |value: Value| value.coverage.is_some_and(|it| it >= LEAST_COVERAGE_OF_A_DAY);
    points
        .iter()
        .filter(move |point| !point.incomplete && covered(point.value))
}

/// To the nearest: a day with a clock change has an hour more or less.
fn days(span: SignedDuration) -> i64 {
    (span.as_hours() + 12).div_euclid(24)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use jiff::Timestamp;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    const NOISE: [f64; 7] = [0.01, -0.02, 0.015, 0.0, -0.01, 0.02, -0.015];

    fn value(value: f64) -> Value {
        Value {
            value: Some(value),
            n: 1000,
            coverage: Some(1.0),
            ..Value::default()
        }
    }

    /// Points of days counted from 1970, a Thursday.
    fn points(days: Range<i64>, level: impl FnMut(i64) -> f64) -> Vec<Point> {
        let midnight = |day| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(day * 24);
        let point = |(day, level)| Point {
            start: midnight(day),
            end: midnight(day + 1),
            value: value(level),
            incomplete: false,
        };
        days.clone().zip(days.map(level)).map(point).collect()
    }

    fn mean(points: &[Point]) -> f64 {
        points.iter().filter_map(|point| point.value.value).sum::<f64>() / points.len() as f64
    }

    fn measured(direction: Direction, before: Vec<Point>, now: Vec<Point>) -> Measured {
        Measured {
            name: "c.m".to_owned(),
            direction,
            series: Series {
                group: String::new(),
                total: value(mean(&now)),
                previous_total: Some(value(mean(&before))),
                points: now,
                previous_points: before,
            },
        }
    }

    /// Two weeks, one at each level.
    fn weeks(direction: Direction, before: f64, now: f64) -> Measured {
        let noise = |day: i64| NOISE[day as usize % 7];
        measured(
            direction,
            points(0..7, |day| before + noise(day * 3)),
            points(7..14, |day| now + noise(day)),
        )
    }

    fn direction(metric: Measured) -> String {
        trends(&[metric])[0].direction.clone()
    }

    #[test]
    fn a_change_beyond_chance_is_judged_by_the_metrics_own_direction() {
        assert_eq!(direction(weeks(Direction::HigherIsBetter, 0.9, 0.8)), "declining");
        assert_eq!(direction(weeks(Direction::LowerIsBetter, 0.9, 0.8)), "improving");
        assert_eq!(direction(weeks(Direction::HigherIsBetter, 0.8, 0.9)), "improving");
        assert_eq!(direction(weeks(Direction::HigherIsBetter, 0.9, 0.9)), "stable");
    }

    #[test]
    fn what_is_thin_or_uncovered_or_short_is_not_judged() {
        let mut thin = weeks(Direction::HigherIsBetter, 0.9, 0.5);
        thin.series.total.thin = true;
        let mut uncovered = weeks(Direction::HigherIsBetter, 0.9, 0.5);
        uncovered.series.previous_total.as_mut().unwrap().coverage = Some(0.5);
        let mut short = weeks(Direction::HigherIsBetter, 0.9, 0.5);
        short.series.points.truncate(4);
        let mut cut = weeks(Direction::HigherIsBetter, 0.9, 0.5);
        cut.series
            .points
            .iter_mut()
            .take(3)
            .for_each(|point| point.incomplete = true);
        // The first decisions came a week before the period: nothing is expected of the days before.
        let mut young = measured(
            Direction::HigherIsBetter,
            points(0..28, |_| 0.0),
            points(28..56, |day| 100.0 + NOISE[day as usize % 7]),
        );
        for point in young.series.previous_points.iter_mut().take(21) {
            point.value.coverage = None;
        }
        for metric in [thin, uncovered, short, cut, young] {
            let trend = &trends(&[metric])[0];
            assert_eq!(
                (trend.direction.as_str(), trend.p_value),
                ("insufficient_data", None)
            );
        }
    }

    #[test]
    fn many_metrics_are_judged_together() {
        let one = trends(&[weeks(Direction::HigherIsBetter, 0.9, 0.88)])[0]
            .p_value
            .unwrap();
        let many: Vec<_> = (0..20)
            .map(|index| {
                weeks(
                    Direction::HigherIsBetter,
                    0.9,
                    if index == 0 { 0.88 } else { 0.9 },
                )
            })
            .collect();
        assert!(trends(&many)[0].p_value.unwrap() > one * 10.0);
    }

    #[test]
    fn days_that_miss_most_of_their_decisions_are_no_change() {
        // Half of the week after is an outage: 0.1 of the decisions, and none of them counted.
        let mut outage = weeks(Direction::HigherIsBetter, 100.0, 100.0);
        for point in outage.series.points.iter_mut().take(2) {
            (point.value.value, point.value.coverage) = (Some(0.0), Some(0.1));
        }
        assert_eq!(pairs(&outage.series).len(), 5);
        assert_eq!(direction(outage), "stable");
    }

    #[test]
    fn a_day_is_compared_with_the_same_weekday_in_a_period_of_any_length() {
        for (length, expected) in [(4, 1), (6, 5), (7, 7), (10, 7), (28, 28), (30, 28)] {
            // The value of a day tells which day it is.
            let days = |range| points(range, |day| day as f64);
            let found = pairs(
                &measured(
                    Direction::HigherIsBetter,
                    days(0..length),
                    days(length..2 * length),
                )
                .series,
            );
            assert_eq!(found.len(), expected, "{length} days");
            assert!(
                found.iter().all(|(before, now)| (now - before) % 7.0 == 0.0),
                "{length} days"
            );
        }
    }

    #[test]
    fn a_period_that_begins_within_a_day_compares_whole_days_with_whole_days() {
        let mut metric = weeks(Direction::HigherIsBetter, 0.9, 0.8);
        let Series {
            points,
            previous_points,
            ..
        } = &mut metric.series;
        for points in [points, previous_points] {
            let (first, last) = (points[0], points[6]);
            // From 18:00 to 18:00: the first day is cut, and so is one more at the end.
            points[0] = Point {
                start: first.start + SignedDuration::from_hours(18),
                incomplete: true,
                ..first
            };
            let end = last.end + SignedDuration::from_hours(18);
            points.push(Point {
                start: last.end,
                end,
                incomplete: true,
                ..last
            });
        }
        assert_eq!(pairs(&metric.series).len(), 6);
    }

    #[test]
    fn a_change_of_the_whole_that_its_days_do_not_show_is_none() {
        let mut metric = weeks(Direction::HigherIsBetter, 0.9, 0.8);
        metric.series.total = value(0.95);
        assert_eq!(direction(metric), "stable");
    }

    #[test]
    fn of_metrics_that_only_follow_the_week_about_one_in_twenty_is_called_changed() {
        for length in [6, 7, 10, 28, 30] {
            let changed = (0..20_000).filter(|seed| {
                let mut random = ChaCha8Rng::seed_from_u64(*seed);
                let mut level = |day: i64| {
                    let noise: f64 = StandardNormal.sample(&mut random);
                    (if day % 7 < 2 { 50.0 } else { 100.0 }) + noise
                };
                let before = points(0..length, &mut level);
                let metric = measured(
                    Direction::HigherIsBetter,
                    before,
                    points(length..2 * length, &mut level),
                );
                trends(&[metric])[0].p_value.unwrap() < MEDIUM
            });
            // 5 % of 20,000 and three standard errors to either side.
            let changed = changed.count();
            assert!((908..=1092).contains(&changed), "{length} days: {changed}");
        }
    }
}
