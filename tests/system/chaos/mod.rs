//! Each record counts once, whatever is killed, stopped, cut, filled or set, in whatever order. `KAIZEN_CHAOS_SEED` and
//! `KAIZEN_CHAOS_ROUNDS` choose which faults and how many: each round has a seed of its own, one more than the round
//! before, and the same seed gives the same faults. `KAIZEN_CHAOS_ONLY` keeps to the kinds whose names have it in them. A
//! round that fails says how to repeat it alone.

mod cluster;
mod fault;
mod inject;
mod records;
mod tally;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_testkit::eventually;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::audit;
use cluster::{Cluster, Group, MEMBERS};
use fault::Fault;
use inject::inject;
use records::Published;
use tally::Run;

const DEAD_LETTERS: &str = "kaizen.decisions.dlq";
const EVENTS_A_FAULT: usize = 2_500;
/// In batches of some 500 and three blocks each: more blocks than a table remembers.
const EVENTS_TO_PASS_A_WINDOW: usize = 100_000;
/// First seed and rounds of the short run among the tests. None of its rounds fills the engine's disk, after which the engine can be left with
/// a part that it cannot read (`docs/faults.md`).
const SHORT: (u64, u64) = (100, 3);
const SOON: Duration = Duration::from_secs(180);

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// What the names of the faults' kinds have in them.
fn only() -> String {
    std::env::var("KAIZEN_CHAOS_ONLY").unwrap_or_default()
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
    run(Group::Kip848).await
}

async fn run(group: Group) -> Result<()> {
    let seed = number("KAIZEN_CHAOS_SEED", SHORT.0);
    let mut tally = Run::new(group, seed);
    let mut result = Ok(());
    let mut chaos = Chaos {
        cluster: Cluster::start(group).await?,
        published: Published::default(),
    };
    for seed in seed..seed + number("KAIZEN_CHAOS_ROUNDS", SHORT.1) {
        let began = Instant::now();
        let (faults, ended) = chaos.round(seed, &mut tally).await;
        println!("{group:?}, seed {seed}, {:.0?}: {faults:?}", began.elapsed());
        if let Err(error) = ended {
            let repeat = format!("make chaos SEED={seed} ROUNDS=1 ONLY='{}'", only());
            tally.failed = Some(repeat.clone());
            result = Err(error.context(format!("{group:?}, seed {seed}; to repeat it: {repeat}")));
            break;
        }
        tally.clean += 1;
    }
    tally.published = chaos.published;
    tally.print();
    result
}

struct Chaos {
    cluster: Cluster,
    published: Published,
}

impl Chaos {
    /// Injects what the seed says, and asks the oracle.
    async fn round(&mut self, seed: u64, tally: &mut Run) -> (Vec<Fault>, Result<()>) {
        // Other faults in each group.
        let mut random = StdRng::seed_from_u64(seed << 2 | self.cluster.group as u64);
        let only = only();
        let faults: Vec<_> = (0..random.random_range(2..6))
            .map(|_| Fault::any(&mut random, MEMBERS, &only))
            .collect();
        let ended = self.inject_each(&faults, &mut random, tally).await;
        (faults, ended)
    }

    async fn inject_each(&mut self, faults: &[Fault], random: &mut StdRng, tally: &mut Run) -> Result<()> {
        for fault in faults {
            let events = match fault {
                Fault::PassWindow(_) => EVENTS_TO_PASS_A_WINDOW,
                _ => EVENTS_A_FAULT,
            };
            let after = Duration::from_millis(random.random_range(0..200));
            if !fault.is_possible() {
                tally.impossible += 1;
                continue;
            }
            let (topic, records) = self.published.more(random, fault.topic(), events);
            let published = self.cluster.stack.kafka().publish(topic, records);
            inject(*fault, after, &self.cluster, published)
                .await
                .with_context(|| format!("{fault:?}"))?;
            tally.injected(fault);
        }
        self.all_are_counted().await?;
        self.oracle(tally).await
    }

    async fn all_are_counted(&self) -> Result<()> {
        let sql = "SELECT uniqExact(_topic, _partition, _offset) FROM ( \
                       SELECT _topic, _partition, _offset FROM kaizen.decisions UNION ALL \
                       SELECT _topic, _partition, _offset FROM kaizen.rejections)";
        let clickhouse = self.cluster.stack.clickhouse();
        eventually("every record has its outcome", SOON, async || {
            let counted: usize = clickhouse.query(sql).await?.trim().parse()?;
            let published = self.published.records;
            ensure!(counted == published, "{counted} of {published} have");
            Ok(())
        })
        .await
    }

    /// What `kaizen audit` says of the rollup, which may be wrong until the collectors' own audit has rebuilt it. Rows may not.
    async fn is_clean(&self) -> Result<bool> {
        let ended = self.cluster.stack.kaizen(&["audit", "--output", "json"]).await;
        let (clean, report) = audit::report(ended)?;
        let right = ["gaps", "duplicates", "unproven"].map(|what| audit::total(&report, what)) == [0; 3];
        let hours = report["rollup"].as_array().map_or(0, Vec::len);
        ensure!(clean || right && hours > 0, "{report}");
        Ok(clean)
    }

    /// Nothing lost, nothing twice, in the table, in the rollup and among the dead letters.
    async fn oracle(&self, tally: &mut Run) -> Result<()> {
        let (stack, published) = (&self.cluster.stack, &self.published);
        if !self.is_clean().await? {
            tally.mended += 1;
            eventually("the rollup is rebuilt", SOON, async || {
                ensure!(self.is_clean().await?, "it is not what its decisions say");
                Ok(())
            })
            .await?;
        }
        let sql = "SELECT count(), uniqExact(event_id) FROM kaizen.decisions";
        let stored = stack.clickhouse().query(sql).await?;
        let expected = published.decisions;
        ensure!(
            stored.trim() == format!("{expected}\t{expected}"),
            "rows and events: {stored}, expected {expected}"
        );
        let letters = stack.kafka().records(DEAD_LETTERS).await?;
        let places: HashSet<_> = (letters.iter())
            .map(|letter| (letter.header("kaizen-partition"), letter.header("kaizen-offset")))
            .collect();
        let (found, malformed) = (places.len(), published.malformed);
        ensure!(found == malformed, "{found} dead letters of {malformed}");
        Ok(())
    }
}
