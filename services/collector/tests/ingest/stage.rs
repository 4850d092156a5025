//! Broker, engine and collector, and decisions to send.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use kaizen_testkit::{DecisionBuilder, Record, Service, Stack, eventually};
use serde_json::Value;

use crate::contract;

pub const TOPIC: &str = "kaizen.decisions";
pub const SOON: Duration = Duration::from_secs(30);

/// A collector on a stack of its own.
pub struct Stage {
    pub collector: Service,
    pub stack: Stack,
    pub client: reqwest::Client,
}

impl Stage {
    pub async fn start(overrides: &[(&str, &str)]) -> Result<Self> {
        let stack = Stack::start().await?;
        let collector = Service::start("collector", false, &stack, overrides).await?;
        Ok(Self {
            collector,
            stack,
            client: reqwest::Client::new(),
        })
    }

    /// A request to publish that only lacks its body.
    pub fn post(&self, content_type: &str) -> reqwest::RequestBuilder {
        self.post_to("decisions", content_type)
    }

    /// The same for another kind of events.
    pub fn post_to(&self, events: &str, content_type: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/v1/{events}", self.collector.url());
        self.client.post(url).header("content-type", content_type)
    }

    pub async fn records(&self) -> Result<Vec<Record>> {
        self.stack.kafka().records(TOPIC).await
    }

    /// Waits until exactly these are stored, each once.
    pub async fn stored(&self, mut expected: Vec<String>) -> Result<()> {
        expected.sort_unstable();
        let sql = "SELECT event_id FROM kaizen.decisions ORDER BY event_id";
        eventually("what was accepted is stored", SOON, async || {
            let found = self.stack.clickhouse().query(sql).await?;
            let found: Vec<_> = found.lines().collect();
            ensure!(
                found == expected,
                "{} of {} are: {found:?}",
                found.len(),
                expected.len()
            );
            Ok(())
        })
        .await
    }

    /// A sample of the collector's metrics; 0 when it is not there.
    pub async fn metric(&self, sample: &str) -> Result<u64> {
        let metrics = self.collector.operation("metrics").await?;
        let value = metrics
            .lines()
            .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        value.map_or(Ok(0), |value| value.parse().context("a sample"))
    }
}

pub fn now() -> String {
    Timestamp::now().to_string()
}

/// A good decision of that identity.
pub fn event(id: &str) -> DecisionBuilder {
    DecisionBuilder::new(&format!("session of {id}"), &now()).with("/event_id", id)
}

/// Bodies joined to an array or to lines.
pub fn joined(events: &[Vec<u8>], open: &str, between: &str, close: &str) -> Vec<u8> {
    [
        open.as_bytes(),
        &events.join(between.as_bytes()),
        close.as_bytes(),
    ]
    .concat()
}

/// Status, header `retry-after` and body of an answer, which is what the document says.
pub async fn answer(request: reqwest::RequestBuilder) -> Result<(u16, Option<String>, Value)> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let retry = response.headers().get("retry-after");
    let retry = retry.map(|value| value.to_str().map(str::to_owned)).transpose()?;
    let kind = response.headers().get("content-type").cloned();
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    // Elsewhere there is nothing to document.
    if ![404, 405].contains(&status) {
        let kind = kind.context("content-type")?;
        contract::keeps(status, kind.to_str()?, &body)?;
    }
    Ok((status, retry, body))
}

/// Sends a body that must be refused as a whole, and returns nothing but that it was.
pub async fn refused(request: reqwest::RequestBuilder, status: u16, kind: &str) -> Result<()> {
    let (answered, _, problem) = answer(request).await?;
    ensure!(
        answered == status,
        "{kind}: {answered} and not {status}: {problem}"
    );
    let named = format!("urn:kaizen:problem:{kind}");
    ensure!(problem["type"] == named, "{kind}: {problem}");
    ensure!(problem["status"] == status, "{kind}: {problem}");
    Ok(())
}
