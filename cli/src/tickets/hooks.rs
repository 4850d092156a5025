//! `kaizen tickets hooks`: who is told of tickets over HTTP.

use anyhow::{Context, bail};
use clap::Subcommand;
use kaizen_api::tracker::v1::{ListWebhooksRequest, TestWebhookRequest, Webhook};
use serde_json::{Value, json};

use super::print::{date, exact};
use super::words;
use crate::connection::{Connection, refused};
use crate::output::{self, Output, say, table};

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub enum Hooks {
    /// List the webhooks of reporting's configuration, and how far each was told
    List,
    /// Send a test message; a webhook that takes it is told again if it was disabled
    Test {
        /// Name of the webhook
        name: String,
    },
}

/// Runs it.
pub async fn run(hooks: &Hooks, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let client = &mut connection.webhooks().await?;
    let listed = match hooks {
        Hooks::List => {
            let answer = client
                .list_webhooks(ListWebhooksRequest {})
                .await
                .map_err(refused)?;
            answer.into_inner().webhooks
        }
        Hooks::Test { name } => {
            let request = TestWebhookRequest { name: name.clone() };
            let answer = client.test_webhook(request).await.map_err(refused)?.into_inner();
            if !answer.failure.is_empty() {
                bail!("{name} did not take {}: {}", answer.message_id, answer.failure);
            }
            vec![answer.webhook.context("reporting answered without the webhook")?]
        }
    };
    match output {
        Output::Json => return output::json(&listed.iter().map(as_json).collect::<Vec<_>>()),
        Output::Table if listed.is_empty() => say("No webhooks."),
        Output::Table => say(listing(&listed)),
    }
    Ok(())
}

fn listing(webhooks: &[Webhook]) -> String {
    let row = |it: &Webhook| {
        let states: Vec<String> = it.states().map(words::state).collect();
        let failure = match it.failure_time {
            Some(at) => format!("{} {}", date(Some(at)), it.failure),
            None => String::new(),
        };
        vec![
            it.name.clone(),
            it.host.clone(),
            states.join(", "),
            it.categories.join(", "),
            if it.disabled.is_empty() {
                "yes".to_owned()
            } else {
                format!("no: {}", it.disabled)
            },
            it.deliver_time.map_or_else(String::new, |at| date(Some(at))),
            failure,
            it.pending.to_string(),
        ]
    };
    let header = [
        "name",
        "host",
        "states",
        "categories",
        "told",
        "last taken",
        "last failure",
        "pending",
    ];
    table(&header, header.len() - 1, webhooks.iter().map(row))
}

fn as_json(it: &Webhook) -> Value {
    let states: Vec<String> = it.states().map(words::state).collect();
    json!({
        "name": it.name, "host": it.host, "states": states, "categories": it.categories, "pending": it.pending,
        "disabled": it.disabled, "deliver_time": exact(it.deliver_time), "failure_time": exact(it.failure_time),
        "failure": it.failure,
    })
}
