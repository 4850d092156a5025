//! What a year of history costs those who ask: the weekly analysis, `MeasureImpact`, `ExplainChange` and `QueryMetric`, at each
//! of some sizes of the history.

mod ask;
mod fill;
mod load;

use std::time::Duration;

use anyhow::{Context, Result};
use kaizen_testkit::{Service, Stack, workspace};

use super::{Figure, tell};
use crate::meter::{cpu, peak_memory};
use crate::options::Options;
use crate::report::{Bar, Chart, Section, Table, grouped};

use ask::Asked;
use fill::{Engine, Filled, WEEKS};
use load::Latencies;

/// Decisions of the search among slices.
const WIDE: u64 = 1_000_000;

/// What was measured of one size.
struct Measured {
    events: u64,
    filled: Filled,
    analysis: Duration,
    analysis_cpu: Duration,
    /// Of an engine that the bench itself started.
    engine_cpu: Option<Duration>,
    memory: u64,
    impact: Duration,
    explained: Duration,
    queried: Latencies,
    /// Load of the machine over the last minute at the end.
    load: String,
}

/// Fills an engine with each size in turn, and asks.
pub async fn measure(options: &Options) -> Result<Section> {
    let stack = Stack::start().await?;
    let own = Engine::at(stack.clickhouse().url());
    let (mut sizes, mut slices) = (Vec::new(), None);
    for events in &options.history_events.0 {
        let engine = match &options.history_engine {
            Some(url) if Engine::at(url).decisions().await? == *events => Engine::at(url),
            _ => {
                tell(&format!(
                    "filling {} decisions of {WEEKS} weeks",
                    grouped(*events)
                ));
                own.fill(*events).await?;
                own.clone()
            }
        };
        let measured = ask_all(&stack, &engine, *events, options).await?;
        tell(&format!(
            "{} decisions: analysis {:.1} s, impact {:.2} s",
            grouped(*events),
            measured.analysis.as_secs_f64(),
            measured.impact.as_secs_f64()
        ));
        sizes.push(measured);
        slices = Some(search(&stack, &engine, options).await?);
    }
    Ok(section(&sizes, slices.context("no size")?, options.runs))
}

async fn ask_all(stack: &Stack, engine: &Engine, events: u64, options: &Options) -> Result<Measured> {
    let variables = [("KAIZEN__CLICKHOUSE__URL", engine.url())];
    let analysis = Service::start("analysis", true, stack, &variables).await?;
    let reporting = Service::start("reporting", true, stack, &variables).await?;
    let asked = Asked::of(&analysis, &reporting, options.runs);
    // The engine's caches are warm from the first run on, of which the best counts
    let process = analysis.part().id()?;
    let own = engine.url() == stack.clickhouse().url();
    let engine_process = if own {
        Some(stack.clickhouse().part().id()?)
    } else {
        options.history_engine_process
    };
    let of_engine = || engine_process.map(cpu).transpose();
    let (before, engine_before) = (cpu(process)?, of_engine()?);
    let took = asked.analysis().await?;
    let analysis_cpu = cpu(process)?.saturating_sub(before) / options.runs;
    let engine_cpu = (of_engine()?.zip(engine_before))
        .map(|(after, before)| (after.saturating_sub(before)) / options.runs);
    let memory = peak_memory(process)?;
    drop(analysis);
    Ok(Measured {
        events,
        filled: engine.filled().await?,
        analysis: took,
        analysis_cpu,
        engine_cpu,
        memory,
        impact: asked.impact().await?,
        explained: asked.explained().await?,
        queried: load::run(&reporting.url(), options.history_seconds).await?,
        load: load_average()?,
    })
}

/// The search among slices of six dimensions of twenty values, eight weeks beside eight.
async fn search(stack: &Stack, engine: &Engine, options: &Options) -> Result<Duration> {
    engine.add_wide(WIDE).await?;
    let catalogue = workspace().join("benches/src/figure/history/wide.yaml");
    let catalogue = catalogue.to_str().context("a path in UTF-8")?;
    let variables = [
        ("KAIZEN__CLICKHOUSE__URL", engine.url()),
        ("KAIZEN__CATALOGUE__PATH", catalogue),
    ];
    let reporting = Service::start("reporting", true, stack, &variables).await?;
    ask::search(&reporting, options.runs).await
}

fn section(sizes: &[Measured], slices: Duration, runs: u32) -> Section {
    let asked = sizes.first().map_or(0, |it| it.queried.asked);
    let chart = |name, title: &str, of: fn(&Measured) -> Duration| Chart {
        name,
        title: title.to_owned(),
        bars: (sizes.iter())
            .map(|it| Bar {
                label: format!("{} decisions", grouped(it.events)),
                value: of(it).as_secs_f64() * 1e3,
                own: true,
            })
            .collect(),
    };
    Section {
        figure: Figure::History,
        text: format!(
            "The best of {runs}. QueryMetric: {} requests of {} questions at {} a second.\n\n{}\n\
             Slice search over 6 dimensions of 20 values, {} decisions of 8 weeks beside 8: {}.\n",
            grouped(asked),
            load::QUESTIONS,
            grouped(load::RATE),
            table(sizes),
            grouped(WIDE),
            seconds(slices)
        ),
        charts: vec![
            chart("history-analysis", "Milliseconds of the weekly analysis", |it| {
                it.analysis
            }),
            chart("history-impact", "Milliseconds of MeasureImpact", |it| it.impact),
        ],
        whole: true,
    }
}

fn table(sizes: &[Measured]) -> Table {
    let mut table = Table::new(&[
        "decisions",
        "rows of the rollup",
        "on disk",
        "weekly analysis",
        "CPU of the service",
        "CPU of the engine",
        "peak memory of the service",
        "MeasureImpact",
        "ExplainChange, the slowest metric",
        "QueryMetric p50",
        "p99",
        "load of the machine",
    ]);
    let millis = |it: Duration| format!("{:.1} ms", it.as_secs_f64() * 1e3);
    for it in sizes {
        table.row([
            grouped(it.events),
            grouped(it.filled.rollup_rows),
            format!("{} MB", grouped(it.filled.rollup_bytes / 1_000_000)),
            seconds(it.analysis),
            seconds(it.analysis_cpu),
            it.engine_cpu.map(seconds).unwrap_or_default(),
            format!("{} MiB", it.memory),
            seconds(it.impact),
            seconds(it.explained),
            millis(it.queried.p50),
            millis(it.queried.p99),
            it.load.clone(),
        ]);
    }
    table
}

fn seconds(it: Duration) -> String {
    format!("{:.2} s", it.as_secs_f64())
}

fn load_average() -> Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}
