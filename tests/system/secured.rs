//! A broker that asks for TLS and a password: the collector and the commands reach it by the `kafka.properties` of one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{ClickHouse, DecisionBuilder, Kafka, KafkaOptions, Secured, Service, Stack, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audit::{report, total};

const RECORDS: usize = 500;
const SOON: Duration = Duration::from_secs(60);

/// A collector's configuration with these properties.
fn configuration(folder: &Path, name: &str, properties: &[(&str, String)]) -> Result<PathBuf> {
    let properties: serde_json::Map<String, Value> = properties
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let path = folder.join(name);
    // YAML understands JSON
    fs::write(&path, json!({"kafka": {"properties": properties}}).to_string())?;
    Ok(path)
}

fn decisions(folder: &Path) -> Result<PathBuf> {
    let now = jiff::Timestamp::now().to_string();
    let mut lines = Vec::new();
    for n in 0..RECORDS {
        let decision =
            DecisionBuilder::new(&format!("session-{n}"), &now).with("/event_id", format!("e-{n}"));
        lines.extend(decision.build());
        lines.push(b'\n');
    }
    let path = folder.join("decisions.jsonl");
    fs::write(&path, lines)?;
    Ok(path)
}

#[tokio::test]
async fn records_of_a_broker_with_tls_and_passwords_are_stored_and_audited() -> Result<()> {
    let secured = Secured::new()?;
    let options = KafkaOptions {
        secured: Some(&secured),
        ..KafkaOptions::default()
    };
    let (kafka, clickhouse) = tokio::try_join!(Kafka::start_with(options), ClickHouse::start())?;
    let stack = Stack::of(kafka, clickhouse).await?;
    let folder = TempDir::new()?;
    let properties = secured.client_properties();
    let file = configuration(folder.path(), "collector.yaml", &properties)?;
    let file = file.to_str().context("a path")?;
    let brokers = secured.address().to_string();
    let reached = [
        ("KAIZEN__KAFKA__BROKERS", brokers.as_str()),
        ("KAIZEN_CONFIG", file),
    ];
    let _collector = Service::start("collector", false, &stack, &reached).await?;

    let connection = ["--brokers", &brokers, "--collector-config", file];
    let published = decisions(folder.path())?;
    let publish = ["publish", published.to_str().context("a path")?];
    stack.kaizen(&[&publish[..], &connection].concat()).await?;
    let audit = ["audit", "--output", "json"];
    eventually("each record has its row", SOON, async || {
        let (clean, report) = report(stack.kaizen(&[&audit[..], &connection].concat()).await)?;
        let stored = total(&report, "stored");
        ensure!(clean && stored == RECORDS as u64, "{report}");
        Ok(())
    })
    .await?;
    refused(&stack, &brokers, &properties, folder.path()).await
}

/// Another password is told for what it is, and shown nowhere.
async fn refused(stack: &Stack, brokers: &str, properties: &[(&str, String)], folder: &Path) -> Result<()> {
    let wrong = "not-the-password";
    let properties: Vec<_> = properties
        .iter()
        .map(|(name, value)| match *name {
            "sasl.password" => (*name, wrong.to_owned()),
            _ => (*name, value.clone()),
        })
        .collect();
    let file = configuration(folder, "wrong.yaml", &properties)?;
    let file = file.to_str().context("a path")?;
    let audit = ["audit", "--brokers", brokers, "--collector-config", file];
    let told = stack
        .kaizen(&audit)
        .await
        .err()
        .context("it must not succeed")?
        .to_string();
    ensure!(
        told.contains("Authentication failed") && !told.contains(wrong),
        "{told}"
    );
    let reached = [("KAIZEN__KAFKA__BROKERS", brokers), ("KAIZEN_CONFIG", file)];
    let started = Service::start("collector", false, stack, &reached).await;
    let told = format!("{:#}", started.err().context("it must not start")?);
    ensure!(
        told.contains("Authentication failed") && !told.contains(wrong),
        "{told}"
    );
    Ok(())
}
