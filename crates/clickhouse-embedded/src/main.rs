//! The `clickhouse-embedded` server.

mod write;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use clickhouse_embedded::{Options, run};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    match run(options, std::env::var("CLICKHOUSE_PASSWORD").unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("clickhouse-embedded: {error:#}");
            ExitCode::FAILURE
        }
    }
}
