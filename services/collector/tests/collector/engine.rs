//! A promised batch on the real engine: whatever ClickHouse remembers or forgot of it, each record is there once.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use kaizen_catalogue::Catalogue;
use kaizen_collector::{BatchStore, Dependencies, EventStep, Instruments, Position, Topics};
use kaizen_decision::{Privacy, RawRecord, Replay};
use kaizen_service::Health;
use kaizen_stream::{Assignment, DeadLetters, GroupProtocol, Intent, KafkaConfig, Pipeline, Window};
use kaizen_testkit::ClickHouse;
use kaizen_warehouse::{ClickHouseConfig, Client, migrate};
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;

use crate::fixture::{PATIENCE, TIME, TOPIC, good, limits, partition};

const RECORDS: i64 = 10;
/// The window of a table in the tests that forget: it remembers half as many blocks.
const REMEMBERED: u64 = 8;

struct Engine {
    clickhouse: ClickHouse,
    client: Client,
}

impl Engine {
    async fn start() -> Result<Self> {
        let clickhouse = ClickHouse::start().await?;
        let client = Client::new(&ClickHouseConfig {
            url: clickhouse.url().to_owned(),
            ..ClickHouseConfig::default()
        });
        migrate::apply(&client).await?;
        // The records of these tests are of a fixed time.
        clickhouse
            .query("ALTER TABLE kaizen.decisions REMOVE TTL")
            .await?;
        Ok(Self { clickhouse, client })
    }

    async fn query(&self, sql: &str) -> Result<String> {
        self.clickhouse.query(sql).await
    }

    async fn store(&self, topics: &Arc<Topics>, instruments: &Instruments) -> Result<BatchStore> {
        let kafka = KafkaConfig {
            brokers: "127.0.0.1:1".to_owned(),
            group_id: "g".to_owned(),
            group_protocol: GroupProtocol::Classic,
            instance_id: String::new(),
            skip_deleted: false,
            properties: [].into(),
        };
        let health = Health::default();
        let window = Window {
            offsets: 0,
            milliseconds: 0,
        };
        Ok(BatchStore::new(
            self.client.clone(),
            DeadLetters::new(&kafka, "dlq")?,
            (1, window, topics.clone()),
            Position::new(self.client.clone()).await?,
            Dependencies {
                clickhouse: health.require("clickhouse"),
                dead_letters: health.require("dead_letters"),
            },
            instruments.clone(),
        ))
    }

    /// A collector that stores ten records, or replays them from the intent that another one left. Returns its intent and how
    /// often it had to complete a batch.
    async fn live(&self, replay: Option<Intent>) -> Result<(Intent, String)> {
        let mut registry = Registry::default();
        let instruments = Instruments::register(&mut registry);
        let topics = Arc::new(Topics::of(&[])?);
        let store = self.store(&topics, &instruments).await?;
        let catalogue = Catalogue::parse(include_str!("../../../../config/catalogue.yaml"))?;
        let step = EventStep::new(&catalogue, topics, Privacy::Drop, instruments);
        let mut pipeline = Pipeline::new(
            step,
            Arc::new(store),
            limits(10, 1 << 20),
            1 << 30,
            Handle::current(),
        );
        pipeline.assign(vec![Assignment {
            partition: partition(0),
            from: 0,
            replay,
        }]);
        let began = Instant::now();
        while pipeline.tick(began).resume.is_empty() {
            assert!(began.elapsed() < PATIENCE && pipeline.completed().is_empty());
            tokio::task::yield_now().await;
        }
        for offset in 0..RECORDS {
            let value = good(0, offset);
            let record = RawRecord {
                topic: TOPIC,
                partition: 0,
                offset,
                time: Some(TIME),
                key: None,
                value: Some(&value),
                content_type: None,
                event_id: None,
                replay: Replay::default(),
            };
            pipeline.take(&record, None, began)?;
        }
        let commits = pipeline.commits(began);
        let intent = commits[0].intent.unwrap();
        pipeline.committed(&commits);
        assert_eq!(pipeline.settle(&[partition(0)], PATIENCE).len(), 1);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        let completions = text
            .lines()
            .find_map(|line| line.strip_prefix("completions_total "));
        Ok((intent, completions.unwrap_or_default().to_owned()))
    }

    async fn once(&self) -> Result<()> {
        let sql =
            "SELECT count(), uniqExact(_offset) FROM kaizen.decisions WHERE _topic = 'kaizen.decisions'";
        assert_eq!(self.query(sql).await?, "10\t10");
        Ok(())
    }

    async fn rolled_up(&self) -> Result<String> {
        self.query("SELECT sum(decisions) FROM kaizen.rollup_hourly WHERE hour > '2020-01-01'")
            .await
    }

    /// Other batches, until what was stored before is forgotten.
    async fn forget(&self) -> Result<()> {
        for block in 0..3 * REMEMBERED {
            self.filler(block).await?;
        }
        let rows = "SELECT count() FROM kaizen.decisions WHERE _topic = 'other'";
        let before: u64 = self.query(rows).await?.parse()?;
        self.filler(0).await?;
        assert_eq!(
            self.query(rows).await?,
            (before + 1).to_string(),
            "a token as old is forgotten"
        );
        Ok(())
    }

    async fn filler(&self, block: u64) -> Result<()> {
        let sql = format!(
            "INSERT INTO kaizen.decisions (_topic, _offset, timestamp) SETTINGS insert_deduplication_token = 'filler-{block}' \
             SELECT 'other', {block}, '2001-01-01 00:00:00'"
        );
        self.query(&sql).await.map(drop)
    }

    async fn remember_little(&self) -> Result<()> {
        for table in ["decisions", "rejections", "rollup_hourly"] {
            self.query(&format!(
                "ALTER TABLE kaizen.{table} MODIFY SETTING non_replicated_deduplication_window = {REMEMBERED}"
            ))
            .await?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_batch_is_recognised_by_its_token_in_the_table_and_in_the_rollup() -> Result<()> {
    let engine = Engine::start().await?;
    let (intent, _) = engine.live(None).await?;
    let (again, completions) = engine.live(Some(intent)).await?;
    assert_eq!((again.digest, completions.as_str()), (intent.digest, "0"));
    engine.once().await?;
    assert_eq!(engine.rolled_up().await?, "10");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_token_is_forgotten_is_asked_for_and_not_sent_again() -> Result<()> {
    let engine = Engine::start().await?;
    engine.remember_little().await?;
    let (intent, _) = engine.live(None).await?;
    let position = Position::new(engine.client.clone()).await?;
    assert!(position.is_remembered(intent.position).await?);
    engine.forget().await?;
    assert!(!position.is_remembered(intent.position).await?);
    let (_, completions) = engine.live(Some(intent)).await?;
    assert_eq!(completions, "0");
    engine.once().await?;
    assert_eq!(engine.rolled_up().await?, "10");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_of_a_batch_is_sent_whether_its_token_is_known_or_forgotten() -> Result<()> {
    for forget in [false, true] {
        let engine = Engine::start().await?;
        engine.remember_little().await?;
        let (intent, _) = engine.live(None).await?;
        // As after a crash of the engine between the token and the part; of a forgotten token, some rows only.
        let lost = if forget {
            "_offset IN (2, 3, 9)"
        } else {
            "_topic = 'kaizen.decisions'"
        };
        engine
            .query(&format!(
                "ALTER TABLE kaizen.decisions DELETE WHERE {lost} SETTINGS mutations_sync = 2"
            ))
            .await?;
        if forget {
            engine.forget().await?;
        }
        let (_, completions) = engine.live(Some(intent)).await?;
        assert_eq!(completions, "1", "forgotten: {forget}");
        engine.once().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_emptied_by_hand_remember_nothing_of_before() -> Result<()> {
    let engine = Engine::start().await?;
    engine.remember_little().await?;
    engine.forget().await?;
    let (intent, _) = engine.live(None).await?;
    engine.query("TRUNCATE TABLE kaizen.decisions").await?;
    engine.query("TRUNCATE TABLE kaizen.rollup_hourly").await?;
    let position = Position::new(engine.client.clone()).await?;
    assert!(position.last_seen() < intent.position);
    assert!(!position.is_remembered(intent.position).await?);
    engine.live(Some(intent)).await?;
    engine.once().await?;
    assert_eq!(engine.rolled_up().await?, "10");
    Ok(())
}
