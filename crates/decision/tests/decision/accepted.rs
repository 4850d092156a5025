use kaizen_decision::{RawRecord, Reason, Replay};

use crate::event::{NOON, event_id, outcome, record};

fn snapshot(row: &kaizen_decision::DecisionRow<'_>) -> String {
    let decision = row.decision;
    format!(
        "id: {}\ntype: {}\nsession: {}\ntimestamp: {}\nlead: {:?} {:?} {:?}\ninput: {}\noutput: {}\nreasoning: {:?}\n\
         labels: {:?}\nallocation: {:?}\nextra ({}): {}\ndimensions: {:?}\nmeasures: {:?}",
        decision.event_id,
        decision.log_type,
        decision.session_id,
        decision.timestamp,
        row.lead_name,
        decision.lead.company,
        decision.lead.industry,
        decision.input,
        decision.output,
        decision.reasoning,
        decision.labels,
        decision.allocation,
        decision.unknown_fields,
        decision.extra,
        row.extracted.dimensions,
        row.extracted.measures,
    )
}

#[test]
fn every_accepted_event_is_read_as_it_always_was() {
    insta::glob!("..", "fixtures/accepted/*.json", |path| {
        let value = std::fs::read(path).unwrap();
        insta::assert_snapshot!(outcome(&record(&value), snapshot).unwrap());
    });
}

const EVENT: &str = r#"{"log_type":"website_analysis","session_id":"s","timestamp":"2024-05-01T12:00:00Z","lead_identifier":{"name":"Ada"},"input_data":{"a":"é"},"decision_reasoning":{"method_used":"m","success":true,"processing_time":1.5}}"#;

#[test]
fn an_identical_event_has_an_identical_id_however_it_is_written() {
    let id = event_id(EVENT);
    assert_eq!(id.len(), 32);
    for (same, what) in [
        (EVENT.replace("\":", "\" : "), "spacing"),
        (EVENT.replace("é", "\\u00e9"), "escapes"),
        (EVENT.replace("1.5", "\"1.50\""), "a numeric string"),
        (EVENT.replace("12:00:00Z", "14:00:00.000+02:00"), "another offset"),
        (
            EVENT.replace("\"Ada\"", "\"Grace\""),
            "the lead's name, which an id must not give away",
        ),
        (EVENT.replacen('{', "{\"event_id\":\"\",", 1), "an empty id"),
    ] {
        assert_eq!(event_id(&same), id, "{what}");
    }
    for (other, what) in [
        (EVENT.replace("\"s\"", "\"t\""), "session"),
        (EVENT.replace("12:00:00Z", "12:00:00.000001Z"), "a microsecond"),
        (EVENT.replace("1.5", "1.6"), "processing time"),
        (
            EVENT.replace(",\"processing_time\":1.5", ""),
            "no processing time",
        ),
        (EVENT.replacen('{', "{\"x\":1,", 1), "an unknown field"),
        (EVENT.replace("{\"a\":\"é\"}", "{}"), "input"),
    ] {
        assert_ne!(event_id(&other), id, "{what}");
    }
}

#[test]
fn the_field_wins_over_the_header_and_the_header_over_the_content() {
    let with_field = EVENT.replacen('{', "{\"event_id\":\"field\",", 1);
    let id = |json: &str, header: &'static [u8]| {
        let record = RawRecord {
            event_id: Some(header),
            ..record(json.as_bytes())
        };
        outcome(&record, |row| row.decision.event_id.to_string()).unwrap()
    };
    assert_eq!(id(&with_field, b"header"), "field");
    assert_eq!(id(EVENT, b"header"), "header");
    assert_eq!(id(EVENT, b""), event_id(EVENT));
}

#[test]
fn a_replay_is_judged_by_the_time_its_record_first_came() {
    const DAY: i64 = 86_400_000;
    let letter = b"kaizen.decisions/3/41@1714564800000";
    let judged = |days: i64, of: Option<&'static [u8]>, first_time: Option<&'static [u8]>| {
        let record = RawRecord {
            time: Some(NOON + days * DAY),
            replay: Replay { of, first_time },
            ..record(EVENT.as_bytes())
        };
        outcome(&record, |row| row.decision.recorded).map_err(|rejection| rejection.reason)
    };
    let first = Some(&b"1714564800000"[..]);
    assert_eq!(
        judged(40, Some(letter), first),
        Ok(NOON + 40 * DAY),
        "its own time stays its own"
    );
    assert_eq!(judged(40, None, None), Err(Reason::TooLate));
    // What is no replay, or says no such time, is judged as any other.
    assert_eq!(judged(40, None, first), Err(Reason::TooLate));
    assert_eq!(judged(40, Some(b"a letter"), first), Err(Reason::TooLate));
    assert_eq!(judged(40, Some(letter), Some(b"long ago")), Err(Reason::TooLate));
    assert_eq!(judged(40, Some(letter), Some(b"-1")), Err(Reason::TooLate));
    // Nobody came before the decision was made by waiting: one dated ahead stays so.
    assert_eq!(
        judged(1, Some(letter), Some(b"1714478400000")),
        Err(Reason::InFuture)
    );
    assert_eq!(
        judged(-1, Some(letter), first),
        Err(Reason::InFuture),
        "first is never later than last"
    );
}

#[test]
fn limits_are_inclusive_and_count_characters() {
    let object = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    let deep = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    for accepted in [
        EVENT.replace("\"s\"", &format!("\"{}\"", "é".repeat(128))),
        EVENT.replace("\"Ada\"", &format!("\"{}\"", "😀".repeat(256))),
        EVENT.replace("{\"a\":\"é\"}", &object(256 * 1024)),
        EVENT.replace("{\"a\":\"é\"}", &object(256 * 1024).replacen(':', "  :\n", 1)),
        EVENT.replace("{\"a\":\"é\"}", &deep(32)),
        EVENT.replace("1.5", "0"),
        EVENT.replace("1.5", "\"0\""),
        EVENT.replace("1.5", "9999999999.9"),
        EVENT.replace("2024-05-01T12:00:00Z", "2024-05-01T12:10:00.000Z"),
        EVENT.replace("2024-05-01T12:00:00Z", "2024-04-01T12:00:00Z"),
    ] {
        assert_eq!(
            outcome(&record(accepted.as_bytes()), |_| ()),
            Ok(()),
            "{:.200}",
            accepted
        );
    }
}

#[test]
fn a_dimension_is_cut_after_256_characters() {
    let event = EVENT
        .replace("website_analysis", "price_quote")
        .replace("{\"a\":\"é\"}", &format!(r#"{{"model":"{}"}}"#, "é".repeat(300)));
    let model = outcome(&record(event.as_bytes()), |row| {
        row.extracted
            .dimensions
            .iter()
            .find(|(name, _)| *name == "model")
            .unwrap()
            .1
            .to_string()
    });
    assert_eq!(model.unwrap(), "é".repeat(256));
}
