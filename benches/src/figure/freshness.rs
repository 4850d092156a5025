//! How long until a query sees what was published. Events come steadily; one in fifty is followed from just before it is given
//! to Kafka's client until the answer of the first `SELECT` whose newest offset of its partition is not below its own. The
//! queries follow one another with a pause, which is part of what is measured.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_testkit::Stack;

use super::{Figure, tell};
use crate::contender::start_collector;
use crate::meter::median;
use crate::options::Options;
use crate::pace::{Pace, Sample};
use crate::report::{Section, Table, grouped};

const TOPIC: &str = "kaizen.decisions";
const RATE: u64 = 10_000;
/// Between two queries.
const PAUSE: Duration = Duration::from_millis(10);
/// Before events are followed: the collector joins its group, and what waited is stored.
const WARM_UP: Duration = Duration::from_secs(10);
/// A followed event that is not seen for so long is lost.
const LOST: Duration = Duration::from_secs(60);
/// Only rows that new are looked at, so that the query costs the same however much is stored.
const NEWEST: &str = "SELECT _partition, max(_offset) FROM kaizen.decisions PREWHERE _ingested_at > now64(3) - \
                      INTERVAL 2 MINUTE GROUP BY _partition";

/// Rounds of some seconds each; the medians of their quantiles.
pub async fn measure(options: &Options) -> Result<Section> {
    let stack = Stack::start().await?;
    let collector = start_collector(&stack, "collector", &[]).await?;
    let pace = Pace::start(stack.kafka().brokers(), TOPIC, RATE)?;
    let mut probe = Probe::new(&stack);
    probe.follow(&pace, WARM_UP).await?;
    let (mut p50, mut p99, mut followed) = (Vec::new(), Vec::new(), 0);
    for round in 1..=options.runs {
        let mut seen = probe
            .follow(&pace, Duration::from_secs(options.freshness_seconds))
            .await?;
        seen.sort_unstable();
        followed += seen.len();
        p50.push(quantile(&seen, 50).context("no event was seen")?);
        p99.push(quantile(&seen, 99).context("no event was seen")?);
        tell(&format!(
            "round {round} of {}: {} events followed",
            options.runs,
            seen.len()
        ));
    }
    pace.stop()?;
    drop(collector);
    let middle =
        |of: &[Duration]| median(of, Duration::as_secs_f64).map(|it| format!("{:.2} s", it.as_secs_f64()));
    let mut table = Table::new(&["events/s", "followed", "rounds", "p50", "p99"]);
    table.row([
        grouped(RATE),
        grouped(followed as u64),
        options.runs.to_string(),
        middle(&p50).unwrap_or_default(),
        middle(&p99).unwrap_or_default(),
    ]);
    Ok(Section::plain(Figure::Freshness, table.to_string()))
}

struct Probe<'a> {
    stack: &'a Stack,
    waiting: Vec<Sample>,
}

impl<'a> Probe<'a> {
    fn new(stack: &'a Stack) -> Self {
        Self {
            stack,
            waiting: Vec::new(),
        }
    }

    /// Looks for so long; returns how long each event took that came to sight meanwhile.
    async fn follow(&mut self, pace: &Pace, period: Duration) -> Result<Vec<Duration>> {
        let (began, mut seen) = (Instant::now(), Vec::new());
        while began.elapsed() < period {
            let answer = self.stack.clickhouse().query(NEWEST).await?;
            let now = Instant::now();
            self.waiting.extend(pace.samples());
            let newest = parse(&answer)?;
            let is_seen = |sample: &mut Sample| {
                newest
                    .iter()
                    .any(|(partition, offset)| *partition == sample.partition && *offset >= sample.offset)
            };
            let came = self.waiting.extract_if(.., is_seen);
            seen.extend(came.map(|sample| now.duration_since(sample.published)));
            let lost = self
                .waiting
                .iter()
                .find(|sample| now.duration_since(sample.published) > LOST);
            ensure!(lost.is_none(), "not seen within {LOST:?}: {lost:?}");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(seen)
    }
}

fn parse(answer: &str) -> Result<Vec<(i32, i64)>> {
    answer
        .lines()
        .map(|line| {
            let (partition, offset) = line.split_once('\t').context("a row of two columns")?;
            Ok((partition.parse()?, offset.parse()?))
        })
        .collect()
}

/// The value that so many in a hundred do not exceed.
fn quantile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_smallest_value_that_enough_do_not_exceed() {
        let values: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(quantile(&values, 50), Some(Duration::from_millis(100)));
        assert_eq!(quantile(&values, 99), Some(Duration::from_millis(198)));
        assert_eq!(quantile(&values[..1], 99), Some(Duration::from_millis(1)));
        assert_eq!(quantile(&[], 50), None);
    }
}
