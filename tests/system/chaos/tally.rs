//! What was injected, counted and printed.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cluster::{Group, UNPEACEFUL};
use super::fault::Fault;
use super::records::Published;

/// All runs of this process.
static RUNS: Mutex<Vec<Run>> = Mutex::new(Vec::new());

/// What one run injected, and how it ended.
#[derive(Debug, Clone)]
pub struct Run {
    pub group: Group,
    pub seed: u64,
    /// Rounds after which the oracle was clean.
    pub clean: u64,
    /// Rounds after which hours of the rollup lacked an insert, until a collector rebuilt them.
    pub mended: u64,
    pub kinds: BTreeMap<&'static str, u64>,
    /// Exchanges that were met, and at which moments.
    pub moments: BTreeMap<(&'static str, &'static str), u64>,
    /// Faults that this machine does not allow.
    pub impossible: u64,
    pub published: Published,
    /// How the first round that was not clean is repeated.
    pub failed: Option<String>,
}

impl Run {
    pub fn new(group: Group, seed: u64) -> Self {
        Self {
            group,
            seed,
            clean: 0,
            mended: 0,
            kinds: BTreeMap::new(),
            moments: BTreeMap::new(),
            impossible: 0,
            published: Published::default(),
            failed: None,
        }
    }

    pub fn injected(&mut self, fault: &Fault) {
        *self.kinds.entry(fault.kind()).or_default() += 1;
        if let Some(moment) = fault.moment() {
            *self.moments.entry(moment).or_default() += 1;
        }
    }

    fn faults(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// Prints the table of every run so far, this one included.
    pub fn print(self) {
        let mut runs = locked();
        runs.push(self);
        println!("{}", table(&runs));
    }
}

fn locked() -> MutexGuard<'static, Vec<Run>> {
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Markdown: a column a run.
fn table(runs: &[Run]) -> String {
    let mut rows = Vec::new();
    let mut row = |name: &str, cell: &dyn Fn(&Run) -> String, total: String| {
        let cells: Vec<_> = runs.iter().map(cell).collect();
        rows.push(format!("| {name} | {} | {total} |", cells.join(" | ")));
    };
    let sum = |count: &dyn Fn(&Run) -> u64| runs.iter().map(count).sum::<u64>().to_string();
    row("fault", &|run| format!("{:?}", run.group), "all".to_owned());
    row("---", &|_| "---:".to_owned(), "---:".to_owned());
    let mut kinds: Vec<_> = runs.iter().flat_map(|run| run.kinds.keys()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let count = |run: &Run| run.kinds.get(kind).copied().unwrap_or(0);
        row(kind, &|run| count(run).to_string(), sum(&count));
    }
    let mut count =
        |name: &str, count: fn(&Run) -> u64| row(name, &|run| count(run).to_string(), sum(&count));
    count("**faults**", Run::faults);
    count("not possible on this machine", |run| run.impossible);
    count("rounds", |run| run.clean);
    count("of them with a rollup that was mended", |run| run.mended);
    count("records", |run| run.published.records as u64);
    count("of them malformed", |run| run.published.malformed as u64);
    count("of them repeats", |run| run.published.repeats as u64);
    count("of them of 256 KiB", |run| run.published.large as u64);
    row("seeds of the rounds", &seeds, String::new());
    let all_clean = runs.iter().all(|run| run.failed.is_none());
    let verdict = |clean: bool| if clean { "clean" } else { "NOT CLEAN" }.to_owned();
    row("oracle", &|run| verdict(run.failed.is_none()), verdict(all_clean));
    let mut text = format!("\n{}\n\n{}", rows.join("\n"), moments(runs));
    let unpeaceful = UNPEACEFUL.load(Ordering::Relaxed);
    text += &format!("\nCollectors that were told to end and did not do so in peace: {unpeaceful}\n");
    for run in runs {
        if let Some(repeat) = &run.failed {
            text += &format!("\n{:?}: a round failed: {repeat}\n", run.group);
        }
    }
    text
}

fn seeds(run: &Run) -> String {
    match run.clean {
        0 => String::new(),
        rounds => format!("{}–{}", run.seed, run.seed + rounds - 1),
    }
}

/// At which moments of which exchanges, over all runs.
fn moments(runs: &[Run]) -> String {
    let mut met: BTreeMap<_, u64> = BTreeMap::new();
    for (place, count) in runs.iter().flat_map(|run| &run.moments) {
        *met.entry(place).or_default() += count;
    }
    let lines = met
        .iter()
        .map(|((exchange, moment), count)| format!("| {exchange} | {moment} | {count} |\n"));
    format!(
        "| exchange | moment | faults |\n|---|---|---:|\n{}",
        lines.collect::<String>()
    )
}
