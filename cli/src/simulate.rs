//! `kaizen simulate`: decisions of a fleet whose every number is known.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use kaizen_catalogue::Catalogue;
use kaizen_simulator::{Scenario, Simulation, Truth};
use serde_json::json;

use crate::collected::collected;
use crate::connection::Connection;
use crate::output::{self, Output, count, say, table};
use crate::progress::Progress;
use crate::publisher::Publisher;

/// What to simulate, and where to.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("destination").required(true).args(["out", "topic"]))]
pub struct Simulate {
    /// Scenario of the fleet, such as config/scenarios/fleet-8-weeks.yaml
    #[arg(long, value_name = "FILE")]
    scenario: PathBuf,
    /// Seed: the same one gives the same events
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Folder for events.jsonl and truth.json; created when missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Topic to publish to
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// File for what is true of the events
    #[arg(long, value_name = "FILE", requires = "topic")]
    truth: Option<PathBuf>,
    /// Return when Kafka has the events, without waiting until the collector has counted them
    #[arg(long, requires = "topic")]
    no_wait: bool,
    /// Catalogue whose metrics the truth is told of
    #[arg(long, default_value = "config/catalogue.yaml", value_name = "FILE")]
    catalogue: PathBuf,
}

/// Runs it.
pub async fn run(simulate: &Simulate, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let catalogue = Catalogue::load(&simulate.catalogue)?;
    let scenario =
        Scenario::load(&simulate.scenario).with_context(|| simulate.scenario.display().to_string())?;
    let simulation = Simulation::new(&scenario, &catalogue, simulate.seed);
    match (&simulate.out, &simulate.topic) {
        (Some(folder), _) => {
            let truth = to_folder(simulation, folder)?;
            show(&[("made", truth.events)], output)
        }
        (None, Some(topic)) => publish(simulate, simulation, topic, connection, output).await,
        (None, None) => bail!("--out or --topic is needed"),
    }
}

fn to_folder(mut simulation: Simulation<'_>, folder: &Path) -> anyhow::Result<Truth> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let path = folder.join("events.jsonl");
    let mut file = BufWriter::new(File::create(&path).with_context(|| path.display().to_string())?);
    let mut progress = Progress::new("simulated", Some(simulation.size_hint().0 as u64));
    for (made, event) in (1..).zip(&mut simulation) {
        file.write_all(&event.value)?;
        file.write_all(b"\n")?;
        progress.at(made);
    }
    file.into_inner()?.sync_all()?;
    progress.end();
    let truth = simulation.truth();
    write_truth(&folder.join("truth.json"), &truth)?;
    Ok(truth)
}

async fn publish(
    simulate: &Simulate,
    mut simulation: Simulation<'_>,
    topic: &str,
    connection: &Connection,
    output: Output,
) -> anyhow::Result<()> {
    let publisher = Publisher::new(connection, topic)?;
    let mut progress = Progress::new("published", Some(simulation.size_hint().0 as u64));
    for (made, event) in (1..).zip(&mut simulation) {
        publisher.send(&event.key, Some(&event.event_id), &event.value)?;
        progress.at(made);
    }
    let published = publisher.finish()?;
    progress.end();
    if let Some(failure) = published.failure {
        bail!(
            "Kafka did not take {} events; the first: {failure}",
            published.failed
        );
    }
    let truth = simulation.truth();
    if let Some(file) = &simulate.truth {
        write_truth(file, &truth)?;
    }
    if simulate.no_wait {
        return show(
            &[("made", truth.events), ("published", published.count())],
            output,
        );
    }
    let collected = collected(connection, topic, &published.offsets).await?;
    let counts = [
        ("made", truth.events),
        ("published", published.count()),
        ("stored", collected.stored),
        ("stored before", collected.repeated),
        ("dead-lettered", collected.rejected()),
    ];
    show(&counts, output)?;
    let there = collected.stored + collected.repeated;
    if there < truth.events {
        bail!(
            "{} events are not stored; dead letters: {:?}",
            truth.events - there,
            collected.dead_lettered
        );
    }
    Ok(())
}

fn write_truth(path: &Path, truth: &Truth) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let mut file = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, truth)?;
    file.into_inner()?.sync_all()?;
    Ok(())
}

fn show(counts: &[(&str, u64)], output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        let object: serde_json::Map<_, _> = counts
            .iter()
            .map(|(name, events)| ((*name).to_owned(), json!(events)))
            .collect();
        return output::json(&object);
    }
    say(table(
        &["", "events"],
        1,
        counts
            .iter()
            .map(|(name, events)| vec![(*name).to_owned(), count(*events)]),
    ));
    Ok(())
}
