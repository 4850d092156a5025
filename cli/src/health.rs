//! `kaizen health`: is every service serving?

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::connection::{Connection, channel};
use crate::output::{Output, json, say, table};

/// What to ask.
#[derive(Debug, Args)]
pub struct HealthCheck {
    /// The collector's operations server
    #[arg(
        long,
        env = "KAIZEN_COLLECTOR",
        default_value = "http://127.0.0.1:9101",
        value_name = "URL"
    )]
    collector: String,
}

#[derive(Serialize)]
struct State {
    service: &'static str,
    serving: bool,
    detail: String,
}

impl State {
    fn of(service: &'static str, asked: anyhow::Result<()>) -> Self {
        let detail = asked
            .as_ref()
            .err()
            .map_or_else(|| "serving".to_owned(), |error| format!("{error:#}"));
        Self {
            service,
            serving: asked.is_ok(),
            detail,
        }
    }
}

/// Runs it.
pub async fn run(health: &HealthCheck, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let states = [
        State::of("collector", ready(&health.collector).await),
        State::of("analysis", serving("analysis", &connection.analysis).await),
        State::of("reporting", serving("reporting", &connection.reporting).await),
    ];
    match output {
        Output::Json => json(&states)?,
        Output::Table => {
            say(table(
                &["service", "state"],
                2,
                states
                    .iter()
                    .map(|it| vec![it.service.to_owned(), it.detail.clone()]),
            ));
        }
    }
    let down: Vec<_> = states
        .iter()
        .filter(|state| !state.serving)
        .map(|state| state.service)
        .collect();
    if !down.is_empty() {
        bail!("not serving: {}", down.join(", "));
    }
    Ok(())
}

async fn ready(url: &str) -> anyhow::Result<()> {
    let answer = reqwest::get(format!("{url}/readyz")).await?;
    let (status, text) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        bail!("not ready: {}", text.trim());
    }
    Ok(())
}

async fn serving(service: &str, url: &str) -> anyhow::Result<()> {
    let mut client = HealthClient::new(channel(service, url).await?);
    let answer = client
        .check(HealthCheckRequest::default())
        .await
        .map_err(crate::connection::refused)?;
    match answer.into_inner().status() {
        ServingStatus::Serving => Ok(()),
        status => bail!("{}", status.as_str_name()),
    }
}
