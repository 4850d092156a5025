//! The `kaizen` command: put decisions in, ask for metrics, run the analysis, look after topics and tables.

mod admin;
mod analyze;
mod arguments;
mod audit;
mod calibration;
mod collected;
mod connection;
mod deliveries;
mod dlq;
mod explain;
mod findings;
mod follow;
mod health;
mod impact;
mod import;
mod kafka_properties;
mod metrics;
mod output;
mod progress;
mod publish;
mod publisher;
mod recommendations;
mod reliability;
mod roi;
mod score;
mod simulate;
mod tickets;
mod topics;
mod trends;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(
    Arguments {
        connection,
        output,
        command,
    }: Arguments,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match command {
            Command::Simulate(simulate) => simulate::run(&simulate, &connection, output).await,
            Command::Import(import) => import::run(&import, &connection, output).await,
            Command::Publish(publish) => publish::run(&publish, &connection, output),
            Command::Metrics { command } => metrics::run(&command, &connection, output).await,
            Command::Explain(explain) => explain::run(&explain, &connection, output).await,
            Command::Reliability(reliability) => reliability::run(&reliability, &connection, output).await,
            Command::Analyze(analyze) => analyze::run(&analyze, &connection, output).await,
            Command::Trends(trends) => trends::run(&trends, &connection, output).await,
            Command::Recommendations { command } => recommendations::run(&command, &connection, output).await,
            Command::Tickets { command } => tickets::run(&command, &connection, output).await,
            Command::Impact(impact) => impact::run(&impact, &connection, output).await,
            Command::Roi(roi) => roi::run(&roi, &connection, output).await,
            Command::Calibration(calibration) => calibration::run(&calibration, &connection, output).await,
            Command::Score(score) => score::run(&score),
            Command::Audit(audit) => audit::run(&audit, &connection, output).await,
            Command::Dlq { command } => dlq::run(&command, &connection, output).await,
            Command::Health(health) => health::run(&health, &connection, output).await,
            Command::Admin { command } => admin::run(&command, &connection, output).await,
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Arguments::command(), "kaizen", &mut script);
                output::say(String::from_utf8(script)?);
                Ok(())
            }
        }
    })
}
