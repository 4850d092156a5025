//! `kaizen audit`: is each record that was read stored once, and does the rollup say what its decisions say?

use anyhow::{bail, ensure};
use clap::Args;
use jiff::Timestamp;
use kaizen_warehouse::queries::{PartitionAudit, RollupAudit, Window, audit_partitions, audit_rollup};
use serde::Serialize;

use crate::connection::Connection;
use crate::metrics::time;
use crate::output::{Output, count, json, say, table};

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

#[derive(Serialize)]
struct Verdict {
    clean: bool,
    partitions: Vec<PartitionAudit>,
    rollup: Vec<RollupAudit>,
}

/// Runs it.
pub async fn run(audit: &Audit, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let window = match (&audit.from, &audit.to) {
        (Some(from), Some(to)) => Some(Window::new("window", time(from, "UTC")?, time(to, "UTC")?)?),
        _ => None,
    };
    let client = connection.warehouse()?;
    let partitions = audit_partitions(&client, window).await?;
    let rollup = audit_rollup(&client, window).await?;
    let wrong = partitions
        .iter()
        .filter(|it| it.gaps > 0 || it.duplicates > 0)
        .count();
    let clean = wrong == 0 && rollup.is_empty();
    let hours = rollup.len();
    let verdict = Verdict {
        clean,
        partitions,
        rollup,
    };
    match output {
        Output::Json => json(&verdict)?,
        Output::Table => show(&verdict)?,
    }
    ensure!(
        clean,
        "{wrong} partitions have gaps or duplicates, {hours} hours of the rollup differ from their decisions"
    );
    Ok(())
}

fn show(verdict: &Verdict) -> anyhow::Result<()> {
    if verdict.partitions.is_empty() {
        bail!("nothing is stored of that time");
    }
    let row = |it: &PartitionAudit| {
        vec![
            format!("{}/{}", it.topic, it.partition),
            if it.gaps == 0 && it.duplicates == 0 {
                "clean"
            } else {
                "wrong"
            }
            .to_owned(),
            format!("{}–{}", it.first, it.last),
            count(it.stored),
            count(it.dead_lettered),
            count(it.repeated),
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
            "gaps",
            "duplicates",
        ],
        3,
        verdict.partitions.iter().map(row),
    ));
    if verdict.rollup.is_empty() {
        say("The rollup is what its decisions say.");
        return Ok(());
    }
    let row = |it: &RollupAudit| {
        let hour = Timestamp::from_second(it.hour.into())
            .map_or_else(|_| it.hour.to_string(), |hour| hour.to_string());
        vec![
            it.log_type.clone(),
            hour,
            count(it.decisions),
            count(it.rolled_up),
        ]
    };
    say(table(
        &["rollup of", "hour", "decisions", "rolled up"],
        2,
        verdict.rollup.iter().take(SHOWN).map(row),
    ));
    Ok(())
}
