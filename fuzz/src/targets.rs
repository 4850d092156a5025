//! The targets.

use std::sync::LazyLock;

use kaizen_decision::{
    DecisionRow, LogType, Privacy, RawRecord, Rejection, Replay, Schema, TimePolicy, decode, extract,
    read_change, read_outcome, validate,
};
use kaizen_files::{Mapping, json_of};
use kaizen_stream::Intent;
use kaizen_warehouse::rows;
use serde_json::value::RawValue;

/// 2026-01-05T12:00:00Z: what the corpus tells of is on time by it.
const RECORDED: i64 = 1_767_614_400_000;
const CONTENT_TYPES: [Option<&[u8]>; 2] = [None, Some(b"application/x-protobuf")];

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let pairs = |pairs: &[(&str, &str)]| {
        (pairs.iter())
            .map(|(name, pointer)| ((*name).to_owned(), (*pointer).to_owned()))
            .collect()
    };
    let log_type = |name: &str| LogType {
        name: name.to_owned(),
        dimensions: pairs(&[
            ("model", "/input_data/model"),
            ("first", "/input_data/list/0"),
            ("extra", "/unknown/a~1b"),
        ]),
        measures: pairs(&[
            ("tokens", "/output_data/tokens"),
            ("cost", "/output_data/cost_usd"),
        ]),
    };
    Schema::new(["campaign_generation", "website_analysis"].map(log_type))
});

fn record<'a>(value: &'a [u8], content_type: Option<&'static [u8]>) -> RawRecord<'a> {
    RawRecord {
        topic: "kaizen.decisions",
        partition: 0,
        offset: 7,
        time: Some(RECORDED),
        key: None,
        value: Some(value),
        content_type,
        event_id: None,
        replay: Replay::default(),
    }
}

/// Any bytes are fields or a rejection that can be told.
pub fn decode_any(bytes: &[u8]) {
    for content_type in CONTENT_TYPES {
        let record = record(bytes, content_type);
        let mut transcoded = String::new();
        let rejection = decode(&record, &mut transcoded).err();
        if let Some(rejection) = rejection {
            tell(&record, rejection);
        }
    }
}

fn tell(record: &RawRecord<'_>, rejection: Rejection) {
    let mut row = Vec::new();
    rows::rejection::encode(record, rejection, &mut row);
    assert!(!row.is_empty(), "a rejection is a row");
}

/// A decision keeps the rules, is the same each time, and gives a row; so do an outcome and a change.
pub fn validate_any(bytes: &[u8]) {
    for content_type in CONTENT_TYPES {
        for policy in [TimePolicy::LIVE, TimePolicy::BACKFILL] {
            let header = bytes.get(..bytes.len() % 70);
            for event_id in [None, header] {
                let record = RawRecord {
                    event_id,
                    ..record(bytes, content_type)
                };
                let (first, again) = (judged(&record, &policy), judged(&record, &policy));
                assert_eq!(first, again, "the same record gives the same row");
                let (first, again) = (joined(&record, &policy), joined(&record, &policy));
                assert_eq!(first, again, "the same record gives the same row");
            }
        }
    }
}

/// The record as an outcome and as a change.
fn joined(record: &RawRecord<'_>, policy: &TimePolicy) -> [Result<Vec<u8>, Rejection>; 2] {
    let outcome = read_outcome(record, policy).map(|outcome| {
        let mut row = Vec::new();
        rows::outcome::encode(record, &outcome, &mut row);
        row
    });
    let change = read_change(record, policy).map(|change| {
        let mut row = Vec::new();
        rows::change::encode(record, &change, &mut row);
        row
    });
    for rejection in [&outcome, &change]
        .into_iter()
        .filter_map(|read| read.as_ref().err())
    {
        tell(record, *rejection);
    }
    [outcome, change]
}

fn judged(record: &RawRecord<'_>, policy: &TimePolicy) -> Result<Vec<u8>, Rejection> {
    let mut transcoded = String::new();
    let decision = decode(record, &mut transcoded).and_then(|raw| validate(raw, record, &SCHEMA, policy));
    let decision = decision.inspect_err(|rejection| tell(record, *rejection))?;
    let id = decision.event_id.chars().count();
    assert!(
        (1..=64).contains(&id),
        "an identity of 1 to 64 characters, not {id}"
    );
    let session = decision.session_id.chars().count();
    assert!(
        (1..=128).contains(&session),
        "a session of 1 to 128 characters, not {session}"
    );
    for object in [&decision.input, &decision.output, &decision.extra] {
        // Raw: half a surrogate pair is kept as it stands, and is no string of Rust's.
        let json = serde_json::from_str::<&RawValue>(object);
        assert!(
            json.is_ok_and(|json| json.get().starts_with('{')),
            "an object: {object}"
        );
    }
    if let Some(quality) = decision.labels.quality_score {
        assert!((0.0..=100.0).contains(&quality), "a quality of {quality}");
    }
    if let Some(time) = decision.reasoning.processing_time {
        assert!((0.0..1e10).contains(&time), "a time of {time} s");
    }
    let row = DecisionRow {
        record: *record,
        lead_name: Privacy::Drop.lead_name(decision.lead.name.as_deref()),
        extracted: extract(&decision, &SCHEMA),
        decision: &decision,
    };
    let mut encoded = Vec::new();
    rows::decision::encode(&row, &mut encoded);
    Ok(encoded)
}

static MAPPINGS: LazyLock<Vec<Mapping>> = LazyLock::new(|| {
    let outreach = include_str!("../../config/mappings/outreach.yaml");
    let every = "version: 1\nfields: {session_id: '\"\\($file)-\\($line)\"', timestamp: '.t // now | tostring', \
                 input_data: '.i | keys', output_data: {n: '.n | tonumber * 2', s: '.s | ascii_downcase | .[1:3]', \
                 d: '.d | fromdate', l: '[.l[]? | tostring] | join(\",\")'}}";
    [outreach, every]
        .iter()
        .filter_map(|text| Mapping::parse(text).ok())
        .collect()
});

/// A line is mapped or told; text is a mapping or told. Expressions of unknown origin are not run: whoever writes a mapping
/// may also write one that never ends.
pub fn map_any(bytes: &[u8]) {
    assert_eq!(MAPPINGS.len(), 2, "both mappings compile");
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(Ok(record)) = json_of(line) else { continue };
        for mapping in MAPPINGS.iter() {
            if let Ok(event) = mapping.apply(record, 7, "file") {
                assert!(
                    json_of(event.as_bytes()).is_some_and(|json| json.is_ok()),
                    "JSON: {event}"
                );
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _told = Mapping::parse(text);
    }
}

/// What is taken out of a request's body is judged as any record.
pub fn take_body(bytes: &[u8]) {
    let Ok(records) = kaizen_collector::fuzzing::bodies(bytes) else {
        return;
    };
    for value in records {
        for content_type in CONTENT_TYPES {
            let _outcome = judged(&record(&value, content_type), &TimePolicy::LIVE);
        }
    }
}

/// Metadata is an intent that is written as it was read, or foreign.
pub fn read_intent(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(intent) = text.parse::<Intent>() {
        assert!((0..=intent.last).contains(&intent.first), "{intent}");
        assert_eq!(intent.to_string().parse(), Ok(intent), "read as it was written");
    }
}
