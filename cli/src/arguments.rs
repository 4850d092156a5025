//! What the command line may say.

use clap::{Parser, Subcommand};

use crate::connection::Connection;
use crate::output::Output;
use crate::{
    admin, analyze, audit, calibration, dlq, explain, health, impact, import, metrics, publish,
    recommendations, reliability, roi, score, simulate, tickets, trends,
};

/// Kaizen watches AI systems in production and improves them with proof.
///
/// Exit codes: 0 all went well, 1 something failed, 2 the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "kaizen", version, propagate_version = true, max_term_width = 110)]
pub struct Arguments {
    /// Where the parts of Kaizen are.
    #[command(flatten)]
    pub connection: Connection,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make decisions of a simulated fleet whose every number is known
    Simulate(simulate::Simulate),
    /// Bring in decisions from files of any shape, and wait until the collector has counted them
    Import(import::Import),
    /// Publish decisions, outcomes or changes as they are, one JSON object a line
    Publish(publish::Publish),
    /// List metrics, or ask for one
    Metrics {
        /// What to do with metrics.
        #[command(subcommand)]
        command: metrics::Metrics,
    },
    /// Tell which slices of the decisions made a metric change
    Explain(explain::Explain),
    /// Tell what came of decisions, by the confidence and quality that were stated of them
    Reliability(reliability::Reliability),
    /// Run the analysis of a period and print its summary
    Analyze(analyze::Analyze),
    /// Show which way every metric goes, since when, and what was unusual
    Trends(trends::Trends),
    /// List what the latest analysis recommends, and decide about it
    Recommendations {
        /// What to do with recommendations.
        #[command(subcommand)]
        command: recommendations::Recommendations,
    },
    /// Keep tickets: what is being done about what was found, by whom, and what became of it
    Tickets {
        /// What to do with tickets.
        #[command(subcommand)]
        command: tickets::Tickets,
    },
    /// Tell what a ticket changed, how that is known, and how sure it is
    Impact(impact::Impact),
    /// Tell what a ticket returned, or all that were measured
    Roi(roi::Roi),
    /// Tell how the forecasts of recommendations came true, by rule and by category
    Calibration(calibration::Calibration),
    /// Point the methods of the analysis at data from elsewhere, with nothing to set
    Score(score::Score),
    /// Check that every record is stored once and the rollup says what its decisions say
    Audit(audit::Audit),
    /// Look at dead letters, and replay them once their cause is mended
    Dlq {
        /// What to do with dead letters.
        #[command(subcommand)]
        command: dlq::Dlq,
    },
    /// Tell whether every service is serving
    Health(health::HealthCheck),
    /// Look after topics and tables
    Admin {
        /// What to look after.
        #[command(subcommand)]
        command: admin::Admin,
    },
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}
