//! Between the wire's times and [`jiff`]'s.

use jiff::Timestamp;
use tonic::Status;

use crate::analysis::v1::Window;
use crate::status::invalid_argument;

/// A time as the wire has it.
pub fn to_wire(time: Timestamp) -> prost_types::Timestamp {
    // Both round towards the past: the wire's nanoseconds are never negative.
    let nanos = time.subsec_nanosecond();
    let (seconds, nanos) = if nanos < 0 {
        (time.as_second() - 1, nanos + 1_000_000_000)
    } else {
        (time.as_second(), nanos)
    };
    prost_types::Timestamp { seconds, nanos }
}

/// A time from the wire.
///
/// # Errors
/// `INVALID_ARGUMENT` naming `field` when it is absent or no time between the years -9999 and 9999.
pub fn from_wire(field: &str, time: Option<prost_types::Timestamp>) -> Result<Timestamp, Status> {
    let time = time.ok_or_else(|| invalid_argument(field, "is required"))?;
    if !(0..1_000_000_000).contains(&time.nanos) {
        return Err(invalid_argument(
            field,
            "has nanoseconds outside 0 to 999,999,999",
        ));
    }
    Timestamp::new(time.seconds, time.nanos)
        .map_err(|_| invalid_argument(field, "is no time between the years -9999 and 9999"))
}

/// A window as the wire has it.
pub fn window_to_wire(start: Timestamp, end: Timestamp) -> Window {
    Window {
        start_time: Some(to_wire(start)),
        end_time: Some(to_wire(end)),
    }
}

/// The ends of a window from the wire, in order.
///
/// # Errors
/// `INVALID_ARGUMENT` naming `field` or its part when one is absent, no time, or the end is not after the start.
pub fn window_from_wire(field: &str, window: Option<Window>) -> Result<(Timestamp, Timestamp), Status> {
    let window = window.ok_or_else(|| invalid_argument(field, "is required"))?;
    let start = from_wire(&format!("{field}.start_time"), window.start_time)?;
    let end = from_wire(&format!("{field}.end_time"), window.end_time)?;
    if end <= start {
        return Err(invalid_argument(
            format!("{field}.end_time"),
            "must be after start_time",
        ));
    }
    Ok((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    #[test]
    fn times_come_back_as_they_went_also_before_1970() {
        for text in [
            "2026-01-05T00:00:00.25Z",
            "1969-12-31T23:59:59.999999999Z",
            "1900-01-01T00:00:00Z",
        ] {
            let time: Timestamp = text.parse().unwrap();
            let wire = to_wire(time);
            assert!(wire.nanos >= 0);
            assert_eq!(from_wire("t", Some(wire)).unwrap(), time);
        }
    }

    #[test]
    fn what_is_no_window_is_refused_by_name() {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        for (window, field) in [
            (None, "window"),
            (
                Some(Window {
                    start_time: None,
                    end_time: time(1),
                }),
                "window.start_time",
            ),
            (
                Some(Window {
                    start_time: time(0),
                    end_time: time(i64::MAX),
                }),
                "window.end_time",
            ),
            (
                Some(Window {
                    start_time: time(1),
                    end_time: time(1),
                }),
                "window.end_time",
            ),
        ] {
            let status = window_from_wire("window", window).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            assert!(
                status.message().starts_with(&format!("{field} ")),
                "{}",
                status.message()
            );
        }
    }
}
