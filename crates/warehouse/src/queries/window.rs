//! Half-open spans of whole hours, and the points they are cut into.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit, ZonedDateTime};

use super::QueryError;

/// Most points a series may have.
pub const MAX_POINTS: usize = 20_000;
/// Longest window: ten years with their leap days.
const MAX_SECONDS: i64 = 3_653 * 86_400;
const HOUR: i64 = 3_600;

/// A half-open span of time on whole hours, at most 10 years long, from 1970 to 2106.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

/// Length of one point. Days, weeks (from Monday) and months are civil ones in a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One hour.
    Hour,
    /// One civil day.
    Day,
    /// One civil week, from Monday.
    Week,
    /// One civil month.
    Month,
}

impl Window {
    /// The window from `start` up to, not including, `end`. `field` is how the API calls the window.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] naming `field.start_time` or `field.end_time`.
    pub fn new(field: &str, start: Timestamp, end: Timestamp) -> Result<Self, QueryError> {
        for (part, time) in [("start_time", start), ("end_time", end)] {
            let wrong = |reason: &str| QueryError::invalid(format!("{field}.{part}"), reason);
            if !(0..=i64::from(u32::MAX)).contains(&time.as_second()) {
                return Err(wrong("must lie between 1970 and 2106"));
            }
            if time.as_second() % HOUR != 0 || time.subsec_nanosecond() != 0 {
                return Err(wrong("must be on a whole hour"));
            }
        }
        if end <= start {
            return Err(QueryError::invalid(
                format!("{field}.end_time"),
                "must be after start_time",
            ));
        }
        if end.as_second() - start.as_second() > MAX_SECONDS {
            return Err(QueryError::invalid(
                format!("{field}.end_time"),
                "must be at most 10 years after start_time",
            ));
        }
        Ok(Self { start, end })
    }

    /// A window of any length that is known to be on whole hours.
    pub(super) fn unbounded(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// First instant.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// First instant after.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// The window from the earlier start of both to the later end.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self::unbounded(self.start.min(other.start), self.end.max(other.end))
    }

    pub(crate) fn bounds(self) -> [u32; 2] {
        [seconds(self.start), seconds(self.end)]
    }

    /// The window of the same length that ends where this one begins. Whole civil days in `zone` compare with as many
    /// civil days, and with a step of months whole civil months with as many months, however long they are.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] when it would begin before 1970.
    pub fn previous(self, step: Option<Step>, zone: &TimeZone) -> Result<Self, QueryError> {
        let impossible = |_| QueryError::invalid("compare_to.previous", "there is no window before 1970");
        let (start, end) = (
            self.start.to_zoned_datetime(zone.clone()),
            self.end.to_zoned_datetime(zone.clone()),
        );
        let is_midnight = |time: &ZonedDateTime| time.start_of_day().is_ok_and(|midnight| midnight == *time);
        let previous = if !(is_midnight(&start) && is_midnight(&end)) {
            let length = self.end.duration_since(self.start);
            self.start.checked_sub(length).map_err(impossible)?
        } else {
            let by_months = step == Some(Step::Month) && start.day() == 1 && end.day() == 1;
            let unit = if by_months { Unit::Month } else { Unit::Day };
            let length: Span = start.until((unit, &end)).map_err(impossible)?;
            start.checked_sub(length).map_err(impossible)?.timestamp()
        };
        Self::new("compare_to.previous", previous, self.start)
    }

    /// First instants of the points, then the end of the window. The first point and the last are cut by the window.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] when the zone's days do not begin on whole hours of UTC, or there are too many points.
    pub fn edges(self, step: Step, zone: &TimeZone) -> Result<Vec<Timestamp>, QueryError> {
        let mut edges = vec![self.start];
        let mut next = boundary_after(self.start, step, zone)?;
        while next < self.end {
            if next.as_second() % HOUR != 0 {
                let reason = "days of this zone do not begin on whole hours of UTC; only steps of an hour are kept for it";
                return Err(QueryError::invalid("time_zone", reason));
            }
            if edges.len() == MAX_POINTS {
                return Err(QueryError::invalid(
                    "step",
                    format!("gives more than {MAX_POINTS} points"),
                ));
            }
            edges.push(next);
            next = boundary_after(next, step, zone)?;
        }
        edges.push(self.end);
        Ok(edges)
    }
}

/// Whether a point from `start` to `end` is a whole step.
pub(super) fn is_whole(
    start: Timestamp,
    end: Timestamp,
    step: Step,
    zone: &TimeZone,
) -> Result<bool, QueryError> {
    let before = start
        .checked_sub(jiff::SignedDuration::from_nanos(1))
        .map_err(out_of_range)?;
    Ok(boundary_after(before, step, zone)? == start && boundary_after(start, step, zone)? == end)
}

/// The first boundary of `step` after `time`.
fn boundary_after(time: Timestamp, step: Step, zone: &TimeZone) -> Result<Timestamp, QueryError> {
    if step == Step::Hour {
        let second = (time.as_second().div_euclid(HOUR) + 1) * HOUR;
        return Timestamp::from_second(second).map_err(out_of_range);
    }
    let date = time.to_zoned_datetime(zone.clone()).date();
    let boundary = match step {
        Step::Hour | Step::Day => date.tomorrow(),
        Step::Week => date.nth_weekday(1, Weekday::Monday),
        Step::Month => date.first_of_month().checked_add(Span::new().months(1)),
    };
    let boundary = boundary
        .and_then(|date| date.to_zoned_datetime(zone.clone()))
        .map_err(out_of_range)?;
    Ok(boundary.timestamp())
}

fn out_of_range(_: jiff::Error) -> QueryError {
    QueryError::invalid("window", "is out of range")
}

/// Seconds since 1970; a [`Window`] lies within what 32 bits hold.
pub(super) fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_second()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: &str, end: &str) -> Window {
        Window::new("window", start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn days_across_a_clock_change_have_23_and_25_hours() {
        let berlin = zone("Europe/Berlin");
        for (start, end, hours) in [
            ("2024-03-30T23:00:00Z", "2024-04-01T22:00:00Z", [23, 24]),
            ("2024-10-26T22:00:00Z", "2024-10-28T23:00:00Z", [25, 24]),
        ] {
            let edges = window(start, end).edges(Step::Day, &berlin).unwrap();
            let lengths: Vec<i64> = edges
                .windows(2)
                .map(|e| (e[1].as_second() - e[0].as_second()) / HOUR)
                .collect();
            assert_eq!(lengths, hours);
            assert!(is_whole(edges[0], edges[1], Step::Day, &berlin).unwrap());
        }
    }

    #[test]
    fn weeks_begin_on_monday_and_a_cut_one_is_not_whole() {
        let edges = window("2024-05-01T00:00:00Z", "2024-05-15T00:00:00Z")
            .edges(Step::Week, &TimeZone::UTC)
            .unwrap();
        let days: Vec<String> = edges
            .iter()
            .map(|edge| edge.strftime("%a %d").to_string())
            .collect();
        assert_eq!(days, ["Wed 01", "Mon 06", "Mon 13", "Wed 15"]);
        let whole: Vec<bool> = edges
            .windows(2)
            .map(|e| is_whole(e[0], e[1], Step::Week, &TimeZone::UTC).unwrap())
            .collect();
        assert_eq!(whole, [false, true, false]);
    }

    #[test]
    fn the_previous_window_is_as_many_months_days_or_hours() {
        for (start, end, step, zone_name, expected) in [
            (
                "2024-03-01T00:00:00Z",
                "2024-05-01T00:00:00Z",
                Some(Step::Month),
                "UTC",
                "2024-01-01T00:00:00Z",
            ),
            (
                "2024-03-01T00:00:00Z",
                "2024-05-01T00:00:00Z",
                None,
                "UTC",
                "2023-12-31T00:00:00Z",
            ),
            // The week holds the change to summer time: 167 hours; the one before has 168
            (
                "2024-03-24T23:00:00Z",
                "2024-03-31T22:00:00Z",
                Some(Step::Week),
                "Europe/Berlin",
                "2024-03-17T23:00:00Z",
            ),
            (
                "2024-03-01T05:00:00Z",
                "2024-03-01T08:00:00Z",
                Some(Step::Hour),
                "UTC",
                "2024-03-01T02:00:00Z",
            ),
        ] {
            let previous = window(start, end).previous(step, &zone(zone_name)).unwrap();
            assert_eq!(previous, window(expected, start));
        }
    }

    #[test]
    fn wrong_windows_are_refused_by_field() {
        for (start, end, message) in [
            (
                "2024-01-01T00:30:00Z",
                "2024-01-02T00:00:00Z",
                "window.start_time: must be on a whole hour",
            ),
            (
                "2024-01-01T00:00:00Z",
                "2024-01-02T00:00:00.5Z",
                "window.end_time: must be on a whole hour",
            ),
            (
                "2024-01-02T00:00:00Z",
                "2024-01-02T00:00:00Z",
                "window.end_time: must be after",
            ),
            (
                "2004-01-02T00:00:00Z",
                "2024-01-02T00:00:00Z",
                "window.end_time: must be at most 10 years",
            ),
            (
                "1969-01-02T00:00:00Z",
                "1971-01-02T00:00:00Z",
                "window.start_time: must lie between",
            ),
        ] {
            let error = Window::new("window", start.parse().unwrap(), end.parse().unwrap()).unwrap_err();
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }

    #[test]
    fn a_zone_off_the_hour_is_refused_for_days_and_fine_for_hours() {
        let window = window("2024-01-01T00:00:00Z", "2024-01-03T00:00:00Z");
        let error = window.edges(Step::Day, &zone("Asia/Kolkata")).unwrap_err();
        assert!(error.to_string().starts_with("time_zone: "), "{error}");
        assert_eq!(window.edges(Step::Hour, &zone("Asia/Kolkata")).unwrap().len(), 49);
    }

    #[test]
    fn too_many_points_are_refused() {
        let window = window("2020-01-01T00:00:00Z", "2024-01-01T00:00:00Z");
        assert!(
            window
                .edges(Step::Hour, &TimeZone::UTC)
                .unwrap_err()
                .to_string()
                .starts_with("step: ")
        );
    }
}
