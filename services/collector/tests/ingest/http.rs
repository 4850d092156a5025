//! `POST /v1/decisions` and its like as a client sees them.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use flate2::write::GzEncoder;
use kaizen_decision::proto;
use kaizen_testkit::{Record, eventually};
use prost::Message;
use serde_json::{Value, json};

use crate::stage::{SOON, Stage, answer, event, joined, now, refused};

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[tokio::test]
async fn what_is_accepted_is_in_the_topic_as_it_was_sent_and_then_in_the_table() -> Result<()> {
    let stage = Stage::start(&[]).await?;
    let mut accepted = every_body_is_taken(&stage).await?;
    accepted.extend(good_records_are_taken_from_among_bad_ones(&stage).await?);
    bodies_that_are_not_taken_are_told_why(&stage).await?;
    let records = stage.records().await?;
    ensure!(
        records.len() == accepted.len(),
        "{} of {} are published",
        records.len(),
        accepted.len()
    );
    headers_and_keys_are_the_events(&records)?;
    let refused = "kaizen_collector_ingest_records_total{transport=\"http\",outcome=\"rejected\",reason=\"missing_field\"}";
    ensure!(stage.metric(refused).await? > 0, "rejections are counted");
    stage.stored(accepted.clone()).await?;
    a_retry_is_stored_once(&stage, accepted).await
}

async fn a_retry_is_stored_once(stage: &Stage, mut stored: Vec<String>) -> Result<()> {
    // Of the same session, so that the retry comes before it in the same partition.
    let after = event("one-0").with("/event_id", "after");
    for event in [event("one-0"), after] {
        let (status, _, report) = answer(stage.post(JSON).body(event.build())).await?;
        ensure!(status == 202, "{status} {report}");
    }
    stored.push("after".to_owned());
    stage.stored(stored).await
}

/// One object, an array, lines, and both compressions; returns the identities.
async fn every_body_is_taken(stage: &Stage) -> Result<Vec<String>> {
    let mut identities = Vec::new();
    let mut of = |prefix: &str, count: usize| -> Vec<Vec<u8>> {
        let named: Vec<_> = (0..count).map(|n| format!("{prefix}-{n}")).collect();
        let events = named.iter().map(|id| event(id).build()).collect();
        identities.extend(named);
        events
    };
    let one = of("one", 1).remove(0);
    let array = joined(&of("array", 3), "[\n", " ,\n", "\n]\n");
    let lines = joined(&of("lines", 3), "\n", "\r\n\n", "\n");
    let zipped = gzip(&joined(&of("gzip", 2), "[", ",", "]"))?;
    let pressed = zstd::encode_all(&joined(&of("zstd", 200), "", "\n", "")[..], 3)?;
    for (content_type, encoding, body, count) in [
        (JSON, "identity", one, 1),
        ("application/json; charset=utf-8", "identity", array, 3),
        (LINES, "identity", lines, 3),
        (JSON, "gzip", zipped, 2),
        (LINES, "zstd", pressed, 200),
    ] {
        let request = stage
            .post(content_type)
            .header("content-encoding", encoding)
            .body(body);
        let (status, _, report) = answer(request).await?;
        ensure!(status == 202, "{content_type} {encoding}: {status} {report}");
        ensure!(report["accepted"] == count && report["rejected"] == 0, "{report}");
        ensure!(
            report["results"].as_array().context("results")?.len() == count,
            "{report}"
        );
    }
    identities.extend(protobuf_and_events_without_identity(stage).await?);
    Ok(identities)
}

async fn protobuf_and_events_without_identity(stage: &Stage) -> Result<Vec<String>> {
    let decision = proto::Decision {
        event_id: Some("protobuf-0".to_owned()),
        log_type: "campaign_generation".to_owned(),
        session_id: "session of protobuf-0".to_owned(),
        timestamp: Some(std::time::SystemTime::now().into()),
        decision_reasoning: Some(proto::DecisionReasoning {
            method_used: "template".to_owned(),
            success: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    let body = decision.encode_to_vec();
    let (status, _, report) = answer(stage.post("application/x-protobuf").body(body)).await?;
    ensure!(
        status == 202 && report["results"][0]["event_id"] == "protobuf-0",
        "{status} {report}"
    );

    let anonymous = event("none").without("/event_id");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = stage
        .post(JSON)
        .header("traceparent", trace)
        .body(anonymous.build());
    let (status, _, report) = answer(request).await?;
    let derived = report["results"][0]["event_id"].as_str().context("event_id")?;
    ensure!(status == 202 && derived.len() == 32, "{status} {report}");
    Ok(vec!["protobuf-0".to_owned(), derived.to_owned()])
}

async fn good_records_are_taken_from_among_bad_ones(stage: &Stage) -> Result<Vec<String>> {
    let lines = [
        event("mixed-0").build(),
        event("mixed-1").without("/session_id").build(),
        b"{\"log_type\":".to_vec(),
        b"\xff".to_vec(),
        event("mixed-4")
            .with("/timestamp", "2020-01-01T00:00:00Z")
            .build(),
        event("mixed-5").build(),
    ];
    let (status, _, report) = answer(stage.post(LINES).body(joined(&lines, "", "\n", ""))).await?;
    ensure!(status == 202, "{status} {report}");
    let expected = json!({"accepted": 2, "rejected": 4, "results": [
        {"status": "accepted", "event_id": "mixed-0"},
        {"status": "rejected", "reason": "missing_field", "field": "/session_id"},
        {"status": "rejected", "reason": "not_json", "field": ""},
        {"status": "rejected", "reason": "not_utf8", "field": ""},
        {"status": "rejected", "reason": "too_late", "field": "/timestamp"},
        {"status": "accepted", "event_id": "mixed-5"},
    ]});
    ensure!(report == expected, "{report}");

    let bad = event("bad").with("/decision_reasoning/success", "yes").build();
    let (status, _, report) = answer(stage.post(JSON).body(bad)).await?;
    ensure!(
        status == 422 && report["results"][0]["reason"] == "wrong_type",
        "{status} {report}"
    );
    for (kind, body) in [
        (JSON, "{"),
        (LINES, "a\nb"),
        ("application/x-protobuf", "\x7f\x7f\x7f"),
    ] {
        let (status, _, report) = answer(stage.post(kind).body(body)).await?;
        ensure!(
            status == 400 && report["accepted"] == 0,
            "{kind}: {status} {report}"
        );
    }
    Ok(vec!["mixed-0".to_owned(), "mixed-5".to_owned()])
}

async fn bodies_that_are_not_taken_are_told_why(stage: &Stage) -> Result<()> {
    let post = |kind: &str| stage.post(kind);
    refused(post(JSON).body(" "), 400, "unreadable").await?;
    refused(post(JSON).body("[{}, "), 400, "unreadable").await?;
    refused(
        post(JSON).header("content-encoding", "gzip").body("{}"),
        400,
        "unreadable",
    )
    .await?;
    refused(post("text/csv").body("a,b"), 415, "unknown_content_type").await?;
    refused(
        post(JSON).header("content-encoding", "br").body("{}"),
        415,
        "unknown_content_encoding",
    )
    .await?;
    let long = " ".repeat(8 * 1024 * 1024 + 1);
    let bomb = gzip(&vec![b' '; 64 * 1024 * 1024])?;
    refused(post(JSON).body(long), 413, "too_large").await?;
    refused(
        post(JSON).header("content-encoding", "gzip").body(bomb),
        413,
        "too_large",
    )
    .await?;
    refused(post(LINES).body("1\n".repeat(10_001)), 413, "too_many_records").await?;
    let heavy = event("heavy").with("/unknown", "x".repeat(2_000_000)).build();
    let (status, _, report) = answer(post(JSON).body(heavy)).await?;
    ensure!(
        status == 413 && report["results"][0]["reason"] == "too_large",
        "{status} {report}"
    );

    let url = stage.collector.url();
    refused(
        stage.client.post(format!("{url}/v1/other")).body("{}"),
        404,
        "not_found",
    )
    .await?;
    let (status, _, _) = answer(stage.client.get(format!("{url}/v1/decisions"))).await?;
    ensure!(status == 405, "GET: {status}");
    let foreign = post(JSON)
        .header("origin", "https://app.example")
        .body("{}")
        .send()
        .await?;
    ensure!(
        !foreign.headers().contains_key("access-control-allow-origin"),
        "{foreign:?}"
    );
    Ok(())
}

fn headers_and_keys_are_the_events(records: &[Record]) -> Result<()> {
    for record in records {
        let kind = record.header("content-type").context("content-type")?;
        let value = record.value.as_deref().context("a value")?;
        let (id, session) = if kind == "application/x-protobuf" {
            let decision = proto::Decision::decode(value)?;
            (decision.event_id, decision.session_id)
        } else {
            ensure!(kind == JSON, "{kind}");
            let event: Value = serde_json::from_slice(value)?;
            let text = |name: &str| event[name].as_str().map(str::to_owned);
            (text("event_id"), text("session_id").context("session_id")?)
        };
        ensure!(record.key.as_deref() == Some(session.as_bytes()), "{record:?}");
        ensure!(record.header("event-id").map(str::to_owned) == id, "{record:?}");
        let traced = record.header("traceparent").is_some();
        ensure!(
            traced == id.is_none(),
            "the one without an identity came with a trace: {record:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn outcomes_and_changes_are_taken_as_decisions_are_into_topics_of_their_own() -> Result<()> {
    let stage = Stage::start(&[]).await?;
    let outcomes = json!([
        {"session_id": "s", "outcome": "replied", "timestamp": "2019-05-01T12:00:00Z"},
        {"session_id": "s", "outcome": "deal", "timestamp": now(), "value": "much"},
        {"event_id": "own", "session_id": "s", "outcome": "deal", "timestamp": now(), "value": 12.5, "currency": "EUR"},
    ]);
    let request = stage
        .post_to("outcomes", "application/json")
        .body(outcomes.to_string());
    let (status, _, report) = answer(request).await?;
    assert_eq!(status, 202, "{report}");
    let rejected = json!({"status": "rejected", "reason": "wrong_type", "field": "/value"});
    assert_eq!(
        (&report["accepted"], &report["results"][1]),
        (&json!(2), &rejected)
    );
    assert_eq!(report["results"][2]["event_id"], "own");

    let change = json!({"kind": "model", "component": "crm_sync", "version": "large-2", "at": now()});
    let request = stage
        .post_to("changes", "application/x-ndjson")
        .body(format!("{change}\n{{}}\n"));
    let (status, _, report) = answer(request).await?;
    assert_eq!((status, &report["rejected"]), (202, &json!(1)), "{report}");
    let protobuf = stage.post_to("changes", "application/x-protobuf").body("x");
    assert_eq!(
        answer(protobuf).await?.2["results"][0]["reason"],
        "unknown_content_type"
    );

    let kafka = stage.stack.kafka();
    let of = async |topic: &str| anyhow::Ok(kafka.records(topic).await?);
    let records = of("kaizen.outcomes").await?;
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.key.as_deref() == Some(b"s")));
    assert_eq!(records[1].header("event-id"), Some("own"));
    let records = of("kaizen.changes").await?;
    assert_eq!(records[0].key.as_deref(), Some(&b"crm_sync"[..]));
    assert!(stage.records().await?.is_empty());
    eventually("what was accepted is stored", SOON, async || {
        let sql = "SELECT (SELECT count() FROM kaizen.outcomes), (SELECT count() FROM kaizen.changes)";
        let stored = stage.stack.clickhouse().query(sql).await?;
        ensure!(stored == "2\t1", "{stored} are");
        Ok(())
    })
    .await
}
