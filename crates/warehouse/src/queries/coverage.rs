//! How much of what should be there is there.
//!
//! Coverage is the share of expected events whose hour has any: each hour of the window that is over weighs as much as
//! the component had events in that hour of the week, on average over the (up to four) whole weeks before the window
//! and after the component's first event. A component without a whole week of history is expected equally in each hour
//! since its first event. Nothing is expected where history is empty, so coverage is absent then.
//!
//! What it cannot see: an hour that lost some of its events but not all; a holiday, which looks like a hole; a feed
//! that is quiet at night, as long as it has no history; and hours of the week are UTC's, so two weeks after a clock
//! change compare with hours beside their own.

use std::collections::HashMap;

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_catalogue::Component;
use serde::Deserialize;

use super::window::seconds;
use super::{QueryError, Window};
use crate::client::Client;

const HOUR: u32 = 3_600;
const WEEK: u32 = 168 * HOUR;
const MOST_WEEKS: u32 = 4;

#[derive(Row, Deserialize)]
struct HourCount {
    hour: u32,
    decisions: u64,
}

#[derive(Row, Deserialize)]
struct First {
    hour: u32,
    rows: u64,
}

/// What is expected and present in each hour of a window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coverage {
    start: u32,
    /// Expected and present weight up to, not including, each hour: sums, so that any span is two look-ups.
    cumulative: Vec<(f64, f64)>,
}

impl Coverage {
    /// Share of the expected events from `start` to `end` that are present, 0 to 1; `None` when none are expected.
    pub fn between(&self, start: Timestamp, end: Timestamp) -> Option<f64> {
        let at = |time: Timestamp| {
            let index = (seconds(time).saturating_sub(self.start) / HOUR) as usize;
            self.cumulative
                .get(index.min(self.cumulative.len().saturating_sub(1)))
                .copied()
        };
        let ((expected_before, present_before), (expected, present)) = (at(start)?, at(end)?);
        let expected = expected - expected_before;
        (expected > 0.0).then(|| ((present - present_before) / expected).clamp(0.0, 1.0))
    }

    fn compute(window: Window, first: u32, counts: &HashMap<u32, u64>, now: Timestamp) -> Self {
        let [start, end] = window.bounds();
        let weeks = (start.saturating_sub(first) / WEEK).min(MOST_WEEKS);
        let now = u32::try_from(now.as_second().max(0)).unwrap_or(u32::MAX);
        let mut sums = (0.0, 0.0);
        let mut cumulative = vec![sums];
        for hour in (start..end).step_by(HOUR as usize) {
            let expected = if hour < first || u64::from(hour) + u64::from(HOUR) > u64::from(now) {
                0.0
            } else if weeks == 0 {
                1.0
            } else {
                expected_from_history(start, hour, weeks, counts)
            };
            let present = if counts.contains_key(&hour) { expected } else { 0.0 };
            sums = (sums.0 + expected, sums.1 + present);
            cumulative.push(sums);
        }
        Self { start, cumulative }
    }
}

/// Mean count of the same hour of the week over the `weeks` before `start`.
fn expected_from_history(start: u32, hour: u32, weeks: u32, counts: &HashMap<u32, u64>) -> f64 {
    let same_hour = start - WEEK + (hour - start) % WEEK;
    let sum: u64 = (0..weeks)
        .filter_map(|week| counts.get(&(same_hour - week * WEEK)))
        .sum();
    sum as f64 / f64::from(weeks)
}

/// The component's coverage in a window, as far as it lies before `now`.
///
/// # Errors
/// Any [`QueryError`].
pub async fn coverage(
    client: &Client,
    component: &Component,
    window: Window,
    now: Timestamp,
) -> Result<Coverage, QueryError> {
    // An hour whose sums were corrected to nothing is none.
    let sql = "SELECT toUnixTimestamp(min(hour)) AS hour, count() AS rows FROM ( \
               SELECT hour FROM rollup_hourly WHERE log_type = ? GROUP BY hour HAVING sum(decisions) > 0)";
    let first: Option<First> = client.row(client.query(sql).bind(&component.log_type)).await?;
    let Some(first) = first.filter(|first| first.rows > 0) else {
        return Ok(Coverage::default());
    };
    let [start, end] = window.bounds();
    let sql = "SELECT toUnixTimestamp(hour) AS hour, sum(decisions) AS decisions FROM rollup_hourly \
               WHERE log_type = ? AND hour >= toDateTime(?, 'UTC') AND hour < toDateTime(?, 'UTC') GROUP BY hour \
               HAVING decisions > 0";
    let from = start.saturating_sub(MOST_WEEKS * WEEK);
    let query = client.query(sql).bind(&component.log_type).bind(from).bind(end);
    let counts: Vec<HourCount> = client.rows(query).await?;
    let counts = counts.into_iter().map(|row| (row.hour, row.decisions)).collect();
    Ok(Coverage::compute(window, first.hour, &counts, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window of two weeks that begins at hour 0 of `week`, and what happens in it.
    fn check(week: u32, first: u32, present: impl Fn(u32) -> Option<u64>, now: u32) -> Coverage {
        let time = |second: u32| Timestamp::from_second(second.into()).unwrap();
        let window = Window::new("window", time(week * WEEK), time((week + 2) * WEEK)).unwrap();
        let counts = (first..(week + 2) * WEEK)
            .step_by(HOUR as usize)
            .filter_map(|h| Some((h, present(h)?)))
            .collect();
        Coverage::compute(window, first, &counts, time(now))
    }

    fn between(coverage: &Coverage, start: u32, end: u32) -> Option<f64> {
        let time = |second: u32| Timestamp::from_second(second.into()).unwrap();
        coverage.between(time(start), time(end))
    }

    #[test]
    fn a_hole_weighs_what_its_hours_usually_bring() {
        // 9 decisions in the first hour of a week and 1 in each other; in week 10 that first hour is missing
        let usual = |hour: u32| if hour.is_multiple_of(WEEK) { 9 } else { 1 };
        let coverage = check(10, 0, |hour| (hour != 10 * WEEK).then(|| usual(hour)), u32::MAX);
        assert_eq!(between(&coverage, 10 * WEEK, 11 * WEEK), Some(167.0 / 176.0));
        assert_eq!(between(&coverage, 11 * WEEK, 12 * WEEK), Some(1.0));
    }

    #[test]
    fn without_history_each_hour_since_the_first_is_expected_equally() {
        let first = 10 * WEEK + 68 * HOUR;
        let coverage = check(10, first, |hour| (hour % (2 * HOUR) == 0).then_some(5), u32::MAX);
        assert_eq!(between(&coverage, 10 * WEEK, 11 * WEEK), Some(0.5));
        assert_eq!(between(&coverage, 10 * WEEK, first), None);
    }

    #[test]
    fn hours_that_are_not_over_are_not_expected() {
        let coverage = check(10, 0, |hour| (hour < 11 * WEEK).then_some(1), 11 * WEEK + 1_800);
        assert_eq!(between(&coverage, 10 * WEEK, 12 * WEEK), Some(1.0));
        assert_eq!(between(&coverage, 11 * WEEK, 12 * WEEK), None);
    }

    #[test]
    fn nothing_is_expected_of_a_component_that_had_stopped() {
        let coverage = check(10, 0, |hour| (hour < 2 * WEEK).then_some(1), u32::MAX);
        assert_eq!(between(&coverage, 10 * WEEK, 12 * WEEK), None);
        assert_eq!(between(&Coverage::default(), 0, HOUR), None);
    }
}
