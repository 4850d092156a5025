//! `kaizen simulate`: decisions of a fleet whose every number is known.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use kaizen_catalogue::Catalogue;
use kaizen_simulator::{Event, Scenario, Simulation, Truth};
use serde_json::json;

use crate::collected::collected;
use crate::connection::Connection;
use crate::output::{self, Output, count, say, table};
use crate::progress::Progress;
use crate::publisher::{Published, Publisher};

/// What to simulate, and where to.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("destination").required(true).args(["out", "topic"]))]
pub struct Simulate {
    /// Scenario of the fleet, such as config/scenarios/fleet-8-weeks.yaml
    #[arg(long, value_name = "FILE")]
    scenario: PathBuf,
    /// Value of the scenario to set otherwise, such as events_per_day=5000 or faults.0.effect.success.sd=2; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
    /// Seed: the same one gives the same events
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Folder for events.jsonl, outcomes.jsonl, changes.jsonl and truth.json; created when missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Topic to publish decisions to
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Topic to publish what became of their sessions to
    #[arg(long, default_value = "kaizen.outcomes", value_name = "TOPIC")]
    outcomes_topic: String,
    /// Topic to publish what was changed to
    #[arg(long, default_value = "kaizen.changes", value_name = "TOPIC")]
    changes_topic: String,
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
    let scenario = Scenario::load_with(&simulate.scenario, &simulate.assignments)
        .with_context(|| simulate.scenario.display().to_string())?;
    let simulation = Simulation::new(&scenario, &catalogue, simulate.seed);
    match (&simulate.out, &simulate.topic) {
        (Some(folder), _) => show(&to_folder(simulation, folder)?, output),
        (None, Some(topic)) => publish(simulate, simulation, topic, connection, output).await,
        (None, None) => bail!("--out or --topic is needed"),
    }
}

type Counts = Vec<(&'static str, u64)>;

fn to_folder(mut simulation: Simulation<'_>, folder: &Path) -> anyhow::Result<Counts> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let [mut events, mut outcomes, mut changes] = [
        Lines::create(folder.join("events.jsonl"))?,
        Lines::create(folder.join("outcomes.jsonl"))?,
        Lines::create(folder.join("changes.jsonl"))?,
    ];
    let mut progress = Progress::new("simulated", Some(simulation.size_hint().0 as u64));
    while let Some(event) = simulation.next() {
        events.write(&event)?;
        simulation
            .outcomes()
            .iter()
            .try_for_each(|it| outcomes.write(it))?;
        progress.at(events.count);
    }
    simulation.changes().iter().try_for_each(|it| changes.write(it))?;
    progress.end();
    let counts = vec![
        ("made", events.end()?),
        ("outcomes", outcomes.end()?),
        ("changes", changes.end()?),
    ];
    write_truth(&folder.join("truth.json"), &simulation.truth())?;
    Ok(counts)
}

/// A file with an event a line.
struct Lines {
    file: BufWriter<File>,
    count: u64,
}

impl Lines {
    fn create(path: PathBuf) -> anyhow::Result<Self> {
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        Ok(Self {
            file: BufWriter::new(file),
            count: 0,
        })
    }

    fn write(&mut self, event: &Event) -> std::io::Result<()> {
        self.count += 1;
        self.file.write_all(&event.value)?;
        self.file.write_all(b"\n")
    }

    /// How many there are.
    fn end(self) -> anyhow::Result<u64> {
        self.file.into_inner()?.sync_all()?;
        Ok(self.count)
    }
}

async fn publish(
    simulate: &Simulate,
    mut simulation: Simulation<'_>,
    topic: &str,
    connection: &Connection,
    output: Output,
) -> anyhow::Result<()> {
    let topics = [topic, &simulate.outcomes_topic, &simulate.changes_topic];
    let published = send(&mut simulation, topics, connection)?;
    let truth = simulation.truth();
    if let Some(file) = &simulate.truth {
        write_truth(file, &truth)?;
    }
    let [decisions, outcomes, changes] = published.each_ref().map(Published::count);
    let mut counts = vec![
        ("made", truth.events),
        ("published", decisions),
        ("outcomes", outcomes),
        ("changes", changes),
    ];
    if simulate.no_wait {
        return show(&counts, output);
    }
    let mut all = Vec::new();
    for (topic, published) in topics.into_iter().zip(&published) {
        let stored = collected(connection, topic, &published.offsets).await?;
        all.push((published.count(), stored));
    }
    if let Some((_, stored)) = all.first() {
        counts.extend([
            ("stored", stored.stored),
            ("stored before", stored.repeated),
            ("dead-lettered", stored.rejected()),
        ]);
    }
    show(&counts, output)?;
    for (expected, stored) in all {
        let there = stored.stored + stored.repeated;
        if there < expected {
            bail!(
                "{} events are not stored; dead letters: {:?}",
                expected - there,
                stored.dead_lettered
            );
        }
    }
    Ok(())
}

/// Publishes decisions, outcomes and changes, each to its topic.
fn send(
    simulation: &mut Simulation<'_>,
    topics: [&str; 3],
    connection: &Connection,
) -> anyhow::Result<[Published; 3]> {
    let [decisions, outcomes, changes] = topics.map(|topic| Publisher::new(connection, topic));
    let (decisions, outcomes, changes) = (decisions?, outcomes?, changes?);
    let send = |publisher: &Publisher, event: &Event| {
        publisher.send(&event.key, Some(&event.event_id), &event.value)
    };
    let mut progress = Progress::new("published", Some(simulation.size_hint().0 as u64));
    let mut made = 0;
    while let Some(event) = simulation.next() {
        send(&decisions, &event)?;
        simulation
            .outcomes()
            .iter()
            .try_for_each(|it| send(&outcomes, it))?;
        made += 1;
        progress.at(made);
    }
    simulation
        .changes()
        .iter()
        .try_for_each(|it| send(&changes, it))?;
    let published = [finish(decisions)?, finish(outcomes)?, finish(changes)?];
    progress.end();
    Ok(published)
}

/// Waits for Kafka; every event must be there.
fn finish(publisher: Publisher) -> anyhow::Result<Published> {
    let published = publisher.finish()?;
    if let Some(failure) = published.failure {
        bail!(
            "Kafka did not take {} events; the first: {failure}",
            published.failed
        );
    }
    Ok(published)
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
