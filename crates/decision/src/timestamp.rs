//! When an event happened, and whether that can be.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use crate::reason::Reason;

/// First millisecond after the hours that a ClickHouse `DateTime` can name: 2106-02-07T06:00:00Z.
pub(crate) const END_OF_HOURS: i64 = 4_294_965_600_000;

/// How far an event's timestamp may be from Kafka's time of its record. Configured per topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimePolicy {
    /// Longest time after the event that its record may be published. `None`: any.
    pub late: Option<Duration>,
    /// Longest time before the event that its record may be published, by clocks that differ. `None`: any.
    pub ahead: Option<Duration>,
}

impl TimePolicy {
    /// The policy of `kaizen.decisions`: 30 days late, 10 minutes ahead.
    pub const LIVE: Self = Self {
        late: Some(Duration::from_secs(30 * 86_400)),
        ahead: Some(Duration::from_secs(600)),
    };
    /// The policy of `kaizen.outcomes` and `kaizen.changes`: told however late, but not before they happened, by clocks 10
    /// minutes apart.
    pub const LATE: Self = Self {
        late: None,
        ..Self::LIVE
    };
    /// The policy of `kaizen.decisions.backfill`: history has no lateness.
    pub const BACKFILL: Self = Self {
        late: None,
        ahead: None,
    };

    /// Judges an event's timestamp against its record's time, both in milliseconds since 1970.
    pub(crate) fn judge(&self, timestamp: i64, recorded: i64) -> Result<(), Reason> {
        let exceeds = |distance: i64, limit: Option<Duration>| {
            limit.is_some_and(|limit| {
                i128::from(distance) > i128::try_from(limit.as_millis()).unwrap_or(i128::MAX)
            })
        };
        if exceeds(recorded.saturating_sub(timestamp), self.late) {
            Err(Reason::TooLate)
        } else if exceeds(timestamp.saturating_sub(recorded), self.ahead) {
            Err(Reason::InFuture)
        } else {
            Ok(())
        }
    }
}

/// Reads RFC 3339 or ISO 8601 with a time of day; without an offset it is UTC.
pub(crate) fn parse(text: &str) -> Result<Timestamp, Reason> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    if !text.contains(['T', 't', ' ']) {
        return Err(Reason::TimestampInvalid); // a date is no point in time
    }
    let timestamp = match PARSER.parse_timestamp(text) {
        Ok(timestamp) => timestamp,
        // A zone's name without an offset is not naive
        Err(_) if text.contains('[') => return Err(Reason::TimestampInvalid),
        Err(_) => PARSER
            .parse_datetime(text)
            .and_then(|naive| TimeZone::UTC.to_timestamp(naive))
            .map_err(|_| Reason::TimestampInvalid)?,
    };
    if (0..END_OF_HOURS).contains(&timestamp.as_millisecond()) {
        Ok(timestamp)
    } else {
        Err(Reason::OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_read_as_iso_8601_says() {
        let noon = "2024-05-01T12:00:00Z".parse::<Timestamp>().unwrap();
        for text in [
            "2024-05-01T12:00:00Z",
            "2024-05-01t12:00:00z",
            "2024-05-01T12:00:00",
            "2024-05-01 12:00:00",
            "2024-05-01T12:00:00.000000",
            "2024-05-01T14:00:00+02:00",
            "20240501T120000Z",
            "2024-05-01T14:00:00+02:00[Europe/Berlin]",
        ] {
            assert_eq!(parse(text), Ok(noon), "{text}");
        }
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for text in [
            "",
            "yesterday at noon",
            "2024-05-01",
            "1714564800",
            "2024-02-30T00:00:00Z",
            "2024-05-01T25:00:00Z",
            "2024-05-01T12:00:00+99:00",
            "2024-05-01T14:00:00[Europe/Berlin]",
            "2024-05-01T12:00:00Zulu",
        ] {
            assert_eq!(parse(text), Err(Reason::TimestampInvalid), "{text}");
        }
        for text in [
            "1969-12-31T23:59:59Z",
            "2106-02-07T06:00:00Z",
            "0001-01-01T00:00:00",
        ] {
            assert_eq!(parse(text), Err(Reason::OutOfRange), "{text}");
        }
    }

    #[test]
    fn lateness_begins_after_the_last_millisecond_allowed() {
        let (month, minutes) = (30 * 86_400_000, 600_000);
        let judge = |timestamp| TimePolicy::LIVE.judge(timestamp, 1_714_564_800_000);
        assert_eq!(judge(1_714_564_800_000 - month), Ok(()));
        assert_eq!(judge(1_714_564_800_000 - month - 1), Err(Reason::TooLate));
        assert_eq!(judge(1_714_564_800_000 + minutes), Ok(()));
        assert_eq!(judge(1_714_564_800_000 + minutes + 1), Err(Reason::InFuture));
        let late = |timestamp| TimePolicy::LATE.judge(timestamp, 1_714_564_800_000);
        assert_eq!(late(0), Ok(()));
        assert_eq!(late(1_714_564_800_000 + minutes + 1), Err(Reason::InFuture));
        assert_eq!(TimePolicy::BACKFILL.judge(0, i64::MAX), Ok(()));
        assert_eq!(TimePolicy::BACKFILL.judge(i64::MAX, i64::MIN), Ok(()));
    }
}
