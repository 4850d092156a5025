//! The events that join the decisions: outcomes and changes. What is accepted and how it is read, what is rejected and why.

use kaizen_decision::{RawRecord, Reason, Rejection, TimePolicy, read_change, read_outcome};
use proptest::prelude::*;
use serde_json::Value;

use crate::event::record;

const OUTCOME: &str = r#"{"event_id":"e","session_id":"s","outcome":"deal","timestamp":"2024-05-01T12:00:00Z","value":900.5,"currency":"EUR"}"#;
const CHANGE: &str = r#"{"event_id":"e","kind":"deploy","component":"crm_sync","version":"2.1","at":"2024-05-01T12:00:00Z","link":"https://x.example/1"}"#;

/// What the topic makes of a record: what the event says, in words.
fn outcome(record: &RawRecord<'_>) -> Result<String, Rejection> {
    let it = read_outcome(record, &TimePolicy::LATE)?;
    Ok(format!(
        "{} {} {} {} {:?} {:?} {}",
        it.event_id, it.session_id, it.outcome, it.timestamp, it.value, it.currency, it.extra
    ))
}

fn change(record: &RawRecord<'_>) -> Result<String, Rejection> {
    let it = read_change(record, &TimePolicy::LATE)?;
    let kind = it.kind.as_str();
    Ok(format!(
        "{} {kind} {} {} {} {:?} {}",
        it.event_id, it.component, it.version, it.at, it.link, it.extra
    ))
}

type Reader = fn(&RawRecord<'_>) -> Result<String, Rejection>;

/// Both kinds: how they are read, a valid one, and their schema.
fn kinds() -> [(Reader, &'static str, jsonschema::Validator); 2] {
    let validator = |text: &str| {
        let schema: Value = serde_json::from_str(text).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    };
    [
        (
            outcome,
            OUTCOME,
            validator(include_str!("../../../../docs/api/outcome.schema.json")),
        ),
        (
            change,
            CHANGE,
            validator(include_str!("../../../../docs/api/change.schema.json")),
        ),
    ]
}

fn derived(read: Reader, json: &str) -> String {
    let told = read(&record(json.as_bytes())).unwrap();
    told.split(' ').next().unwrap().to_owned()
}

#[test]
fn every_field_is_read_and_what_no_schema_names_is_kept() {
    let unknown = |json: &str| json.replacen('{', r#"{ "by" : "caf\u00e9", "n": [1, 2] ,"#, 1);
    assert_eq!(
        outcome(&record(unknown(OUTCOME).as_bytes())).unwrap(),
        r#"e s deal 2024-05-01T12:00:00Z Some(900.5) Some("EUR") {"by":"café","n":[1,2]}"#
    );
    assert_eq!(
        change(&record(unknown(CHANGE).as_bytes())).unwrap(),
        r#"e deploy crm_sync 2.1 2024-05-01T12:00:00Z Some("https://x.example/1") {"by":"café","n":[1,2]}"#
    );
    let least = r#"{"session_id":"s","outcome":"replied","timestamp":"2024-05-01 12:00:00","value":null}"#;
    let told = outcome(&record(least.as_bytes())).unwrap();
    assert!(
        told.ends_with(" s replied 2024-05-01T12:00:00Z None None {}"),
        "{told}"
    );
}

#[test]
fn an_outcome_may_come_however_late_and_be_a_loss() {
    for accepted in [
        OUTCOME.replace("2024-05-01T12", "1999-05-01T12"),
        OUTCOME.replace("12:00:00Z", "12:10:00Z"),
        OUTCOME.replace("900.5", "-1e12"),
        OUTCOME.replace("\"deal\"", &format!("\"{}\"", "é".repeat(64))),
    ] {
        assert!(outcome(&record(accepted.as_bytes())).is_ok(), "{accepted}");
    }
}

#[test]
fn an_identical_event_has_an_identical_id_however_it_is_written_and_any_other_another() {
    for (read, valid, _) in kinds() {
        let bare = valid.replace(r#""event_id":"e","#, "");
        let id = derived(read, &bare);
        assert_eq!(id.len(), 32);
        for same in [
            bare.replace("\":", "\" : "),
            bare.replace("12:00:00Z", "14:00:00.000+02:00"),
            bare.replacen('{', r#"{"event_id":"","#, 1),
        ] {
            assert_eq!(derived(read, &same), id, "{same}");
        }
        let fields: Value = serde_json::from_str(&bare).unwrap();
        for name in fields.as_object().unwrap().keys() {
            let mut other = fields.clone();
            other[name] = match name.as_str() {
                "timestamp" | "at" => "2024-05-01T12:00:00.000001Z".into(),
                "value" => 900.25.into(),
                "currency" => "USD".into(),
                "kind" => "config".into(),
                "link" => "http://x.example/1".into(),
                _ => "other".into(),
            };
            assert_ne!(derived(read, &other.to_string()), id, "{name}");
        }
        assert_ne!(derived(read, &bare.replacen('{', r#"{"x":1,"#, 1)), id);
        let header = RawRecord {
            event_id: Some(b"header"),
            ..record(bare.as_bytes())
        };
        assert!(read(&header).unwrap().starts_with("header "));
    }
}

/// What is replaced in the valid event, by what, the rejection, and whether the schema can tell.
type Case = (&'static str, &'static str, &'static str, Reason, bool);

#[expect(clippy::too_many_lines, reason = "two tables, a line a case")]
fn cases() -> [Vec<Case>; 2] {
    use Reason::{
        DuplicateField, InFuture, MissingField, NotUtf8, OutOfRange, TimestampInvalid, UnknownValue,
        WrongType,
    };
    let long: &'static str = Box::leak(format!("\"{}\"", "x".repeat(129)).into_boxed_str());
    let link: &'static str = Box::leak(format!("https://{}", "x".repeat(2041)).into_boxed_str());
    let outcome = vec![
        (r#""session_id":"s","#, "", "/session_id", MissingField, true),
        (
            r#""session_id":"s""#,
            r#""session_id":null"#,
            "/session_id",
            MissingField,
            true,
        ),
        (
            r#""session_id":"s""#,
            r#""session_id":1"#,
            "/session_id",
            WrongType,
            true,
        ),
        (
            r#""session_id":"s""#,
            r#""session_id":"""#,
            "/session_id",
            OutOfRange,
            true,
        ),
        (r#""s""#, long, "/session_id", OutOfRange, true),
        (r#""s""#, r#""\ud800""#, "/session_id", NotUtf8, false),
        (r#""outcome":"deal","#, "", "/outcome", MissingField, true),
        (r#""deal""#, "{}", "/outcome", WrongType, true),
        (r#""deal""#, r#""""#, "/outcome", OutOfRange, true),
        (r#""deal""#, long, "/outcome", OutOfRange, true),
        (
            r#""outcome":"deal""#,
            r#""outcome":"a","outcome":"b""#,
            "/outcome",
            DuplicateField,
            false,
        ),
        (
            r#""timestamp":"2024-05-01T12:00:00Z","#,
            "",
            "/timestamp",
            MissingField,
            true,
        ),
        (
            r#""2024-05-01T12:00:00Z""#,
            "1714564800",
            "/timestamp",
            WrongType,
            true,
        ),
        (
            "2024-05-01T12:00:00Z",
            "soon",
            "/timestamp",
            TimestampInvalid,
            true,
        ),
        (
            "2024-05-01T12:00:00Z",
            "1899-05-01T12:00:00Z",
            "/timestamp",
            OutOfRange,
            false,
        ),
        ("12:00:00Z", "12:10:00.001Z", "/timestamp", InFuture, false),
        ("900.5", r#""900.5""#, "/value", WrongType, true),
        ("900.5", "1.1e12", "/value", OutOfRange, true),
        (r#""EUR""#, r#""Euro""#, "/currency", UnknownValue, true),
        (r#""EUR""#, r#""eur""#, "/currency", UnknownValue, true),
        (r#""EUR""#, "978", "/currency", WrongType, true),
        (r#""e""#, "7", "/event_id", WrongType, true),
        (r#""e""#, long, "/event_id", OutOfRange, true),
    ];
    let change = vec![
        (r#""kind":"deploy","#, "", "/kind", MissingField, true),
        ("deploy", "mood", "/kind", UnknownValue, true),
        (r#""deploy""#, "1", "/kind", WrongType, true),
        (r#""component":"crm_sync","#, "", "/component", MissingField, true),
        (r#""crm_sync""#, long, "/component", OutOfRange, true),
        (r#""version":"2.1","#, "", "/version", MissingField, true),
        (r#""2.1""#, "2.1", "/version", WrongType, true),
        (r#""2.1""#, r#""""#, "/version", OutOfRange, true),
        (r#""at":"2024-05-01T12:00:00Z","#, "", "/at", MissingField, true),
        ("12:00:00Z", "12:10:00.001Z", "/at", InFuture, false),
        (
            "2024-05-01T12:00:00Z",
            "2024-05-01",
            "/at",
            TimestampInvalid,
            true,
        ),
        (
            "https://x.example/1",
            "javascript:alert(1)",
            "/link",
            UnknownValue,
            true,
        ),
        ("https://x.example/1", link, "/link", OutOfRange, true),
        (r#""https://x.example/1""#, "[]", "/link", WrongType, true),
    ];
    [outcome, change]
}

#[test]
fn every_broken_rule_is_named_with_its_field_and_the_schema_refuses_what_it_can() {
    for ((read, valid, schema), cases) in kinds().into_iter().zip(cases()) {
        let is_valid = |json: &str| schema.is_valid(&serde_json::from_str(json).unwrap());
        assert!(read(&record(valid.as_bytes())).is_ok() && is_valid(valid));
        for (from, to, field, reason, in_schema) in cases {
            assert_eq!(valid.matches(from).count(), 1, "{from}");
            let json = valid.replace(from, to);
            let found = read(&record(json.as_bytes())).unwrap_err();
            assert_eq!(found, Rejection::at(field, reason), "{json:.300}");
            // Half a surrogate pair is JSON that the library cannot hold.
            if reason != Reason::NotUtf8 {
                assert_eq!(is_valid(&json), !in_schema, "{json:.300}");
            }
        }
    }
}

#[test]
fn what_is_no_json_object_is_rejected_as_a_whole() {
    for (read, valid, _) in kinds() {
        let whole = |record: &RawRecord<'_>| {
            let rejection = read(record).unwrap_err();
            assert_eq!(rejection.field, "");
            rejection.reason
        };
        let of = |value: &'static [u8]| whole(&record(value));
        assert_eq!(of(b"\xff"), Reason::NotUtf8);
        assert_eq!(of(b"{"), Reason::NotJson);
        assert_eq!(of(b"[1]"), Reason::WrongType);
        let valid = record(valid.as_bytes());
        let (none, protobuf) = (None, Some(&b"application/x-protobuf"[..]));
        assert_eq!(whole(&RawRecord { value: None, ..valid }), Reason::Tombstone);
        assert_eq!(whole(&RawRecord { time: none, ..valid }), Reason::NoRecordTime);
        let encoded = RawRecord {
            content_type: protobuf,
            ..valid
        };
        assert_eq!(whole(&encoded), Reason::UnknownContentType);
    }
}

fn one_end(bytes: &[u8]) {
    for read in [outcome as Reader, change] {
        if let Err(Rejection { reason, .. }) = read(&record(bytes)) {
            assert!(Reason::ALL.contains(&reason));
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_and_no_damage_make_it_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), byte: u8,
        of_a_change: bool,
    ) {
        one_end(&noise);
        let mut bytes = if of_a_change { CHANGE } else { OUTCOME }.as_bytes().to_vec();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        one_end(&bytes);
        bytes.truncate(index);
        one_end(&bytes);
    }

    #[test]
    fn what_is_written_is_read_again(
        session in "\\PC{1,128}", name in "\\PC{1,64}", value in -1e12..1e12_f64, before in 0_i64..100_000_000_000,
    ) {
        let timestamp = jiff::Timestamp::from_millisecond(crate::event::NOON - before).unwrap();
        let json = serde_json::json!({
            "session_id": session, "outcome": name, "timestamp": timestamp.to_string(), "value": value,
        });
        let bytes = json.to_string().into_bytes();
        let bytes = record(&bytes);
        let read = read_outcome(&bytes, &TimePolicy::LATE).unwrap();
        prop_assert_eq!((&*read.session_id, &*read.outcome), (session.as_str(), name.as_str()));
        prop_assert_eq!((read.timestamp, read.value), (timestamp, Some(value)));
    }
}
