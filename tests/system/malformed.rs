//! Records that are no decision: each in the dead letters with its reason, its pointer and its bytes untouched, and none
//! blocks its neighbours.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{DecisionBuilder, Record, Sandbox, eventually};
use serde_json::json;

const DECISIONS: &str = "kaizen.decisions";
const DEAD_LETTERS: &str = "kaizen.decisions.dlq";
const SOON: Duration = Duration::from_secs(30);

/// A record that must be rejected, and why.
struct Malformed {
    value: Option<Vec<u8>>,
    content_type: Option<&'static str>,
    reason: &'static str,
    field: &'static str,
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

fn event() -> DecisionBuilder {
    DecisionBuilder::new("session", &now())
}

fn json_of(event: &DecisionBuilder, reason: &'static str, field: &'static str) -> Malformed {
    Malformed {
        value: Some(event.build()),
        content_type: None,
        reason,
        field,
    }
}

fn bytes(value: &[u8], reason: &'static str) -> Malformed {
    Malformed {
        value: Some(value.to_vec()),
        content_type: None,
        reason,
        field: "",
    }
}

/// Every reason that a record in Kafka can be rejected for, and several kinds of some.
#[expect(clippy::too_many_lines, reason = "one table, a line a record")]
fn malformed() -> Vec<Malformed> {
    let days = |days: i64| (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(days * 24)).to_string();
    let deep = (0..40).fold(json!(1), |inner, _| json!({ "a": inner }));
    let text = String::from_utf8_lossy(&event().build()).into_owned();
    let twice = text.replacen('{', "{\"session_id\":\"twice\",", 1);
    let typed = |value: &[u8], content_type, reason| Malformed {
        content_type: Some(content_type),
        ..bytes(value, reason)
    };
    vec![
        Malformed {
            value: None,
            content_type: None,
            reason: "tombstone",
            field: "",
        },
        typed(text.as_bytes(), "text/csv", "unknown_content_type"),
        typed(b"\xff\xff\xff", "application/x-protobuf", "not_protobuf"),
        bytes(b"\xff{}", "not_utf8"),
        bytes(b"", "not_json"),
        bytes(b"{\"log_type\":", "not_json"),
        bytes(b"{} {}", "not_json"),
        bytes(b"[1, 2]", "wrong_type"),
        Malformed {
            field: "/session_id",
            ..bytes(twice.as_bytes(), "duplicate_field")
        },
        json_of(&event().without("/log_type"), "missing_field", "/log_type"),
        json_of(
            &event().without("/decision_reasoning/success"),
            "missing_field",
            "/decision_reasoning/success",
        ),
        json_of(&event().with("/timestamp", 17), "wrong_type", "/timestamp"),
        json_of(
            &event().with("/input_data", json!([])),
            "wrong_type",
            "/input_data",
        ),
        json_of(
            &event().with("/decision_reasoning/success", "yes"),
            "wrong_type",
            "/decision_reasoning/success",
        ),
        json_of(
            &event().with("/session_id", "s".repeat(129)),
            "out_of_range",
            "/session_id",
        ),
        json_of(
            &event().with("/decision_reasoning/processing_time", -1),
            "out_of_range",
            "/decision_reasoning/processing_time",
        ),
        json_of(
            &event().with("/training_labels/quality_score", 101),
            "out_of_range",
            "/training_labels/quality_score",
        ),
        json_of(
            &event().with("/decision_reasoning/confidence_level", "sure"),
            "unknown_value",
            "/decision_reasoning/confidence_level",
        ),
        json_of(
            &event().with("/log_type", "telepathy"),
            "unknown_log_type",
            "/log_type",
        ),
        json_of(
            &event().with("/timestamp", "yesterday"),
            "timestamp_invalid",
            "/timestamp",
        ),
        json_of(&event().with("/timestamp", days(-31)), "too_late", "/timestamp"),
        json_of(&event().with("/timestamp", days(1)), "in_future", "/timestamp"),
        json_of(
            &event().with("/output_data", json!({ "text": "x".repeat(256 * 1024) })),
            "too_large",
            "/output_data",
        ),
        json_of(&event().with("/input_data", deep), "too_deep", "/input_data"),
    ]
}

/// Every one of them, as records of this key.
pub fn malformed_records(key: &str) -> Vec<Record> {
    malformed()
        .iter()
        .map(|malformed| record(key, malformed))
        .collect()
}

fn record(key: &str, malformed: &Malformed) -> Record {
    let mut record = Record::new(key, "");
    record.value.clone_from(&malformed.value);
    record.headers.extend(
        malformed
            .content_type
            .map(|kind| ("content-type".to_owned(), kind.as_bytes().to_vec())),
    );
    record
}

#[tokio::test]
async fn twenty_four_malformed_records_are_dead_lettered_as_they_are_and_their_neighbours_are_stored()
-> Result<()> {
    let sandbox = Sandbox::start().await?;
    let malformed = malformed();
    ensure!(malformed.len() == 24, "{} records", malformed.len());
    // One key: all lie in one partition, each bad one between two good ones.
    let good = |n: usize| Record::new("k", event().with("/event_id", format!("good-{n}")).build());
    let bad = malformed
        .iter()
        .enumerate()
        .flat_map(|(n, malformed)| [good(n), record("k", malformed)]);
    let records: Vec<_> = bad.chain([good(malformed.len())]).collect();
    let (kafka, clickhouse) = (sandbox.stack().kafka(), sandbox.stack().clickhouse());
    kafka.publish(DECISIONS, records).await?;

    let stored = "SELECT uniqExact(event_id) FROM kaizen.decisions WHERE startsWith(event_id, 'good-')";
    eventually("the neighbours are stored", SOON, async || {
        let found = clickhouse.query(stored).await?;
        ensure!(found == (malformed.len() + 1).to_string(), "{found} are");
        Ok(())
    })
    .await?;
    let letters = eventually("every dead letter is there", SOON, async || {
        let letters = kafka.records(DEAD_LETTERS).await?;
        ensure!(letters.len() >= malformed.len(), "{} are", letters.len());
        Ok(letters)
    })
    .await?;
    assert_eq!(letters.len(), malformed.len());
    let published = kafka.records(DECISIONS).await?;
    for letter in &letters {
        let header = |name: &str| {
            letter
                .header(name)
                .with_context(|| format!("no header {name} in {letter:?}"))
        };
        let (partition, offset): (i32, i64) = (
            header("kaizen-partition")?.parse()?,
            header("kaizen-offset")?.parse()?,
        );
        assert_eq!(header("kaizen-topic")?, DECISIONS);
        assert!(header("kaizen-time")?.parse::<i64>()? > 0);
        let original = published
            .iter()
            .find(|record| (record.partition, record.offset) == (partition, offset));
        let original = original.context("the record it tells of")?;
        assert_eq!(
            (&letter.key, &letter.value),
            (&original.key, &original.value),
            "bytes untouched"
        );
        // The records alternate, beginning with a good one.
        let expected = &malformed[usize::try_from(offset)? / 2];
        assert_eq!(
            (header("kaizen-reason")?, header("kaizen-field")?),
            (expected.reason, expected.field),
            "offset {offset}"
        );
    }
    rejections_are_told(&sandbox, &malformed).await
}

/// The same reasons stand in the table and in the metrics.
async fn rejections_are_told(sandbox: &Sandbox, malformed: &[Malformed]) -> Result<()> {
    let clickhouse = sandbox.stack().clickhouse();
    let sql = "SELECT reason, field FROM kaizen.rejections ORDER BY _partition, _offset";
    let expected: Vec<_> = malformed
        .iter()
        .map(|it| format!("{}\t{}", it.reason, it.field))
        .collect();
    eventually("the rejections are told", SOON, async || {
        let found = clickhouse.query(sql).await?;
        ensure!(found.lines().eq(&expected), "{found}");
        Ok(())
    })
    .await?;
    let metrics = sandbox.collector().operation("metrics").await?;
    let late = "kaizen_collector_records_total{outcome=\"dead_lettered\",reason=\"too_late\"} 1";
    ensure!(metrics.contains(late), "{metrics}");
    Ok(())
}
