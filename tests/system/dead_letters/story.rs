//! A system with dead letters in it, and what a person asks of it.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_api::decisions::v1::dead_letter_service_client::DeadLetterServiceClient;
use kaizen_api::decisions::v1::{
    DeadLetter, DeadLetterState, ListDeadLettersRequest, SummarizeDeadLettersRequest,
    SummarizeDeadLettersResponse,
};
use kaizen_testkit::{DecisionBuilder, Record, Sandbox, eventually, workspace};
use serde_json::Value;
use tempfile::NamedTempFile;
use tonic::transport::Channel;

use super::DECISIONS;

pub const SOON: Duration = Duration::from_secs(60);
pub const UNKNOWN: usize = 30;
pub const BROKEN: usize = 3;
pub const GOOD: usize = 5;

/// What makes the unknown decisions known.
pub const COMPONENT: &str = "
  - name: price_quotes
    title: Price quotes
    log_type: price_quote
    dimensions: {}
    measures: {}
    metrics:
      - name: total
        title: Quotes
        description: Quotes made.
        expression: count()
        unit: count
        direction: higher_is_better
        minimum_sample: 1
";

pub struct Story {
    pub sandbox: Sandbox,
    pub catalogue: NamedTempFile,
    pub letters: DeadLetterServiceClient<Channel>,
}

impl Story {
    pub async fn begin() -> Result<Self> {
        let mut catalogue = NamedTempFile::with_suffix(".yaml")?;
        catalogue.write_all(&std::fs::read(workspace().join("config/catalogue.yaml"))?)?;
        let path = catalogue.path().to_str().context("a path")?;
        let sandbox = Sandbox::with(&[("KAIZEN__CATALOGUE__PATH", path)]).await?;
        let letters = DeadLetterServiceClient::connect(sandbox.reporting().url()).await?;
        Ok(Self {
            sandbox,
            catalogue,
            letters,
        })
    }

    pub async fn publish(&self) -> Result<()> {
        let now = jiff::Timestamp::now().to_string();
        let event = |id: String| DecisionBuilder::new("session", &now).with("/event_id", id);
        let unknown = (0..UNKNOWN).map(|n| {
            let event = event(format!("quote-{n}")).with("/log_type", "price_quote");
            Record::new(format!("key-{n}"), event.build())
        });
        let broken = (0..BROKEN).map(|n| Record::new("broken", format!("{{\"secret {n}\":\u{1b}")));
        let good = (0..GOOD).map(|n| Record::new("good", event(format!("good-{n}")).build()));
        let all: Vec<_> = unknown.chain(broken).chain(good).collect();
        self.sandbox.stack().kafka().publish(DECISIONS, all).await
    }

    pub async fn dlq(&self, arguments: &[&str]) -> Result<String> {
        self.sandbox.kaizen(&[&["dlq"], arguments].concat()).await
    }

    pub async fn dlq_json(&self, arguments: &[&str]) -> Result<Value> {
        let out = self.dlq(&[&["--output", "json"], arguments].concat()).await?;
        Ok(serde_json::from_str(&out)?)
    }

    /// How many letters the list counts.
    pub async fn total(&self, arguments: &[&str]) -> Result<u64> {
        let found = self.dlq_json(&[&["list"], arguments].concat()).await?;
        found["total"].as_u64().context("a total")
    }

    pub async fn summary(&self) -> Result<SummarizeDeadLettersResponse> {
        let request = SummarizeDeadLettersRequest::default();
        let mut letters = self.letters.clone();
        Ok(letters.summarize_dead_letters(request).await?.into_inner())
    }

    pub async fn is_open(&self, open: usize) -> Result<()> {
        eventually(&format!("{open} letters are open"), SOON, async || {
            let told = self.summary().await?.open_count;
            ensure!(usize::try_from(told)? == open, "{told} are");
            Ok(())
        })
        .await
    }

    pub async fn pages(&self, state: DeadLetterState) -> Result<Vec<DeadLetter>> {
        let (mut letters, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListDeadLettersRequest {
                state: state.into(),
                page_size: 7,
                page_token,
                ..Default::default()
            };
            let page = self
                .letters
                .clone()
                .list_dead_letters(request)
                .await?
                .into_inner();
            letters.extend(page.dead_letters);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(letters);
            }
        }
    }

    pub async fn stored(&self, prefix: &str) -> Result<String> {
        let sql = "SELECT count(), uniqExact(event_id) FROM kaizen.decisions WHERE startsWith(event_id, ";
        self.sandbox
            .stack()
            .clickhouse()
            .query(&format!("{sql}'{prefix}')"))
            .await
    }
}
