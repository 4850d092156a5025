//! `make score`: prints the scores of the analysis, writes them into `docs/statistics.md`, and fails when a target is missed
//! beyond chance.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use kaizen_score::references;
use kaizen_score::report::{Scored, recorded};
use kaizen_score::rows::{ROWS, Row};
use kaizen_score::seeds::Seeds;
use kaizen_score::thresholds::Thresholds;

/// Scores the analysis on simulated data whose truth is known.
#[derive(Debug, Parser)]
struct Options {
    /// 100 seeds instead of 1,000 where they take long; nothing is written
    #[arg(long)]
    quick: bool,
    /// Seeds 0 to 999, which may be tuned on; nothing is written
    #[arg(long, conflicts_with = "judge")]
    tune: bool,
    /// So many seeds from 1000 on, instead of 1,000
    #[arg(long, conflicts_with_all = ["quick", "tune"], value_parser = clap::value_parser!(u64).range(100..=1000))]
    seeds: Option<u64>,
    /// Scores nothing: judges the figures in docs/statistics.json by the thresholds as they are
    #[arg(long, conflicts_with = "quick")]
    judge: bool,
    /// Only these rows of the table, separated by commas
    #[arg(long, value_delimiter = ',', value_parser = number)]
    rows: Vec<u8>,
}

fn number(text: &str) -> Result<u8, String> {
    let known = || {
        ROWS.iter()
            .map(|row| row.number.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let found = text.trim().parse().ok();
    found
        .filter(|number| ROWS.iter().any(|row| row.number == *number))
        .ok_or_else(|| format!("must be one of {}", known()))
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let thresholds = Thresholds::load()?;
    let mut failures = Vec::new();
    let wanted = |row: &&Row| options.rows.is_empty() || options.rows.contains(&row.number);
    for row in ROWS.iter().filter(wanted) {
        let scored = if options.judge {
            match recorded(row)? {
                Some(scored) => scored,
                None => continue,
            }
        } else {
            let seeds = match options.seeds {
                Some(count) => Seeds::many(count),
                None if options.tune => Seeds::tuning(options.quick),
                None => Seeds::new(options.quick, row.light),
            };
            score(row, &seeds, &thresholds)?
        };
        if !options.quick && !options.tune {
            scored.write(&thresholds)?;
        }
        failures.extend(scored.failures(&thresholds));
    }
    Ok(told(&failures))
}

#[expect(clippy::print_stdout, reason = "the scores are what it is for")]
fn score(row: &'static Row, seeds: &Seeds, thresholds: &Thresholds) -> Result<Scored<'static>> {
    let start = Instant::now();
    let mut cells = (row.score)(seeds)?;
    let ours = start.elapsed().as_secs();
    references::refer(&mut cells)?;
    let scored = Scored {
        row,
        cells,
        seeds: seeds.count(),
    };
    let all = start.elapsed().as_secs();
    println!(
        "\n## {}. {} ({all} s, {} s of them the references)\n",
        row.number,
        row.title,
        all - ours
    );
    println!("{}", scored.table(thresholds)?);
    Ok(scored)
}

#[expect(clippy::print_stderr, reason = "a failure is told where failures are")]
fn told(failures: &[String]) -> ExitCode {
    for failure in failures {
        eprintln!("score: {failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
