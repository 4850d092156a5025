//! Records to decode, and the schema they are decoded by.

use kaizen_decision::{
    Decision, DecisionRow, LogType, Privacy, RawRecord, Rejection, Replay, Schema, TimePolicy, decode,
    extract, validate,
};

/// 2024-05-01T12:00:00Z, around which the fixtures are dated.
pub const NOON: i64 = 1_714_564_800_000;

/// A record of the topic `kaizen.decisions`, published at [`NOON`].
pub fn record(value: &[u8]) -> RawRecord<'_> {
    RawRecord {
        topic: "kaizen.decisions",
        partition: 3,
        offset: 42,
        time: Some(NOON),
        key: Some(b"s"),
        value: Some(value),
        content_type: None,
        event_id: None,
        replay: Replay::default(),
    }
}

/// The log types of the seed, two of them with declarations, and one more.
pub fn schema() -> Schema {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(n, p)| (n.to_string(), p.to_string()))
            .collect()
    };
    Schema::new([
        LogType {
            name: "enrichment_decision".to_owned(),
            dimensions: pairs(&[("model", "/input_data/model"), ("source", "/input_data/source")]),
            measures: pairs(&[
                ("tokens", "/output_data/tokens"),
                ("cost_usd", "/output_data/cost_usd"),
            ]),
        },
        LogType {
            name: "price_quote".to_owned(),
            dimensions: pairs(&[
                ("absent", "/input_data/absent"),
                ("empty", "/input_data/note"),
                ("escaped", "/input_data/a~1b/~0c/1"),
                ("method", "/decision_reasoning/method_used"),
                ("model", "/input_data/model"),
                ("object", "/input_data"),
                ("region", "/region"),
                ("tier", "/input_data/tier"),
                ("vip", "/input_data/vip"),
            ]),
            measures: pairs(&[
                ("huge", "/output_data/huge"),
                ("margin", "/output_data/margin"),
                ("price", "/output_data/price"),
                ("tier_number", "/input_data/tier"),
            ]),
        },
    ])
}

/// What the live topic makes of the record: `read` sees the row.
pub fn outcome<T>(record: &RawRecord<'_>, read: impl FnOnce(&DecisionRow<'_>) -> T) -> Result<T, Rejection> {
    let (schema, mut transcoded) = (schema(), String::new());
    let raw = decode(record, &mut transcoded)?;
    let decision: Decision<'_> = validate(raw, record, &schema, &TimePolicy::LIVE)?;
    let row = DecisionRow {
        record: *record,
        lead_name: Privacy::Keep.lead_name(decision.lead.name.as_deref()),
        extracted: extract(&decision, &schema),
        decision: &decision,
    };
    Ok(read(&row))
}

/// The id of the event in `json`.
pub fn event_id(json: &str) -> String {
    outcome(&record(json.as_bytes()), |row| row.decision.event_id.to_string()).unwrap()
}
