//! A series from CSV: each line judged, the first bad one named.

use std::io::Read;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use thiserror::Error;

/// A series as it stands in a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Times as they were written.
    pub at: Vec<String>,
    /// Times in seconds, or plain numbers.
    pub times: Vec<f64>,
    /// Whether the times are plain numbers.
    pub numbered: bool,
    /// Values, NaN where one is missing.
    pub values: Vec<f64>,
}

/// Why a file is no series.
#[derive(Debug, Error)]
pub enum Error {
    /// The first line is not the header.
    #[error("line 1: the header is {found:?}; it must be \"timestamp,value\"")]
    Header {
        /// What it is.
        found: String,
    },
    /// A field breaks its rule.
    #[error("line {line}: {field}: {found:?}: {rule}")]
    Field {
        /// Its line, the header being 1.
        line: u64,
        /// The column.
        field: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        rule: &'static str,
    },
    /// The file is no CSV with as many fields on each line as in the header, or cannot be read.
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// What a time must be.
pub const TIME: &str = "must be RFC 3339, YYYY-MM-DD, YYYY-MM-DD HH:MM:SS or a plain number";
/// What times must be together.
pub const SAME: &str = "must be of the kind of the first line: all times or all plain numbers";
/// What a value must be.
pub const VALUE: &str = "must be a finite number, or empty where it is missing";

/// Reads a series.
///
/// # Errors
/// The header or a field breaks its rule.
pub fn read(from: impl Read) -> Result<Series, Error> {
    let mut lines = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(from);
    let header = lines.headers()?;
    // Spreadsheets put a byte order mark first.
    let names: Vec<&str> = header
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}'))
        .collect();
    if names != ["timestamp", "value"] {
        return Err(Error::Header {
            found: names.join(","),
        });
    }
    let mut series = Series::default();
    let mut record = csv::StringRecord::new();
    while lines.read_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let (at, value) = (
            record.get(0).unwrap_or_default(),
            record.get(1).unwrap_or_default(),
        );
        let broken = |field, found: &str, rule| Error::Field {
            line,
            field,
            found: found.to_owned(),
            rule,
        };
        let (time, numbered) = time(at).ok_or_else(|| broken("timestamp", at, TIME))?;
        if series.at.is_empty() {
            series.numbered = numbered;
        } else if numbered != series.numbered {
            return Err(broken("timestamp", at, SAME));
        }
        series.at.push(at.to_owned());
        series.times.push(time);
        series
            .values
            .push(number(value).ok_or_else(|| broken("value", value, VALUE))?);
    }
    Ok(series)
}

/// Seconds or a plain number, and which of the two.
pub fn time(text: &str) -> Option<(f64, bool)> {
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some((number, true));
    }
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok();
        let civil = civil.or_else(|| text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
        civil
            .to_zoned_datetime(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })?;
    Some((timestamp.as_millisecond() as f64 / 1000.0, false))
}

/// A finite number; NaN where it is missing.
pub fn number(text: &str) -> Option<f64> {
    if text.is_empty() || text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, complaint: &str) {
        assert_eq!(read(file.as_bytes()).unwrap_err().to_string(), complaint);
    }

    #[test]
    fn what_breaks_a_rule_is_named_with_its_line() {
        check(
            "time,value\n",
            "line 1: the header is \"time,value\"; it must be \"timestamp,value\"",
        );
        check("", "line 1: the header is \"\"; it must be \"timestamp,value\"");
        check(
            "timestamp,value\n2026-01-01,1\n2026-13-01,2\n",
            "line 3: timestamp: \"2026-13-01\": must be RFC 3339, YYYY-MM-DD, YYYY-MM-DD HH:MM:SS or a plain number",
        );
        check(
            "timestamp,value\n0,1\n2026-01-01,2\n",
            "line 3: timestamp: \"2026-01-01\": must be of the kind of the first line: all times or all plain numbers",
        );
        check(
            "timestamp,value\n0,1\n1,many\n",
            "line 3: value: \"many\": must be a finite number, or empty where it is missing",
        );
        check(
            "timestamp,value\n0,1\n1,inf\n",
            "line 3: value: \"inf\": must be a finite number, or empty where it is missing",
        );
        assert!(
            read("timestamp,value\n0,1,2\n".as_bytes())
                .unwrap_err()
                .to_string()
                .contains("line: 2")
        );
    }

    #[test]
    fn every_form_of_a_time_is_read_and_an_empty_value_is_missing() {
        let file = "timestamp,value\n1970-01-01T01:00:00+01:00,1\n1970-01-02,\n1970-01-01 00:00:10,2.5e1\n1970-01-01T00:00:01.5Z,-3\n";
        let series = read(file.as_bytes()).unwrap();
        assert_eq!(series.times, [0.0, 86_400.0, 10.0, 1.5]);
        assert!(series.values[1].is_nan() && series.values[2] == 25.0 && !series.numbered);
        let series = read("\u{feff}timestamp,value\r\n3,1\r\n4,2\r\n".as_bytes()).unwrap();
        assert_eq!((series.times, series.numbered), (vec![3.0, 4.0], true));
    }
}
