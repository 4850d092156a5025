//! Kaizen's collector beside librdkafka alone and ClickHouse's own Kafka engine: the same events, broker and engine on the
//! same cores, one after the other in one run. Prints a table; the ratios are what counts, not the seconds.

mod backlog;
mod collector;
mod http_ingest;
mod kafka_engine;
mod librdkafka;
mod measure;
mod stage;

use anyhow::Result;
use clap::Parser;

use crate::measure::{Measurement, median, mib};
use crate::stage::Stage;

/// What to measure.
#[derive(Debug, Parser)]
struct Options {
    /// Events of each round
    #[arg(long, default_value_t = 400_000)]
    events: u64,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Events of the backlog whose memory is measured; 0 leaves it out
    #[arg(long, default_value_t = 2_000_000)]
    backlog: u64,
    /// Events sent to the collector over HTTP; 0 leaves it out
    #[arg(long, default_value_t = 400_000)]
    http: u64,
    /// Only what is sent over HTTP
    #[arg(long)]
    http_only: bool,
    /// Events of eight weeks, as an import of history brings them, instead of events of now
    #[arg(long)]
    history: bool,
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark reports to the terminal"
)]
async fn main() -> Result<()> {
    kaizen_testkit::be_quiet();
    let options = Options::parse();
    if options.http > 0 {
        http_ingest::report(options.http).await?;
    }
    if options.http_only {
        return Ok(());
    }
    let mut stage = Stage::build(options.events, options.history).await?;
    eprintln!(
        "{} events of {} bytes on average",
        options.events, stage.event_bytes
    );
    let (mut alone, mut engine, mut collector) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        alone.push(librdkafka::consume(&stage)?);
        engine.push(kafka_engine::ingest(&mut stage).await?);
        collector.push(collector::ingest(&mut stage).await?);
    }
    println!(
        "| {} events of {} B, median of {} | events/s | of the Kafka engine | events per CPU-second of its process | µs of broker and engine an event |",
        options.events, stage.event_bytes, options.rounds
    );
    println!("|---|---|---|---|---|");
    let peer = median(&engine).rate();
    row("librdkafka alone (reads, stores nothing)", &alone, peer);
    row(
        "ClickHouse's Kafka engine (in the engine's process)",
        &engine,
        peer,
    );
    row("Kaizen's collector", &collector, peer);
    if options.backlog > 0 {
        let (ingested, peak) = backlog::ingest(&mut stage, options.backlog).await?;
        println!(
            "\nBacklog of {} events: {:.0} events/s, peak memory of the collector {} MiB",
            options.backlog,
            ingested.rate(),
            mib(peak)
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark reports to the terminal")]
fn row(name: &str, rounds: &[Measurement], peer: f64) {
    let median = median(rounds);
    let cpu = median
        .rate_of_cpu()
        .map_or_else(|| "–".to_owned(), |rate| format!("{rate:.0}"));
    println!(
        "| {name} | {:.0} | {:.2} × | {cpu} | {:.1} |",
        median.rate(),
        median.rate() / peer,
        median.micros_of_parts(),
    );
}
