//! `kaizen impact`: what a ticket changed.

pub mod json;
mod kept;
mod whole;
pub mod words;

use anyhow::Context;
use clap::Args;
use kaizen_api::tracker::v1::{ListMeasurementsRequest, MeasureImpactRequest};

use crate::connection::{Connection, refused};
use crate::output::{self, Output, say};

/// Which ticket, and when.
#[derive(Debug, Args)]
pub struct Impact {
    /// Ticket, such as T-17; it must be implemented
    id: String,
    /// Days after the change, 1 to 366; what has not come yet is not waited for
    #[arg(long, default_value_t = 14, value_name = "DAYS", conflicts_with = "kept",
          value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// The measurements that are kept, made 7, 14 and 28 days after the change, instead of one made now
    #[arg(long)]
    kept: bool,
}

/// Runs it.
pub async fn run(impact: &Impact, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let mut client = connection.tracker().await?;
    if impact.kept {
        let request = ListMeasurementsRequest {
            ticket_id: impact.id.clone(),
        };
        let answer = client.list_measurements(request).await.map_err(refused)?;
        return kept::print(&answer.into_inner().measurements, output);
    }
    let request = MeasureImpactRequest {
        ticket_id: impact.id.clone(),
        measurement_period_days: impact.days,
    };
    let answer = client.measure_impact(request).await.map_err(refused)?;
    let found = answer
        .into_inner()
        .impact
        .context("reporting answered without the impact")?;
    match output {
        Output::Json => output::json(&json::impact(&found)),
        Output::Table => {
            say(whole::text(&found));
            Ok(())
        }
    }
}
