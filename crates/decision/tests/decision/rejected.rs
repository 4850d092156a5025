//! One record for each reason and each field it can have.

use kaizen_decision::{RawRecord, Reason, Rejection};

use crate::event::{outcome, record};

/// A record that is no decision.
pub struct Case {
    pub value: Option<Vec<u8>>,
    pub content_type: Option<&'static str>,
    pub event_id: Option<Vec<u8>>,
    pub time: Option<i64>,
    pub rejection: Rejection,
    /// Whether the JSON Schema can tell.
    pub in_schema: bool,
}

const VALID: &str = r#"{"event_id":"e","log_type":"website_analysis","session_id":"s","timestamp":"2024-05-01T12:00:00Z","lead_identifier":{"name":"n","company":"c","industry":"i"},"input_data":{"a":1},"output_data":{"b":2},"decision_reasoning":{"method_used":"m","confidence_level":"high","processing_time":1.5,"success":true},"training_labels":{"quality_score":50,"success_indicator":true,"improvement_potential":"low"},"allocation":{"experiment":"x","arm":"y","probability":0.5}}"#;

fn case(value: impl Into<Vec<u8>>, field: &'static str, reason: Reason, in_schema: bool) -> Case {
    Case {
        value: Some(value.into()),
        content_type: None,
        event_id: None,
        time: Some(crate::event::NOON),
        rejection: Rejection::at(field, reason),
        in_schema,
    }
}

/// The valid event with one member replaced.
fn with(member: &str, replacement: &str, field: &'static str, reason: Reason, in_schema: bool) -> Case {
    assert_eq!(VALID.matches(member).count(), 1, "{member}");
    case(VALID.replace(member, replacement), field, reason, in_schema)
}

fn text(characters: usize) -> String {
    format!("\"{}\"", "é".repeat(characters))
}

pub fn cases() -> Vec<Case> {
    [whole(), fields(), ranges(), objects()]
        .into_iter()
        .flatten()
        .collect()
}

fn whole() -> Vec<Case> {
    let valid = |reason| case(VALID, "", reason, false);
    vec![
        Case {
            value: None,
            ..valid(Reason::Tombstone)
        },
        Case {
            time: None,
            ..valid(Reason::NoRecordTime)
        },
        Case {
            time: Some(-1),
            ..valid(Reason::NoRecordTime)
        },
        Case {
            content_type: Some("application/avro"),
            ..valid(Reason::UnknownContentType)
        },
        Case {
            content_type: Some("application/x-protobuf"),
            ..valid(Reason::NotProtobuf)
        },
        case(b"{\"session_id\":\"\xff\"}", "", Reason::NotUtf8, false),
        case("", "", Reason::NotJson, false),
        case("{", "", Reason::NotJson, false),
        case(VALID.replace("1.5", "NaN"), "", Reason::NotJson, false),
        case(format!("{VALID}{VALID}"), "", Reason::NotJson, false),
        case(format!("{VALID} x"), "", Reason::NotJson, false),
        case(format!("\u{feff}{VALID}"), "", Reason::NotJson, false),
        case("null", "", Reason::WrongType, true),
        case(format!("[{VALID}]"), "", Reason::WrongType, true),
        Case {
            event_id: Some(vec![0xff]),
            ..with(r#""event_id":"e","#, "", "/event_id", Reason::NotUtf8, false)
        },
        Case {
            event_id: Some(vec![b'x'; 65]),
            ..with(r#""event_id":"e","#, "", "/event_id", Reason::OutOfRange, false)
        },
    ]
}

#[expect(clippy::too_many_lines, reason = "one table, a line a case")]
fn fields() -> Vec<Case> {
    use Reason::{DuplicateField, MissingField, NotUtf8, UnknownLogType, UnknownValue, WrongType};
    let mut cases = Vec::new();
    for (member, field) in [
        (r#""log_type":"website_analysis","#, "/log_type"),
        (r#""session_id":"s","#, "/session_id"),
        (r#""timestamp":"2024-05-01T12:00:00Z","#, "/timestamp"),
        (r#""method_used":"m","#, "/decision_reasoning/method_used"),
        (r#","success":true"#, "/decision_reasoning/success"),
    ] {
        cases.push(with(member, "", field, MissingField, true));
        let (name, _) = member.trim_matches(',').split_once(':').unwrap();
        let null = format!(
            "{}{name}:null{}",
            &member[..usize::from(member.starts_with(','))],
            { if member.ends_with(',') { "," } else { "" } }
        );
        cases.push(with(member, &null, field, MissingField, true));
    }
    let reasoning = r#""decision_reasoning":{"method_used":"m","confidence_level":"high","processing_time":1.5,"success":true},"#;
    cases.push(with(reasoning, "", "/decision_reasoning", MissingField, true));
    for (member, wrong, field) in [
        (r#""event_id":"e""#, r#""event_id":1"#, "/event_id"),
        (r#""website_analysis""#, "7", "/log_type"),
        (r#""session_id":"s""#, r#""session_id":["s"]"#, "/session_id"),
        (r#""2024-05-01T12:00:00Z""#, "1714564800", "/timestamp"),
        (r#""name":"n""#, r#""name":{}"#, "/lead_identifier/name"),
        (r#""company":"c""#, r#""company":1"#, "/lead_identifier/company"),
        (
            r#""industry":"i""#,
            r#""industry":true"#,
            "/lead_identifier/industry",
        ),
        (
            r#"{"name":"n","company":"c","industry":"i"}"#,
            r#""n""#,
            "/lead_identifier",
        ),
        (r#"{"a":1}"#, "[]", "/input_data"),
        (r#"{"b":2}"#, r#""text""#, "/output_data"),
        (
            r#""method_used":"m""#,
            r#""method_used":1"#,
            "/decision_reasoning/method_used",
        ),
        (r#""high""#, "3", "/decision_reasoning/confidence_level"),
        ("1.5", r#""fast""#, "/decision_reasoning/processing_time"),
        ("1.5", "true", "/decision_reasoning/processing_time"),
        (
            r#""success":true"#,
            r#""success":"true""#,
            "/decision_reasoning/success",
        ),
        ("50", r#""50""#, "/training_labels/quality_score"),
        (
            r#""success_indicator":true"#,
            r#""success_indicator":1"#,
            "/training_labels/success_indicator",
        ),
        (r#""low""#, "1", "/training_labels/improvement_potential"),
        (
            r#""experiment":"x""#,
            r#""experiment":1"#,
            "/allocation/experiment",
        ),
        (r#""arm":"y""#, r#""arm":1"#, "/allocation/arm"),
        ("0.5", r#""0.5""#, "/allocation/probability"),
        (
            r#"{"experiment":"x","arm":"y","probability":0.5}"#,
            "[1]",
            "/allocation",
        ),
    ] {
        cases.push(with(member, wrong, field, WrongType, true));
    }
    cases.extend([
        with(
            r#""event_id":"e""#,
            r#""event_id":"e","event_id":"e""#,
            "/event_id",
            DuplicateField,
            false,
        ),
        with(
            "50",
            r#"50,"quality_score":51"#,
            "/training_labels/quality_score",
            DuplicateField,
            false,
        ),
        with(
            r#""session_id":"s""#,
            r#""session_id":"\ud800""#,
            "/session_id",
            NotUtf8,
            false,
        ),
        with(
            "website_analysis",
            "weather_forecast",
            "/log_type",
            UnknownLogType,
            false,
        ),
        with(
            "website_analysis",
            "Website_Analysis",
            "/log_type",
            UnknownLogType,
            false,
        ),
        with(
            "\"high\"",
            "\"HIGH\"",
            "/decision_reasoning/confidence_level",
            UnknownValue,
            true,
        ),
        with(
            "\"low\"",
            "\"\"",
            "/training_labels/improvement_potential",
            UnknownValue,
            true,
        ),
    ]);
    cases
}

fn ranges() -> Vec<Case> {
    use Reason::{InFuture, OutOfRange, TimestampInvalid, TooLate};
    let out = |member: &str, replacement: &str, field| with(member, replacement, field, OutOfRange, true);
    let time = |timestamp: &str, reason, in_schema| {
        with("2024-05-01T12:00:00Z", timestamp, "/timestamp", reason, in_schema)
    };
    let seconds = "/decision_reasoning/processing_time";
    vec![
        out("\"e\"", &text(65), "/event_id"),
        out("\"s\"", "\"\"", "/session_id"),
        out("\"s\"", &text(129), "/session_id"),
        out("\"n\"", &text(257), "/lead_identifier/name"),
        out("\"c\"", &text(257), "/lead_identifier/company"),
        out("\"i\"", &text(257), "/lead_identifier/industry"),
        out("\"m\"", "\"\"", "/decision_reasoning/method_used"),
        out("\"m\"", &text(129), "/decision_reasoning/method_used"),
        out("1.5", "-0.001", seconds),
        out("1.5", "1e10", seconds),
        with("1.5", "1e999", seconds, OutOfRange, false),
        out("1.5", "\"NaN\"", seconds),
        out("1.5", "\"inf\"", seconds),
        out("1.5", "\"-1\"", seconds),
        out("50", "100.001", "/training_labels/quality_score"),
        out("50", "-1", "/training_labels/quality_score"),
        out("\"x\"", &text(129), "/allocation/experiment"),
        out("\"y\"", &text(65), "/allocation/arm"),
        out("0.5", "1.01", "/allocation/probability"),
        out("0.5", "-0.01", "/allocation/probability"),
        time("last tuesday", TimestampInvalid, true),
        time("2024-05-01", TimestampInvalid, true),
        time("2024-02-30T12:00:00Z", TimestampInvalid, false),
        time("1066-10-14T09:00:00Z", OutOfRange, false),
        time("2024-04-01T11:59:59.999Z", TooLate, false),
        time("2024-05-01T12:10:00.001Z", InFuture, false),
    ]
}

fn objects() -> Vec<Case> {
    let mut cases = Vec::new();
    for (member, field) in [(r#"{"a":1}"#, "/input_data"), (r#"{"b":2}"#, "/output_data")] {
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(256 * 1024 - 7));
        let deep = format!("{}1{}", r#"{"a":"#.repeat(33), "}".repeat(33));
        let deep_lists = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        cases.push(with(member, &large, field, Reason::TooLarge, false));
        cases.push(with(member, &deep, field, Reason::TooDeep, false));
        cases.push(with(member, &deep_lists, field, Reason::TooDeep, false));
    }
    cases
}

#[test]
fn every_broken_rule_is_named_with_its_field() {
    assert_eq!(outcome(&record(VALID.as_bytes()), |_| ()), Ok(()));
    for case in cases() {
        let record = RawRecord {
            value: case.value.as_deref(),
            content_type: case.content_type.map(str::as_bytes),
            event_id: case.event_id.as_deref(),
            time: case.time,
            ..record(b"")
        };
        let value = String::from_utf8_lossy(case.value.as_deref().unwrap_or_default()).into_owned();
        assert_eq!(outcome(&record, |_| ()), Err(case.rejection), "{value:.600}");
    }
}

#[test]
fn every_reason_has_a_case_and_a_word_of_its_own() {
    let cases = cases();
    for reason in Reason::ALL {
        assert!(
            cases.iter().any(|case| case.rejection.reason == *reason),
            "{reason} is not covered"
        );
        let same_word = Reason::ALL
            .iter()
            .filter(|other| other.as_str() == reason.as_str())
            .count();
        assert_eq!(same_word, 1, "{reason}");
    }
    let distinct: std::collections::HashSet<_> = cases
        .iter()
        .map(|case| (case.rejection.reason, case.rejection.field))
        .collect();
    assert!(distinct.len() >= 24, "{}", distinct.len());
}
