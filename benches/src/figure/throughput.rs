//! The same events through every contender, round after round.

use anyhow::{Context, Result};

use super::{Figure, tell};
use crate::contender::Contender;
use crate::meter::{Measurement, median};
use crate::options::Options;
use crate::report::{Bar, Chart, Section, Table, grouped};
use crate::stage::{Left, Stage};

/// What a contender came to.
struct Outcome {
    contender: Contender,
    /// The round of the median rate.
    typical: Measurement,
    /// The median of the rounds, each for itself.
    rate_of_cpu: f64,
    rate_of_all_cpu: f64,
    left: Option<Left>,
}

/// Measures everyone asked for, one after the other in each round.
pub async fn measure(options: &Options) -> Result<Section> {
    let contenders = options.only.contenders();
    let mut stage = Stage::build(options.events, options.history).await?;
    let mut rounds: Vec<Vec<Measurement>> = vec![Vec::new(); contenders.len()];
    let mut left = vec![None; contenders.len()];
    for round in 1..=options.runs {
        for (place, contender) in contenders.iter().enumerate() {
            let measured = contender.ingest(&mut stage).await?;
            tell(&format!(
                "round {round} of {}: {}: {:.0} events/s",
                options.runs,
                contender.title(),
                measured.rate()
            ));
            rounds[place].push(measured);
            if contender.stores() && round == options.runs {
                left[place] = Some(stage.left().await?);
            }
        }
    }
    let outcomes = contenders.iter().zip(rounds).zip(left);
    let outcomes: Option<Vec<_>> = outcomes
        .map(|((contender, rounds), left)| outcome(*contender, &rounds, left))
        .collect();
    Ok(section(options, &stage, &outcomes.context("no round")?))
}

fn outcome(contender: Contender, rounds: &[Measurement], left: Option<Left>) -> Option<Outcome> {
    Some(Outcome {
        contender,
        typical: median(rounds, Measurement::rate)?,
        rate_of_cpu: median(rounds, Measurement::rate_of_cpu)?.rate_of_cpu(),
        rate_of_all_cpu: median(rounds, Measurement::rate_of_all_cpu)?.rate_of_all_cpu(),
        left,
    })
}

fn section(options: &Options, stage: &Stage, outcomes: &[Outcome]) -> Section {
    let text = format!(
        "{} events of {} bytes on average, 8 partitions, medians of {}.\n\n{}\n{}{}",
        grouped(stage.events),
        grouped(stage.event_bytes),
        options.runs,
        speed(outcomes),
        disk(outcomes, stage.events),
        cost(outcomes),
    );
    let chart = |name, title: &str, value: fn(&Outcome) -> f64| Chart {
        name,
        title: title.to_owned(),
        bars: outcomes.iter().map(|it| bar(it, value(it))).collect(),
    };
    // The floor stores nothing: beside it, nobody's bar could be told from another's.
    let stored: fn(&Outcome) -> f64 = |it| {
        if it.contender.stores() {
            it.typical.rate()
        } else {
            0.0
        }
    };
    Section {
        figure: Figure::Throughput,
        text,
        charts: vec![
            chart("throughput", "Events a second, stored in ClickHouse", stored),
            chart("cpu", "Events a CPU-second of the consumer", |it| it.rate_of_cpu),
        ],
        whole: outcomes.len() == Contender::ALL.len(),
    }
}

fn bar(outcome: &Outcome, value: f64) -> Bar {
    Bar {
        label: outcome.contender.title().to_owned(),
        value,
        own: outcome.contender == Contender::Collector,
    }
}

fn speed(outcomes: &[Outcome]) -> String {
    let mut table = Table::new(&[
        "",
        "events/s",
        "of the Kafka engine",
        "events per CPU-second of its process",
        "of broker, engine and it",
        "µs of CPU an event: it",
        "broker",
        "engine",
    ]);
    let engine = find(outcomes, Contender::KafkaEngine).map(|it| it.typical.rate());
    for it in outcomes {
        let measured = &it.typical;
        let micros = |cpu| format!("{:.2}", measured.micros(cpu));
        table.row([
            it.contender.title().to_owned(),
            grouped(measured.rate() as u64),
            engine.map_or_else(
                || "–".to_owned(),
                |engine| format!("{:.2} ×", measured.rate() / engine),
            ),
            grouped(it.rate_of_cpu as u64),
            grouped(it.rate_of_all_cpu as u64),
            measured.own.map_or_else(|| "in the engine".to_owned(), micros),
            micros(measured.broker),
            micros(measured.engine),
        ]);
    }
    table.to_string()
}

fn disk(outcomes: &[Outcome], events: u64) -> String {
    let mut table = Table::new(&[
        "",
        "parts per million events",
        "and of the rollup",
        "bytes an event on disk, as it came",
        "merged",
    ]);
    for it in outcomes {
        if let Some(left) = &it.left {
            let million = |parts: u64| format!("{:.0}", parts as f64 * 1e6 / events as f64);
            let bytes = |bytes: u64| format!("{:.1}", bytes as f64 / events as f64);
            table.row([
                it.contender.title().to_owned(),
                million(left.parts),
                million(left.rollup_parts),
                bytes(left.bytes),
                bytes(left.merged_bytes),
            ]);
        }
    }
    table.to_string()
}

/// The collector against itself with less and less.
fn cost(outcomes: &[Outcome]) -> String {
    let mut table = Table::new(&["what costs", "time", "CPU of the collector", "CPU of everything"]);
    for (what, with, without) in [
        ("storing once", Contender::CollectorAlone, Contender::AtLeastOnce),
        (
            "audit and knowing repeats",
            Contender::Collector,
            Contender::CollectorAlone,
        ),
    ] {
        if let (Some(with), Some(without)) = (find(outcomes, with), find(outcomes, without)) {
            let more = |with: f64, without: f64| format!("{:+.1} %", (without / with - 1.0) * 100.0);
            table.row([
                what.to_owned(),
                more(with.typical.rate(), without.typical.rate()),
                more(with.rate_of_cpu, without.rate_of_cpu),
                more(with.rate_of_all_cpu, without.rate_of_all_cpu),
            ]);
        }
    }
    format!("\n{table}")
}

fn find(outcomes: &[Outcome], contender: Contender) -> Option<&Outcome> {
    outcomes.iter().find(|it| it.contender == contender)
}
