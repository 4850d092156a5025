//! `kaizen audit`: is each record that was read stored once, and does the rollup say what its decisions say?

mod hours;
mod partitions;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use kaizen_warehouse::queries::{RollupAudit, Window, whole_since};
use serde::Serialize;

use crate::connection::Connection;
use crate::metrics::time;
use crate::output::{Output, count, json, note, say, table};
use partitions::PartitionAudit;

/// Rollup hours shown of those that differ.
const SHOWN: usize = 20;

/// What to audit.
#[derive(Debug, Args)]
pub struct Audit {
    /// First instant: a date, or a time in RFC 3339, on a whole hour; everything when absent. Records count by Kafka's time,
    /// the rollup by the decisions' own
    #[arg(long, value_name = "TIME", requires = "to")]
    from: Option<String>,
    /// First instant after
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
}

/// What an audit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// Everything is there, once.
    Clean,
    /// Offsets have no row, and Kafka has removed them: whether they held records, nobody can tell.
    Unproven,
    /// Something is missing, or too much.
    Wrong,
    /// There was nothing to audit.
    Nothing,
}

#[derive(Serialize)]
struct Report {
    verdict: Verdict,
    clean: bool,
    partitions: Vec<PartitionAudit>,
    rollup: Vec<RollupAudit>,
}

/// Runs it.
pub async fn run(audit: &Audit, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let mut window = match (&audit.from, &audit.to) {
        (Some(from), Some(to)) => Some(Window::new("window", time(from, "UTC")?, time(to, "UTC")?)?),
        _ => None,
    };
    let client = connection.warehouse()?;
    let since = whole_since(&client).await?;
    if since > 0 && window.is_none_or(|window| window.start().as_second() < since.into()) {
        let since = Timestamp::from_second(since.into())?;
        note(format_args!(
            "before {since} rows may have been removed as too old: not audited"
        ));
        window = window
            .map(|it| Window::new("window", since, it.end()))
            .transpose()?;
    }
    let partitions = partitions::audit(connection, &client, window, since).await?;
    let (hours, rollup) = hours::audit(&client, window, since).await?;
    let verdict = if partitions.is_empty() && hours == 0 {
        Verdict::Nothing
    } else if !rollup.is_empty() || partitions.iter().any(|it| it.verdict == Verdict::Wrong) {
        Verdict::Wrong
    } else if partitions.iter().any(|it| it.verdict == Verdict::Unproven) {
        Verdict::Unproven
    } else {
        Verdict::Clean
    };
    let report = Report {
        verdict,
        clean: verdict == Verdict::Clean,
        partitions,
        rollup,
    };
    match output {
        Output::Json => json(&report)?,
        Output::Table if verdict == Verdict::Nothing => {}
        Output::Table => show(&report),
    }
    let with = |verdict| {
        report
            .partitions
            .iter()
            .filter(|it| it.verdict == verdict)
            .count()
    };
    match verdict {
        Verdict::Clean => Ok(()),
        Verdict::Nothing => bail!("nothing is stored of that time"),
        Verdict::Unproven => bail!(
            "{} partitions have offsets without a row that Kafka has removed: whether they held records cannot be told",
            with(verdict)
        ),
        Verdict::Wrong => bail!(
            "{} partitions have gaps or duplicates, {} hours of the rollup differ from their decisions",
            with(verdict),
            report.rollup.len()
        ),
    }
}

fn show(report: &Report) {
    let row = |it: &PartitionAudit| {
        let verdict = match it.verdict {
            Verdict::Clean => "clean",
            Verdict::Unproven => "unproven",
            Verdict::Wrong => "wrong",
            Verdict::Nothing => "nothing",
        };
        vec![
            format!("{}/{}", it.topic, it.partition),
            verdict.to_owned(),
            format!("{}–{}", it.first, it.last),
            count(it.stored),
            count(it.dead_lettered),
            count(it.repeated),
            count(it.empty),
            count(it.unproven),
            count(it.gaps),
            count(it.duplicates),
        ]
    };
    say(table(
        &[
            "partition",
            "verdict",
            "offsets",
            "stored",
            "dead letters",
            "repeats",
            "no record",
            "unproven",
            "gaps",
            "duplicates",
        ],
        3,
        report.partitions.iter().map(row),
    ));
    if report.rollup.is_empty() {
        say("The rollup is what its decisions say.");
        return;
    }
    let row = |it: &RollupAudit| {
        let hour = Timestamp::from_second(it.hour.into())
            .map_or_else(|_| it.hour.to_string(), |hour| hour.to_string());
        vec![it.log_type.clone(), hour, it.missing.to_string(), count(it.rows)]
    };
    say(table(
        &["rollup of", "hour", "decisions it lacks", "rows that differ"],
        2,
        report.rollup.iter().take(SHOWN).map(row),
    ));
    say("`kaizen admin rebuild-rollup` makes it what its decisions say.");
}
