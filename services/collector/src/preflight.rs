//! What must be right before the first record is read: the topics and the tables are there.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use kaizen_stream::{KafkaConfig, missing_topics};
use kaizen_warehouse::{Client, migrate};

/// How long a broker or ClickHouse that is still starting is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// Checks that every topic exists.
pub async fn topics(kafka: &KafkaConfig, topics: Vec<String>) -> anyhow::Result<()> {
    let kafka = kafka.clone();
    let looked = tokio::task::spawn_blocking(move || missing_topics(&kafka, &topics, PATIENCE));
    let missing = looked.await?.context("kafka.brokers: no broker answers")?;
    ensure!(
        missing.is_empty(),
        "topics are missing: {}; run `kaizen admin create-topics`",
        missing.join(", ")
    );
    Ok(())
}

/// Checks that every migration is applied.
pub async fn tables(client: &Client) -> anyhow::Result<()> {
    let began = Instant::now();
    while let Err(error) = client.ping().await {
        if began.elapsed() > PATIENCE {
            return Err(error).context("clickhouse.url");
        }
        tokio::time::sleep(PAUSE).await;
    }
    migrate::ready(client).await.map_err(anyhow::Error::msg)
}
