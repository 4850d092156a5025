//! `kaizen dlq`: dead letters, shown and replayed.

mod filter;
mod letter;
mod list;
mod marks;
mod replay;
mod scan;
mod show;
mod transaction;

use clap::{Args, Subcommand};

use crate::connection::Connection;
use crate::output::Output;

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// List dead letters, newest first
    List(list::List),
    /// Show one in full, its value included
    Show(show::Show),
    /// Publish dead letters again as they were, each once, and mark them as replayed
    Replay(replay::Replay),
}

/// Where dead letters lie.
#[derive(Debug, Args)]
pub struct Source {
    /// Topic of dead letters; which are replayed stands in TOPIC.replayed
    #[arg(
        long,
        env = "KAIZEN__KAFKA__DEAD_LETTER_TOPIC",
        default_value = "kaizen.decisions.dlq",
        value_name = "TOPIC"
    )]
    dead_letter_topic: String,
}

impl Source {
    /// The topic that says which letters are replayed.
    fn marks_topic(&self) -> String {
        format!("{}.replayed", self.dead_letter_topic)
    }
}

/// Runs it.
pub async fn run(command: &Dlq, connection: &Connection, output: Output) -> anyhow::Result<()> {
    match command {
        Dlq::List(list) => list::run(list, connection, output),
        Dlq::Show(show) => show::run(show, connection, output),
        Dlq::Replay(replay) => replay::run(replay, connection, output).await,
    }
}
