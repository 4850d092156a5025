//! What is measured: one module a figure, each with a stack of its own.

mod backlog;
mod freshness;
mod history;
mod http;
mod outage;
mod throughput;
mod tickets;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::options::Options;
use crate::report::Section;

/// A part of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Figure {
    /// Events a second and a CPU-second, everyone's.
    Throughput,
    /// From Kafka to a query's answer.
    Freshness,
    /// Memory while very much waits.
    Backlog,
    /// What comes after the engine was away.
    Outage,
    /// Taken in over HTTP.
    Http,
    /// Pages of very many tickets.
    Tickets,
    /// Asked of a year of history.
    History,
}

impl Figure {
    /// All of them, in the order of the document.
    pub const ALL: [Self; 7] = [
        Self::Throughput,
        Self::Freshness,
        Self::Backlog,
        Self::Outage,
        Self::Http,
        Self::Tickets,
        Self::History,
    ];

    /// Its name in options and in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Freshness => "freshness",
            Self::Backlog => "backlog",
            Self::Outage => "outage",
            Self::Http => "http",
            Self::Tickets => "tickets",
            Self::History => "history",
        }
    }

    /// Measures it.
    pub async fn measure(self, options: &Options) -> Result<Section> {
        tell(self.name());
        let section = match self {
            Self::Throughput => throughput::measure(options).await,
            Self::Freshness => freshness::measure(options).await,
            Self::Backlog => backlog::measure(options).await,
            Self::Outage => outage::measure(options).await,
            Self::Http => http::measure(options).await,
            Self::Tickets => tickets::measure(options).await,
            Self::History => history::measure(options).await,
        };
        section.with_context(|| self.name())
    }
}

/// Tells on the terminal what goes on.
#[expect(clippy::print_stderr, reason = "a benchmark tells how far it is")]
pub fn tell(text: &str) {
    eprintln!("{} {text}", jiff::Timestamp::now().strftime("%H:%M:%S"));
}
