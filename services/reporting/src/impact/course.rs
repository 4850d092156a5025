//! Days around a change.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use kaizen_warehouse::queries::{QueryError, Window};

/// Days before the change: eight weeks, and the one that raised the recommendation.
const BEFORE: i64 = 63;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Days of 24 hours counted from a change, earliest first. The hour in which it happened belongs to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// Each day's start and end.
    pub days: Vec<Range<Timestamp>>,
    /// Of these, how many are before the change.
    pub before: usize,
}

impl Course {
    /// Around a change at `change`: whole days up to `now`, at most `period` of them after it.
    pub fn around(change: Timestamp, period: u32, now: Timestamp) -> Self {
        let second = change.as_second() + i64::from(change.subsec_nanosecond() > 0);
        let (floor, ceil) = (
            change.as_second().div_euclid(HOUR) * HOUR,
            second.div_euclid(HOUR) * HOUR + if second.rem_euclid(HOUR) == 0 { 0 } else { HOUR },
        );
        let over = (now.as_second() - ceil).div_euclid(DAY);
        let after = over.clamp(0, i64::from(period));
        let day = |start: i64| {
            let start = Timestamp::from_second(start).ok()?;
            Some(start..start.checked_add(SignedDuration::from_secs(DAY)).ok()?)
        };
        // None of the epoch's past is measured
        let earlier: Vec<_> = (1..=BEFORE)
            .rev()
            .map(|back| floor - back * DAY)
            .filter(|start| *start >= 0)
            .filter_map(day)
            .collect();
        let before = earlier.len();
        let later = (0..after).filter_map(|ahead| day(ceil + ahead * DAY));
        Self {
            days: earlier.into_iter().chain(later).collect(),
            before,
        }
    }

    /// Days after the change.
    pub fn after(&self) -> usize {
        self.days.len() - self.before
    }

    /// All of it; `None` without a day before the change.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] where it is no window of decisions.
    pub fn window(&self) -> Result<Option<Window>, QueryError> {
        match (self.days.first(), self.days.last()) {
            (Some(first), Some(last)) => Window::new("window", first.start, last.end).map(Some),
            _ => Ok(None),
        }
    }

    /// The ends of all days, each once, and of each day the place of its start.
    pub fn edges(&self) -> (Vec<Timestamp>, Vec<usize>) {
        let (mut edges, mut places) = (Vec::new(), Vec::new());
        for day in &self.days {
            if edges.last() != Some(&day.start) {
                edges.push(day.start);
            }
            places.push(edges.len() - 1);
            edges.push(day.end);
        }
        (edges, places)
    }

    /// The days before the change that have something of a window.
    pub fn overlapping(&self, window: Window) -> Range<usize> {
        let touched = |day: &Range<Timestamp>| day.start < window.end() && window.start() < day.end;
        let mut touched = (0..self.before).filter(|day| touched(&self.days[*day]));
        match touched.next() {
            Some(first) => first..touched.next_back().unwrap_or(first) + 1,
            None => 0..0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_counted_from_the_change_and_the_hour_of_it_is_in_none() {
        let course = Course::around(time("2026-03-02T10:20:00Z"), 14, time("2026-03-12T10:59:00Z"));
        assert_eq!((course.before, course.after()), (63, 9));
        assert_eq!(course.days[62].end, time("2026-03-02T10:00:00Z"));
        assert_eq!(course.days[63].start, time("2026-03-02T11:00:00Z"));
        let (edges, places) = course.edges();
        // Between the two sides lies the hour of the change, a span that is no day's
        assert_eq!((edges.len(), places[62], places[63]), (74, 62, 64));
        assert_eq!(edges[places[63]], course.days[63].start);
    }

    #[test]
    fn a_change_on_the_hour_leaves_out_nothing_and_the_period_ends_the_days() {
        let course = Course::around(time("2026-03-02T10:00:00Z"), 7, time("2026-06-01T00:00:00Z"));
        assert_eq!(course.after(), 7);
        assert_eq!(course.days[62].end, course.days[63].start);
        assert_eq!(course.edges().0.len(), 71);
    }

    #[test]
    fn what_raised_the_recommendation_is_found_in_whole_days() {
        let course = Course::around(time("2026-03-02T10:00:00Z"), 7, time("2026-03-09T10:00:00Z"));
        let raised = Window::new(
            "window",
            time("2026-02-20T00:00:00Z"),
            time("2026-02-27T00:00:00Z"),
        )
        .unwrap();
        let days = course.overlapping(raised);
        assert_eq!(course.days[days.start].end, time("2026-02-20T10:00:00Z"));
        assert_eq!(course.days[days.end].start, time("2026-02-27T10:00:00Z"));
        let long_ago = Window::new(
            "window",
            time("2020-02-20T00:00:00Z"),
            time("2020-02-27T00:00:00Z"),
        )
        .unwrap();
        assert!(course.overlapping(long_ago).is_empty());
    }
}
