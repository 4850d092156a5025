//! Looks over what is stored, again and again and at little cost: each record once, and the rollup what its table says. The
//! same oracle as `kaizen audit`, over the partitions this collector owns, as far as they are stored.
//!
//! ```text
//! [settled] ─► [course]: new offsets, then older ones again ─► blocks counted ─► gaps ─► Kafka: is a record there? ─► [findings]
//!                          [hours] of the rollup, round and round ─► totals compared ─► the same in three looks? ─┴─► rebuilt
//! ```

mod course;
mod findings;
mod hours;
mod settled;

pub use settled::Settled;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use kaizen_stream::{KafkaConfig, Lookup, Partition, Run};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, Span, SpanAudit};
use kaizen_warehouse::rollup::rebuild_rollup;
use regex::Regex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::Audit;
use crate::instruments::AuditInstruments;
use course::Course;
use findings::{All, Findings};
use hours::Hours;

/// Records of Kafka read in a run to find out about offsets without a row; what is left is asked about in the next.
const READ: usize = 100_000;

/// The auditor of one collector.
pub struct Auditor {
    config: Audit,
    client: Client,
    lookup: Arc<Lookup>,
    settled: Settled,
    first_topic: Regex,
    course: Course,
    findings: All,
    hours: Hours,
    instruments: AuditInstruments,
}

impl Auditor {
    /// An auditor of what is `settled`. Of several collectors the one that owns partition 0 of `first_topic` (a name, or from `^`
    /// on a regular expression) audits the rollup.
    ///
    /// # Errors
    /// librdkafka refuses the configuration, or the topic is no regular expression.
    pub fn new(
        config: Audit,
        kafka: &KafkaConfig,
        first_topic: &str,
        client: Client,
        settled: Settled,
        instruments: AuditInstruments,
    ) -> anyhow::Result<Self> {
        let first_topic = match first_topic.starts_with('^') {
            true => first_topic.to_owned(),
            false => format!("^{}$", regex::escape(first_topic)),
        };
        Ok(Self {
            config,
            client,
            lookup: Arc::new(Lookup::new(kafka)?),
            settled,
            first_topic: Regex::new(&first_topic)?,
            course: Course::default(),
            findings: All::default(),
            hours: Hours::default(),
            instruments,
        })
    }

    /// Audits until `shutdown`. What stands in the way of a run is told, and tried again at the next.
    pub async fn run(mut self, shutdown: CancellationToken) {
        if !self.config.enabled {
            return;
        }
        let mut interval = tokio::time::interval(self.config.interval.get());
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(interval.tick()).await.is_some() {
            let began = Instant::now();
            match shutdown.run_until_cancelled(self.look()).await {
                None => return,
                Some(Ok(())) => self.instruments.ran(began.elapsed()),
                Some(Err(error)) => {
                    tracing::warn!(error = format!("{error:#}"), "the audit was not finished");
                    self.instruments.failed();
                }
            }
        }
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let settled = self.settled.now();
        self.look_at_offsets(&settled).await?;
        let leads = |it: &Partition| it.number == 0 && self.first_topic.is_match(&it.topic);
        if settled.keys().any(leads) {
            self.look_at_hours().await?;
        }
        self.tell_standing(&settled);
        Ok(())
    }

    async fn look_at_offsets(&mut self, settled: &BTreeMap<Partition, i64>) -> anyhow::Result<()> {
        self.look_at_suspects(settled).await?;
        let beginning = self.course.without_floor(settled);
        let floors = self.floors(beginning).await.context("Kafka")?;
        // Where no record is young enough, the floor is the end, which may have moved meanwhile.
        let stored = |(partition, floor): (Partition, i64)| {
            let end = settled.get(&partition).copied().unwrap_or(floor);
            (partition, floor.min(end))
        };
        self.course.begin(floors.into_iter().map(stored));
        let leg = self.course.next(settled, self.config.max_offsets.get());
        self.look_at(&leg.spans).await?;
        self.course.done(leg);
        Ok(())
    }

    /// What had no row in the last run is looked at again before Kafka is asked: one look is not enough to call a record lost.
    async fn look_at_suspects(&mut self, settled: &BTreeMap<Partition, i64>) -> anyhow::Result<()> {
        let mut spans = Vec::new();
        for partition in settled.keys() {
            spans.extend(self.suspects(partition).into_iter().map(|(first, last)| {
                let span = Span {
                    partition: partition.number,
                    first,
                    last,
                };
                (partition.clone(), span)
            }));
        }
        self.look_at(&spans).await?;
        for (partition, Span { first, last, .. }) in &spans {
            let overlaps = |run: Run| run.0 <= *last && *first <= run.1;
            if !self.suspects(partition).into_iter().any(overlaps) {
                tracing::info!(%partition, first, last, "offsets had no row at the first look and have one at the second");
            }
        }
        self.ask_about_suspects(settled).await.context("Kafka")
    }

    fn suspects(&self, partition: &Partition) -> Vec<Run> {
        let findings = self.findings.get(partition);
        findings.map(Findings::suspects).unwrap_or_default()
    }

    /// Notes what is wrong with these spans.
    async fn look_at(&mut self, spans: &[(Partition, Span)]) -> anyhow::Result<()> {
        let mut topics: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
        for (partition, span) in spans {
            topics.entry(&partition.topic).or_default().push(*span);
        }
        for (topic, spans) in topics {
            let audit = queries::audit_spans(&self.client, topic, &spans)
                .await
                .context("ClickHouse")?;
            self.note(topic, &spans, &audit);
            self.instruments.looked_at(spans.iter().map(Span::offsets).sum());
        }
        Ok(())
    }

    /// From where on there is something to audit: records that are not too old, and still there.
    async fn floors(&self, partitions: Vec<Partition>) -> anyhow::Result<Vec<(Partition, i64)>> {
        let back = SignedDuration::try_from(self.config.look_back.get())?;
        let time = Timestamp::now().saturating_sub(back)?.as_millisecond();
        let lookup = self.lookup.clone();
        let asked = tokio::task::spawn_blocking(move || lookup.first_at(&partitions, time));
        Ok(asked.await??)
    }

    fn note(&mut self, topic: &str, spans: &[Span], audit: &SpanAudit) {
        for span in spans {
            let partition = Partition {
                topic: topic.to_owned(),
                number: span.partition,
            };
            let run = (span.first, span.last);
            let within = |offset: i64| (span.first..=span.last).contains(&offset);
            let findings = self.findings.entry(partition.clone()).or_default();
            let gaps = audit.gaps.iter().filter(|gap| gap.partition == span.partition);
            let gaps: Vec<Run> = gaps
                .map(|gap| (gap.first.max(span.first), gap.last.min(span.last)))
                .filter(|(first, last)| first <= last)
                .collect();
            for (first, last) in findings.gaps(run, &gaps) {
                tracing::info!(%partition, first, last, "records that were lost are stored again");
            }
            let rows = audit
                .duplicates
                .iter()
                .filter(|(number, offset)| *number == span.partition && within(*offset));
            let (found, mended) = findings.duplicates(run, rows.map(|(_, offset)| *offset));
            if let (Some(first), Some(last)) = (found.first(), found.last()) {
                tracing::warn!(%partition, first, last, rows = found.len(), "records are stored more than once");
                self.instruments.duplicates(&partition, found.len() as u64);
            }
            if mended > 0 {
                tracing::info!(%partition, rows = mended, "rows that were too many are gone");
            }
        }
    }

    /// An offset without a row is a loss if Kafka has a record there.
    async fn ask_about_suspects(&mut self, settled: &BTreeMap<Partition, i64>) -> anyhow::Result<()> {
        for partition in settled.keys() {
            let Some(findings) = self.findings.get_mut(partition) else {
                continue;
            };
            let suspects = findings.suspects();
            if suspects.is_empty() {
                continue;
            }
            let (lookup, place) = (self.lookup.clone(), partition.clone());
            let asked = tokio::task::spawn_blocking(move || lookup.look(&place, &suspects, READ));
            let looked = asked.await??;
            for (first, last) in &looked.records {
                tracing::warn!(%partition, first, last, "records are not stored");
            }
            for (first, last) in &looked.removed {
                tracing::warn!(%partition, first, last, "offsets have no row, and Kafka has removed them: nobody can tell why");
            }
            findings.lost(&looked.records);
            findings.empty(&looked.empty);
            findings.unknown(&looked.removed);
            let lost = looked
                .records
                .iter()
                .map(|(first, last)| last.abs_diff(*first) + 1)
                .sum();
            self.instruments.gaps(partition, lost);
        }
        Ok(())
    }

    async fn look_at_hours(&mut self) -> anyhow::Result<()> {
        if self.hours.is_over() {
            let since = queries::whole_since(&self.client).await?;
            let hours = queries::rollup_hours(&self.client).await?;
            self.hours.begin(&hours, since, self.config.max_rollup_rows.get());
        }
        for window in self.hours.next() {
            let differences = queries::compare_rollup(&self.client, window)
                .await
                .context("ClickHouse")?;
            let (found, mended) = self.hours.compared(window, differences);
            for hour in &found {
                tracing::warn!(log_type = hour.log_type, hour = %time(hour.hour), missing = hour.missing,
                    "an hour of the rollup is not what its decisions say");
            }
            for hour in mended {
                tracing::info!(log_type = hour.log_type, hour = %time(hour.hour), "an hour of the rollup is right again");
            }
            self.instruments.rollup(found.len() as u64);
        }
        if self.config.mend_rollup {
            self.mend_hours().await?;
        }
        Ok(())
    }

    /// An insert that was cut between the table and its rollup, and whose token ClickHouse has forgotten, can be mended no other way.
    async fn mend_hours(&mut self) -> anyhow::Result<()> {
        for window in self.hours.due_to_mend() {
            let rebuilt = rebuild_rollup(&self.client, Some(window)).await;
            let rebuilt = rebuilt.context("rebuilding an hour of the rollup")?;
            tracing::info!(hour = %window.start(), rows = rebuilt.corrected, "an hour of the rollup was rebuilt from its decisions");
            self.instruments.rebuilt();
        }
        Ok(())
    }

    fn tell_standing(&self, settled: &BTreeMap<Partition, i64>) {
        let owned = settled
            .keys()
            .filter_map(|partition| self.findings.get(partition));
        let (lost, repeated) = owned
            .map(Findings::standing)
            .fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        self.instruments.standing(lost, repeated, self.hours.standing());
    }
}

fn time(second: u32) -> String {
    Timestamp::from_second(second.into()).map_or_else(|_| second.to_string(), |time| time.to_string())
}
