//! Each record counts once, whatever is killed or stopped, in whatever order. `KAIZEN_CHAOS_SEED` and
//! `KAIZEN_CHAOS_ROUNDS` choose which faults and how many; the same seed gives the same ones.

use std::collections::HashSet;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{DecisionBuilder, Record, Service, Stack, eventually};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const TOPIC: &str = "kaizen.decisions";
const DEAD_LETTERS: &str = "kaizen.decisions.dlq";
const EVENTS_A_ROUND: usize = 6_000;
const COLLECTORS: usize = 2;
const SOON: Duration = Duration::from_secs(120);
/// Longer than a member of the group may be silent: the other one takes its partitions over.
const REPLACED: Duration = Duration::from_secs(8);
const CONFIG: &str = "
batch: { max_rows: 200, max_age: 50ms }
kafka:
  properties: { session.timeout.ms: '6000', heartbeat.interval.ms: '500' }
";

#[derive(Debug, Clone, Copy)]
enum Fault {
    KillCollector(usize),
    EndCollector(usize),
    /// It stands still while the other one replays what it was about to store, and then goes on.
    ReplaceCollector(usize),
    KillEngine,
    PauseEngine,
    KillBroker,
}

fn fault(random: &mut StdRng) -> Fault {
    let one = random.random_range(0..COLLECTORS);
    match random.random_range(0..20) {
        0..8 => Fault::KillCollector(one),
        8..11 => Fault::EndCollector(one),
        11 => Fault::ReplaceCollector(one),
        12..17 => Fault::KillEngine,
        17..19 => Fault::PauseEngine,
        _ => Fault::KillBroker,
    }
}

/// What was published, and what has to become of it.
#[derive(Default)]
struct Published {
    records: usize,
    /// Events that are no repeat of another.
    decisions: usize,
    malformed: usize,
}

struct Chaos {
    // In the order of dropping.
    collectors: Vec<Service>,
    stack: Stack,
    random: StdRng,
    published: Published,
    injected: usize,
}

fn number<T: std::str::FromStr>(variable: &str, default: T) -> T {
    let given = std::env::var(variable).ok();
    given.and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn each_record_is_stored_once_whatever_is_killed_or_stopped() -> Result<()> {
    let (seed, rounds) = (
        number("KAIZEN_CHAOS_SEED", 1_u64),
        number("KAIZEN_CHAOS_ROUNDS", 5),
    );
    let mut config = tempfile::NamedTempFile::with_suffix(".yaml")?;
    config.write_all(CONFIG.as_bytes())?;
    let path = config.path().to_str().context("a path")?;
    let stack = Stack::start().await?;
    let mut collectors = Vec::new();
    for _ in 0..COLLECTORS {
        collectors.push(Service::start("collector", false, &stack, &[("KAIZEN_CONFIG", path)]).await?);
    }
    let mut chaos = Chaos {
        collectors,
        stack,
        random: StdRng::seed_from_u64(seed),
        published: Published::default(),
        injected: 0,
    };
    for round in 0..rounds {
        let faults = chaos
            .round()
            .await
            .with_context(|| format!("round {round} of seed {seed}"))?;
        println!("seed {seed}, round {round}: {faults:?}");
    }
    println!(
        "seed {seed}: {} faults in {rounds} rounds, {} records, each stored once",
        chaos.injected, chaos.published.records
    );
    Ok(())
}

impl Chaos {
    async fn round(&mut self) -> Result<Vec<Fault>> {
        let records = self.records();
        self.stack.kafka().publish(TOPIC, records).await?;
        let faults: Vec<_> = (0..self.random.random_range(1..5))
            .map(|_| fault(&mut self.random))
            .collect();
        for fault in &faults {
            // Where in the stream the fault falls is up to chance, not a wait for something.
            let moment = self.random.random_range(0..400);
            tokio::time::sleep(Duration::from_millis(moment)).await;
            self.inject(*fault).await.with_context(|| format!("{fault:?}"))?;
            self.injected += 1;
        }
        self.all_are_counted().await?;
        self.oracle().await?;
        Ok(faults)
    }

    /// A fifth repeats an event before it, as a producer's retry does; a few are no decisions.
    fn records(&mut self) -> Vec<Record> {
        let now = jiff::Timestamp::now().to_string();
        let (mut records, mut session, mut id) = (Vec::new(), String::new(), String::new());
        for n in 0..EVENTS_A_ROUND {
            let kind = self.random.random_range(0..100);
            if kind < 3 {
                records.push(Record::new("k", "{ not json"));
                self.published.malformed += 1;
                continue;
            }
            if kind >= 23 || id.is_empty() {
                session = format!("session-{}", n % 97);
                id = format!("e-{}-{n}", self.published.records);
                self.published.decisions += 1;
            }
            let event = DecisionBuilder::new(&session, &now).with("/event_id", id.as_str());
            records.push(Record::new(session.as_str(), event.build()));
        }
        self.published.records += records.len();
        records
    }

    async fn inject(&self, fault: Fault) -> Result<()> {
        let (kafka, clickhouse) = (self.stack.kafka(), self.stack.clickhouse());
        match fault {
            Fault::KillCollector(one) => {
                self.collectors[one].part().kill();
                self.collectors[one].restart().await
            }
            Fault::EndCollector(one) => {
                let status = self.collectors[one]
                    .part()
                    .terminate(Duration::from_secs(10))
                    .await?;
                ensure!(status.success(), "{status}");
                self.collectors[one].restart().await
            }
            Fault::ReplaceCollector(one) => {
                self.collectors[one].part().pause()?;
                tokio::time::sleep(REPLACED).await;
                self.collectors[one].part().resume()
            }
            Fault::KillEngine => {
                clickhouse.part().kill();
                clickhouse.restart().await
            }
            Fault::PauseEngine => {
                clickhouse.part().pause()?;
                tokio::time::sleep(Duration::from_secs(2)).await;
                clickhouse.part().resume()
            }
            Fault::KillBroker => {
                kafka.part().kill();
                kafka.restart().await
            }
        }
    }

    async fn all_are_counted(&self) -> Result<()> {
        let sql = "SELECT uniqExact(_partition, _offset) FROM ( \
                       SELECT _partition, _offset FROM kaizen.decisions UNION ALL \
                       SELECT _partition, _offset FROM kaizen.rejections)";
        eventually("every record has its outcome", SOON, async || {
            let counted: usize = self.stack.clickhouse().query(sql).await?.trim().parse()?;
            ensure!(
                counted == self.published.records,
                "{counted} of {} have",
                self.published.records
            );
            Ok(())
        })
        .await
    }

    /// Nothing lost, nothing twice, in the table, in the rollup and among the dead letters.
    async fn oracle(&self) -> Result<()> {
        self.stack.kaizen(&["audit"]).await?;
        let sql = "SELECT count(), uniqExact(event_id) FROM kaizen.decisions";
        let stored = self.stack.clickhouse().query(sql).await?;
        let expected = self.published.decisions;
        ensure!(
            stored.trim() == format!("{expected}\t{expected}"),
            "rows and events: {stored}, expected {expected}"
        );
        let letters = self.stack.kafka().records(DEAD_LETTERS).await?;
        let places: HashSet<_> = (letters.iter())
            .map(|letter| (letter.header("kaizen-partition"), letter.header("kaizen-offset")))
            .collect();
        ensure!(
            places.len() == self.published.malformed,
            "{} dead letters of {}",
            places.len(),
            self.published.malformed
        );
        Ok(())
    }
}
