//! Each record counts once, whatever is killed, stopped or cut, in whatever order. `KAIZEN_CHAOS_SEED` and
//! `KAIZEN_CHAOS_ROUNDS` choose which faults and how many; the same seed gives the same ones.

mod fault;
mod records;

use std::collections::HashSet;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{Proxy, Service, Stack, eventually};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::NamedTempFile;

use fault::{Fault, Member, inject};
use records::Published;

const DEAD_LETTERS: &str = "kaizen.decisions.dlq";
const EVENTS_A_FAULT: usize = 2_500;
const COLLECTORS: usize = 2;
const SOON: Duration = Duration::from_secs(120);

/// How the collectors share partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// A member that is killed is missed until its session ends.
    Classic,
    /// A member that comes back under its name has its partitions again.
    Static,
    /// KIP-848.
    Consumer,
}

impl Group {
    fn settings(self) -> &'static str {
        match self {
            Self::Classic | Self::Static => {
                "properties: { session.timeout.ms: '6000', heartbeat.interval.ms: '500' }"
            }
            Self::Consumer => "group_protocol: consumer",
        }
    }
}

struct Chaos {
    // In the order of dropping.
    members: Vec<Member>,
    stack: Stack,
    /// Read by the collectors whenever they start.
    _config: NamedTempFile,
    random: StdRng,
    published: Published,
    injected: usize,
}

fn number<T: std::str::FromStr>(variable: &str, default: T) -> T {
    let given = std::env::var(variable).ok();
    given.and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn each_record_is_stored_once_whatever_fails_in_a_classic_group() -> Result<()> {
    run(Group::Classic).await
}

#[tokio::test]
async fn each_record_is_stored_once_whatever_fails_with_static_members() -> Result<()> {
    run(Group::Static).await
}

#[tokio::test]
async fn each_record_is_stored_once_whatever_fails_in_a_group_of_kip_848() -> Result<()> {
    run(Group::Consumer).await
}

async fn run(group: Group) -> Result<()> {
    let seed = number("KAIZEN_CHAOS_SEED", 1_u64);
    let rounds: u32 = number("KAIZEN_CHAOS_ROUNDS", 3);
    let mut chaos = Chaos::start(group, seed).await?;
    for round in 0..rounds {
        let faults = chaos
            .round()
            .await
            .with_context(|| format!("{group:?}, round {round} of seed {seed}"))?;
        println!("{group:?}, seed {seed}, round {round}: {faults:?}");
    }
    println!(
        "{group:?}, seed {seed}: {} faults in {rounds} rounds, {} records, each stored once",
        chaos.injected, chaos.published.records
    );
    Ok(())
}

impl Chaos {
    async fn start(group: Group, seed: u64) -> Result<Self> {
        let mut config = NamedTempFile::with_suffix(".yaml")?;
        let batch = "batch: { max_rows: 200, max_age: 50ms, max_age_behind: 50ms }";
        write!(config, "{batch}\nkafka:\n  {}\n", group.settings())?;
        let path = config.path().to_str().context("a path")?;
        let stack = Stack::start().await?;
        let engine = stack.clickhouse().url().trim_start_matches("http://").parse()?;
        let mut members = Vec::new();
        for name in 0..COLLECTORS {
            let proxy = Proxy::start(engine).await?;
            let (url, instance) = (proxy.url(), format!("chaos-{name}"));
            let mut settings = vec![("KAIZEN_CONFIG", path), ("KAIZEN__CLICKHOUSE__URL", url.as_str())];
            if group == Group::Static {
                settings.push(("KAIZEN__KAFKA__INSTANCE_ID", instance.as_str()));
            }
            let collector = Service::start("collector", false, &stack, &settings).await?;
            members.push(Member { collector, proxy });
        }
        Ok(Self {
            members,
            stack,
            _config: config,
            random: StdRng::seed_from_u64(seed),
            published: Published::default(),
            injected: 0,
        })
    }

    async fn round(&mut self) -> Result<Vec<Fault>> {
        let faults: Vec<_> = (0..self.random.random_range(2..6))
            .map(|_| Fault::any(&mut self.random, COLLECTORS))
            .collect();
        for fault in &faults {
            let (topic, records) = self.published.more(&mut self.random, EVENTS_A_FAULT);
            // Where in the stream the fault falls is up to chance, not a wait for something; a moment of an insert is
            // awaited from before there is one.
            let at_once = matches!(fault, Fault::At(..));
            let after = Duration::from_millis(if at_once {
                0
            } else {
                self.random.random_range(0..200)
            });
            let injected = async {
                tokio::time::sleep(after).await;
                inject(*fault, &self.stack, &self.members).await
            };
            let published = self.stack.kafka().publish(topic, records);
            let done = if matches!(fault, Fault::KillBroker) {
                published.await?;
                injected.await
            } else {
                let (injected, published) = tokio::join!(injected, published);
                published?;
                injected
            };
            done.with_context(|| format!("{fault:?}"))?;
            self.injected += 1;
        }
        self.all_are_counted().await?;
        self.oracle().await?;
        Ok(faults)
    }

    async fn all_are_counted(&self) -> Result<()> {
        let sql = "SELECT uniqExact(_topic, _partition, _offset) FROM ( \
                       SELECT _topic, _partition, _offset FROM kaizen.decisions UNION ALL \
                       SELECT _topic, _partition, _offset FROM kaizen.rejections)";
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
