//! What is lost, doubled or changed by hand is found: by the command, and by the collector while it runs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{DecisionBuilder, Record, Sandbox, eventually};
use serde_json::Value;

const TOPIC: &str = "kaizen.decisions";
const SOON: Duration = Duration::from_secs(60);
const GAP: &str = "kaizen_collector_ingest_gap_total";
const DUPLICATE: &str = "kaizen_collector_ingest_duplicate_total";
const ROLLUP: &str = "kaizen_collector_rollup_mismatch_total";
const REBUILT: &str = "kaizen_collector_rollup_rebuilt_total";

fn records(from: usize, to: usize) -> Vec<Record> {
    let now = jiff::Timestamp::now().to_string();
    let event = |n: usize| {
        DecisionBuilder::new(&format!("session-{}", n % 97), &now).with("/event_id", format!("e-{n}"))
    };
    let record = |n: usize| match n % 50 {
        // Repeats the event before it, or is none.
        7 => Record::new(format!("{}", (n - 1) % 97), event(n - 1).build()),
        13 => Record::new("k", "{ not json"),
        _ => Record::new(format!("{}", n % 97), event(n).build()),
    };
    (from..to).map(record).collect()
}

struct Audited {
    sandbox: Sandbox,
}

impl Audited {
    /// What is wrong with the rollup is mended by the collector, or only told.
    async fn start(mends: bool) -> Result<Self> {
        let mends = if mends { "true" } else { "false" };
        let often = [
            ("KAIZEN__AUDIT__INTERVAL", "200ms"),
            ("KAIZEN__AUDIT__MEND_ROLLUP", mends),
        ];
        let sandbox = Sandbox::with(&often).await?;
        Ok(Self { sandbox })
    }

    async fn sql(&self, statement: &str) -> Result<String> {
        self.sandbox.stack().clickhouse().query(statement).await
    }

    async fn all_are_counted(&self, records: usize) -> Result<()> {
        let sql = "SELECT uniqExact(_topic, _partition, _offset) FROM ( \
                       SELECT _topic, _partition, _offset FROM kaizen.decisions UNION ALL \
                       SELECT _topic, _partition, _offset FROM kaizen.rejections)";
        eventually("every record has its outcome", SOON, async || {
            let counted: usize = self.sql(sql).await?.parse()?;
            ensure!(counted == records, "{counted} of {records} have");
            Ok(())
        })
        .await
    }

    /// Sum of an instrument's samples; without any, 0.
    async fn instrument(&self, name: &str) -> Result<u64> {
        let text = self.sandbox.collector().operation("metrics").await?;
        let samples = text
            .lines()
            .filter(|line| line.starts_with(name) && !line.starts_with('#'));
        let values = samples.map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<f64>());
        Ok(values.sum::<Result<f64, _>>()? as u64)
    }

    /// Runs of the audit that ended, from now on.
    async fn runs(&self, more: u64) -> Result<()> {
        let count = "kaizen_collector_audit_duration_seconds_count";
        let before = self.instrument(count).await?;
        eventually("the audit runs", SOON, async || {
            let now = self.instrument(count).await?;
            ensure!(now >= before + more, "{now} runs, {before} before");
            Ok(())
        })
        .await
    }

    async fn counts(&self, [gaps, duplicates, hours]: [u64; 3]) -> Result<()> {
        eventually("the collector's audit has found it", SOON, async || {
            let found = [
                self.instrument(GAP).await?,
                self.instrument(DUPLICATE).await?,
                self.instrument(ROLLUP).await?,
            ];
            ensure!(found == [gaps, duplicates, hours], "{found:?}");
            Ok(())
        })
        .await
    }

    async fn standing(&self, kind: &str, expected: u64) -> Result<()> {
        let name = format!("kaizen_collector_audit_standing{{kind=\"{kind}\"}}");
        eventually(&format!("{expected} of {kind} stand"), SOON, async || {
            let standing = self.instrument(&name).await?;
            ensure!(standing == expected, "{standing}");
            Ok(())
        })
        .await
    }

    /// What `kaizen audit` says, and whether it succeeds.
    async fn audit(&self, more: &[&str]) -> Result<(bool, Value)> {
        let arguments: Vec<_> = ["audit", "--output", "json"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        report(self.sandbox.kaizen(&arguments).await)
    }
}

/// Whether `kaizen audit --output json` succeeded, and what it printed.
pub fn report(ended: Result<String>) -> Result<(bool, Value)> {
    match ended {
        Ok(report) => Ok((true, serde_json::from_str(&report)?)),
        Err(error) => {
            let text = error.to_string();
            let from = text.find("\n{").context(text.clone())?;
            let report = serde_json::Deserializer::from_str(&text[from..])
                .into_iter()
                .next();
            Ok((false, report.context(text.clone())??))
        }
    }
}

/// Gaps, duplicates and the like of all partitions together.
pub fn total(report: &Value, what: &str) -> u64 {
    let partitions = report["partitions"].as_array().into_iter().flatten();
    partitions.filter_map(|partition| partition[what].as_u64()).sum()
}

fn verdict((success, report): &(bool, Value)) -> (bool, &str, [u64; 2], usize) {
    (
        *success,
        report["verdict"].as_str().unwrap_or_default(),
        [total(report, "gaps"), total(report, "duplicates")],
        report["rollup"].as_array().map_or(0, Vec::len),
    )
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one story: each step stands on what the one before left"
)]
async fn rows_lost_doubled_or_changed_by_hand_are_found_once_and_told_when_they_are_mended() -> Result<()> {
    let audited = Audited::start(false).await?;
    let kafka = audited.sandbox.stack().kafka();
    assert_eq!(verdict(&audited.audit(&[]).await?), (false, "nothing", [0, 0], 0));
    kafka.publish(TOPIC, records(0, 2_000)).await?;
    // Each transaction leaves a marker in each partition it touches; an aborted one its records too.
    kafka
        .publish_in_transaction(TOPIC, records(2_000, 2_100), true)
        .await?;
    kafka
        .publish_in_transaction(TOPIC, records(5_000, 5_100), false)
        .await?;
    kafka.publish(TOPIC, records(2_100, 3_000)).await?;
    audited.all_are_counted(3_000).await?;
    // What is stored is committed as such a moment later; from then on the audit expects it.
    eventually("all is clean, with offsets without a record", SOON, async || {
        let clean = audited.audit(&[]).await?;
        ensure!(verdict(&clean) == (true, "clean", [0, 0], 0), "{clean:?}");
        ensure!(total(&clean.1, "empty") >= 102, "{clean:?}");
        Ok(())
    })
    .await?;
    audited.runs(4).await?;
    audited.counts([0, 0, 0]).await?;

    // A row is deleted.
    let keep = "CREATE TABLE kaizen.kept ENGINE = Memory AS SELECT * FROM kaizen.decisions WHERE _offset > 3 \
                ORDER BY _partition, _offset LIMIT 1";
    audited.sql(keep).await?;
    let kept = "(_partition, _offset) IN (SELECT _partition, _offset FROM kaizen.kept)";
    audited
        .sql(&format!("DELETE FROM kaizen.decisions WHERE {kept}"))
        .await?;
    let found = audited.audit(&[]).await?;
    assert_eq!(verdict(&found), (false, "wrong", [1, 0], 1), "{found:?}");
    audited.counts([1, 0, 1]).await?;

    // It comes back, twice. The rollup counts both, beside the one that it had.
    for token in ["one", "two"] {
        let back = format!(
            "INSERT INTO kaizen.decisions SETTINGS insert_deduplication_token = '{token}' SELECT * FROM kaizen.kept"
        );
        audited.sql(&back).await?;
    }
    let found = audited.audit(&[]).await?;
    assert_eq!(verdict(&found), (false, "wrong", [0, 1], 1), "{found:?}");
    audited.counts([1, 1, 1]).await?;
    audited.standing("gap", 0).await?;

    // Nothing is counted again, however often it is seen.
    audited.runs(4).await?;
    audited.counts([1, 1, 1]).await?;
    audited.standing("duplicate", 1).await?;

    // All is mended.
    audited
        .sql(&format!("DELETE FROM kaizen.decisions WHERE {kept}"))
        .await?;
    audited.sql("INSERT INTO kaizen.decisions SETTINGS insert_deduplication_token = 'three' SELECT * FROM kaizen.kept").await?;
    let rebuilt = audited.sandbox.kaizen(&["admin", "rebuild-rollup"]).await?;
    ensure!(rebuilt.starts_with("1 rows of the rollup corrected"), "{rebuilt}");
    let clean = audited.audit(&[]).await?;
    assert_eq!(verdict(&clean), (true, "clean", [0, 0], 0), "{clean:?}");
    for kind in ["gap", "duplicate", "rollup"] {
        audited.standing(kind, 0).await?;
    }
    audited.counts([1, 1, 1]).await?;
    let log = audited.sandbox.collector().part().log()?;
    for line in [
        "records are not stored",
        "records are stored more than once",
        "is not what its decisions say",
        "is right again",
    ] {
        ensure!(log.contains(line), "the log lacks {line:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_rollup_that_lacks_an_insert_is_rebuilt_without_a_person_while_decisions_come_in() -> Result<()> {
    let audited = Audited::start(true).await?;
    let kafka = audited.sandbox.stack().kafka();
    kafka.publish(TOPIC, records(0, 1_000)).await?;
    audited.all_are_counted(1_000).await?;
    // As a server leaves it that was killed between the two.
    audited.sql("TRUNCATE TABLE kaizen.rollup_hourly").await?;
    for batch in 1..=5 {
        let (from, to) = (batch * 1_000, (batch + 1) * 1_000);
        kafka.publish(TOPIC, records(from, to)).await?;
        audited.all_are_counted(to).await?;
    }
    let lacks = audited.audit(&[]).await?;
    eventually("the rollup is whole", SOON, async || {
        let clean = audited.audit(&[]).await?;
        ensure!(verdict(&clean) == (true, "clean", [0, 0], 0), "{clean:?}");
        Ok(())
    })
    .await?;
    audited.standing("rollup", 0).await?;
    let (found, rebuilt) = (
        audited.instrument(ROLLUP).await?,
        audited.instrument(REBUILT).await?,
    );
    ensure!(
        found > 0 && rebuilt > 0,
        "{found} hours found, {rebuilt} rebuilt, {lacks:?} before"
    );
    let log = audited.sandbox.collector().part().log()?;
    ensure!(
        log.contains("was rebuilt from its decisions"),
        "the log does not tell"
    );
    Ok(())
}

#[tokio::test]
async fn a_partition_that_lost_all_its_rows_or_its_last_ones_is_found_and_what_kafka_removed_is_unproven()
-> Result<()> {
    let audited = Audited::start(true).await?;
    let kafka = audited.sandbox.stack().kafka();
    kafka.publish(TOPIC, records(0, 2_000)).await?;
    audited.all_are_counted(2_000).await?;
    audited.runs(2).await?;
    audited
        .sql("DELETE FROM kaizen.decisions WHERE _partition = 0")
        .await?;
    audited
        .sql("DELETE FROM kaizen.rejections WHERE _partition = 0")
        .await?;
    let last = "(_partition, _offset) IN (SELECT _partition, max(_offset) FROM kaizen.decisions GROUP BY _partition)";
    audited
        .sql(&format!("DELETE FROM kaizen.decisions WHERE {last}"))
        .await?;
    // What is stored is committed as such a moment later; from then on the command expects it.
    let gaps = eventually("both audits have found them", SOON, async || {
        let found = audited.audit(&[]).await?;
        let (gaps, counted) = (total(&found.1, "gaps"), audited.instrument(GAP).await?);
        ensure!(!found.0 && gaps > 100 && gaps == counted, "{counted}: {found:?}");
        Ok(gaps)
    })
    .await?;

    // Within a window of hours the same, outside of it nothing.
    let hour = jiff::Timestamp::now().round(
        jiff::TimestampRound::new()
            .smallest(jiff::Unit::Hour)
            .mode(jiff::RoundMode::Trunc),
    )?;
    let [before, after] = [-3, 2].map(|hours| (hour + jiff::SignedDuration::from_hours(hours)).to_string());
    let within = audited.audit(&["--from", &before, "--to", &after]).await?;
    assert_eq!((within.0, total(&within.1, "gaps")), (false, gaps), "{within:?}");
    let past = audited
        .audit(&["--from", "2020-01-01", "--to", "2020-01-02"])
        .await?;
    assert_eq!(verdict(&past), (false, "nothing", [0, 0], 0));
    let past = audited
        .sandbox
        .kaizen(&["audit", "--from", "2020-01-01", "--to", "2020-01-02"])
        .await;
    let told = past.err().context("an empty range is clean")?.to_string();
    ensure!(told.contains("nothing is stored of that time"), "{told}");

    // Kafka removes the records: what has no row between stored ones may have been none.
    for partition in 0..8 {
        let begin = format!("SELECT max(_offset) + 1 FROM kaizen.decisions WHERE _partition = {partition}");
        let begin: i64 = audited.sql(&begin).await?.parse()?;
        kafka.delete_records(TOPIC, partition, begin.max(2)).await?;
    }
    let second = "SELECT _offset FROM kaizen.decisions WHERE _partition = 3 ORDER BY _offset LIMIT 1, 1";
    let second = audited.sql(second).await?;
    audited
        .sql(&format!(
            "DELETE FROM kaizen.decisions WHERE _partition = 3 AND _offset = {second}"
        ))
        .await?;
    let found = audited.audit(&[]).await?;
    ensure!(!found.0 && total(&found.1, "unproven") == 1, "{found:?}");
    Ok(())
}
