//! What to measure.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::contender::Contender;
use crate::figure::Figure;

/// What to measure. Without options: everything, in half an hour.
#[derive(Debug, Parser)]
pub struct Options {
    /// Figures (throughput, freshness, backlog, outage, http, tickets, history) or contenders of the throughput, separated by commas
    #[arg(long, default_value = "")]
    pub only: Only,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// Events of each round
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    pub events: u64,
    /// Events that wait when the collector starts
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    pub backlog: u64,
    /// Minutes that the engine is away
    #[arg(long, default_value = "2", value_parser = minutes)]
    pub outage_minutes: Duration,
    /// Events sent to the collector over HTTP
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    pub http: u64,
    /// Tickets in the ledger, a multiple of 5,000
    #[arg(long, default_value_t = 100_000, value_parser = tickets)]
    pub tickets: u64,
    /// Seconds of each round of the freshness
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub freshness_seconds: u64,
    /// Events of eight weeks, as an import of history brings them, instead of events of now
    #[arg(long)]
    pub history: bool,
    /// Decisions of a year of history that is asked, each size in turn
    #[arg(long, default_value = "1000000,10000000")]
    pub history_events: Sizes,
    /// An engine that holds one of these sizes already: it is asked instead of filling another
    #[arg(long, value_name = "URL")]
    pub history_engine: Option<String>,
    /// Process of that engine, to tell its CPU
    #[arg(long, value_name = "PID", requires = "history_engine")]
    pub history_engine_process: Option<u32>,
    /// Seconds of requests for metrics
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub history_seconds: u64,
    /// Measure nothing; record where collector and engine spend their time, as flame graphs in this folder
    #[arg(long, value_name = "FOLDER")]
    pub profile: Option<PathBuf>,
}

fn tickets(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(tickets) if (5_000..=1_000_000).contains(&tickets) && tickets.is_multiple_of(5_000) => Ok(tickets),
        _ => Err("must be a multiple of 5000, 5000 to 1000000".to_owned()),
    }
}

/// Numbers of decisions.
#[derive(Debug, Clone)]
pub struct Sizes(pub Vec<u64>);

impl std::str::FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = |text: &str| match text.trim().parse::<u64>() {
            Ok(size) if (100_000..=1_000_000_000).contains(&size) => Ok(size),
            _ => Err(format!("`{text}` must be a number from 100000 to 1000000000")),
        };
        text.split(',').map(size).collect::<Result<_, _>>().map(Self)
    }
}

fn minutes(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(minutes) if minutes > 0.0 && minutes <= 1440.0 => Ok(Duration::from_secs_f64(minutes * 60.0)),
        _ => Err("must be a number of minutes, more than 0 and at most 1440".to_owned()),
    }
}

/// A choice among everything; empty for all of it.
#[derive(Debug, Clone, Default)]
pub struct Only {
    figures: Vec<Figure>,
    contenders: Vec<Contender>,
}

impl Only {
    /// Whether the figure is asked for.
    pub fn includes(&self, figure: Figure) -> bool {
        let all = self.figures.is_empty() && self.contenders.is_empty();
        all || self.figures.contains(&figure) || (figure == Figure::Throughput && !self.contenders.is_empty())
    }

    /// Who is measured.
    pub fn contenders(&self) -> Vec<Contender> {
        let all = self.contenders.is_empty();
        let asked = |contender: &&Contender| all || self.contenders.contains(contender);
        Contender::ALL.iter().filter(asked).copied().collect()
    }
}

impl std::str::FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut only = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if let Ok(figure) = Figure::from_str(name, false) {
                only.figures.push(figure);
            } else if let Ok(contender) = Contender::from_str(name, false) {
                only.contenders.push(contender);
            } else {
                return Err(format!("`{name}` is neither of {}", allowed()));
            }
        }
        Ok(only)
    }
}

fn allowed() -> String {
    let figures = Figure::ALL.iter().filter_map(ValueEnum::to_possible_value);
    let contenders = Contender::ALL.iter().filter_map(ValueEnum::to_possible_value);
    let names: Vec<_> = figures
        .chain(contenders)
        .map(|value| value.get_name().to_owned())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_or_a_contender_may_be_asked_for_and_nothing_else() {
        let only: Only = "freshness, python".parse().unwrap();
        assert!(only.includes(Figure::Freshness) && only.includes(Figure::Throughput));
        assert!(!only.includes(Figure::Http));
        assert_eq!(only.contenders(), [Contender::Python]);
        let all: Only = "".parse().unwrap();
        assert!(Figure::ALL.iter().all(|figure| all.includes(*figure)));
        assert_eq!(all.contenders().len(), Contender::ALL.len());
        let error = "backlog,fast".parse::<Only>().unwrap_err();
        assert!(
            error.starts_with("`fast`") && error.contains("kafka-engine"),
            "{error}"
        );
    }
}
