//! What was measured of earlier recommendations corrects later ones, until somebody takes that back.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kaizen_api::analysis::v1::{Direction, Estimate, Interval, Metric, Window};
use kaizen_api::tracker::v1::{Impact, ImpactDay, Measurement};
use kaizen_ledger::{Change, Evidence, Implementation, Ledger, NewMeasurement, NewTicket, State};
use kaizen_testkit::{Sandbox, eventually};
use prost::Message;
use serde_json::{Value, json};

use crate::client::window;

const RULE: &str = "slice_regression";
const METRIC: &str = "lead_enrichment.success_rate";
const SOON: Duration = Duration::from_secs(60);
/// The change of every ticket, so late that the service has no measurement of its own to make.
const CHANGE: &str = "2026-01-18T00:00:00Z";
const DAY_AFTER: &str = "2026-01-19T00:00:00Z";
/// Decisions of the one day after it.
const DECISIONS: u64 = 288;
const WEEK: f64 = 7.0;

/// An enrichment every minute for two weeks from Monday, 2026-01-05, by eight methods in turn. One in ten fails, and in the
/// second week one in two by method `b`.
const FLEET: &str = "INSERT INTO kaizen.decisions (_offset, event_id, log_type, timestamp, _ingested_at, method_used, \
     processing_time, success, quality_score, success_indicator, dims, measures) \
     SELECT number, toString(number), 'enrichment_decision', \
     toDateTime64('2026-01-05 00:00:00', 3, 'UTC') + number * 60 AS time, time, \
     ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'][1 + number % 8] AS method, 1 + (number * 7919 % 1009) / 1009, \
     if(method = 'b' AND time >= '2026-01-12 00:00:00', number * 7919 % 1009 > 504, number * 7919 % 1009 > 100), \
     50 + number * 104729 % 49, number % 3 > 0, \
     map('source', ['Hunter', 'Apollo', 'Clay'][1 + intDiv(number, 8) % 3]), map('fields_count', number % 9) \
     FROM numbers(2 * 7 * 1440)";

/// The system with a recommendation of the rule.
struct System {
    sandbox: Sandbox,
    ledger: Ledger,
    /// What a ticket keeps of it, as JSON.
    evidence: String,
    /// Units gained a week as the rule forecasts, and half the width of its interval.
    forecast: (f64, f64),
}

impl System {
    async fn start() -> Result<Self> {
        let sandbox = Sandbox::start().await?;
        sandbox.stack().clickhouse().query(FLEET).await?;
        analyze(&sandbox, "first").await?;
        let content = content(&sandbox, "first").await?;
        let recommendation: Value = serde_json::from_str(&content)?;
        let per_week = &recommendation["impact"]["per_week"];
        let number = |name: &str| per_week[name].as_f64().context("a forecast");
        let forecast = (number("value")?, (number("upper")? - number("lower")?) / 2.0);
        let evidence = json!({
            "analysis_id": "first", "code_version": "0", "start": "2026-01-12T00:00:00Z", "end": DAY_AFTER,
            "recommendation": recommendation,
        });
        let url = sandbox.ledger_url().parse().map_err(anyhow::Error::msg)?;
        Ok(Self {
            ledger: Ledger::open(&url, "").await?,
            sandbox,
            evidence: evidence.to_string(),
            forecast,
        })
    }

    /// Tickets of the rule's forecast, implemented and measured: each brought about these shares of it.
    async fn measured(&self, name: &str, shares: &[f64]) -> Result<Vec<i64>> {
        let at: Timestamp = CHANGE.parse()?;
        let mut numbers = Vec::new();
        for (index, share) in shares.iter().enumerate() {
            let number = self.implemented(&format!("{name}-{index}"), at).await?;
            let content = STANDARD.encode(self.measurement(*share)?.encode_to_vec());
            let new = NewMeasurement {
                number,
                implemented_at: at,
                day: 14,
                actor: "kaizen".to_owned(),
                content,
                verdict: String::new(),
                summary: String::new(),
            };
            self.ledger.keep_measurement(&new).await?;
            numbers.push(number);
        }
        Ok(numbers)
    }

    async fn implemented(&self, name: &str, at: Timestamp) -> Result<i64> {
        let new = NewTicket {
            request_id: name.to_owned(),
            actor: "anna".to_owned(),
            title: name.to_owned(),
            description: String::new(),
            category: String::new(),
            metric: METRIC.to_owned(),
            rule: RULE.to_owned(),
            owner: String::new(),
            labels: Vec::new(),
            due_date: None,
            links: Vec::new(),
            evidence: Some(Evidence {
                recommendation_id: name.to_owned(),
                content: self.evidence.clone(),
            }),
        };
        let number = self.ledger.create(&new).await?.number;
        for state in [State::Accepted, State::InProgress, State::Implemented] {
            let is_done = state == State::Implemented;
            let change = Change {
                actor: "anna".to_owned(),
                state: Some(state),
                implementation: is_done.then(|| Implementation {
                    at,
                    kind: "deploy".to_owned(),
                    ..Implementation::default()
                }),
                ..Change::default()
            };
            self.ledger.change(number, None, &change).await?;
        }
        Ok(number)
    }

    fn measurement(&self, share: f64) -> Result<Measurement> {
        let after: Window = window(CHANGE, DAY_AFTER)?;
        let times = DECISIONS as f64 * WEEK;
        let (effect, half) = (share * self.forecast.0 / times, self.forecast.1 / times);
        let mut impact = Impact {
            metric: Some(Metric {
                name: METRIC.to_owned(),
                direction: Direction::HigherIsBetter.into(),
                ..Metric::default()
            }),
            effect: Some(Estimate {
                value: effect,
                interval: Some(Interval {
                    lower: effect - half,
                    upper: effect + half,
                }),
            }),
            after: Some(after),
            days: vec![ImpactDay {
                window: Some(after),
                n: DECISIONS,
                ..ImpactDay::default()
            }],
            ..Impact::default()
        };
        impact.set_verdict(kaizen_api::tracker::v1::ImpactVerdict::Improved);
        Ok(Measurement {
            impact: Some(impact),
            ..Measurement::default()
        })
    }

    /// Has reporting see at once what this process wrote to its ledger.
    async fn touch(&self, title: &str) -> Result<()> {
        let create = ["tickets", "create", "--title", title];
        self.sandbox.kaizen(&create).await.map(drop)
    }

    /// The active corrections, as the command tells of them.
    async fn active(&self) -> Result<Vec<Value>> {
        let told = self
            .sandbox
            .kaizen(&["calibration", "--corrections", "--output", "json"])
            .await?;
        let mut all: Vec<Value> = serde_json::from_str(&told)?;
        all.retain(|it| it["state"] == "active");
        Ok(all)
    }

    /// Waits for an active correction that was learned from exactly these tickets.
    async fn learned_from(&self, numbers: &[i64]) -> Result<Value> {
        let expected: Vec<String> = numbers.iter().map(|it| format!("T-{it}")).collect();
        eventually("a correction is learned", SOON, async || {
            let active = self.active().await?;
            ensure!(active.len() == 1, "{active:?}");
            let outcomes = active[0]["outcomes"].as_array().context("its outcomes")?;
            let tickets: Vec<_> = outcomes
                .iter()
                .filter_map(|it| it["ticket_id"].as_str())
                .collect();
            ensure!(tickets == expected, "{tickets:?}");
            Ok(active[0].clone())
        })
        .await
    }
}

async fn analyze(sandbox: &Sandbox, request_id: &str) -> Result<()> {
    let period = [
        "analyze",
        "--from",
        "2026-01-12",
        "--to",
        "2026-01-19",
        "--request-id",
    ];
    sandbox
        .kaizen(&[&period[..], &[request_id]].concat())
        .await
        .map(drop)
}

/// What an analysis has on record of the rule's recommendation.
async fn content(sandbox: &Sandbox, request_id: &str) -> Result<String> {
    let sql = format!(
        "SELECT content FROM kaizen.recommendations WHERE rule = '{RULE}' AND analysis_id IN \
         (SELECT analysis_id FROM kaizen.analyses WHERE request_id = '{request_id}') FORMAT TSVRaw"
    );
    let content = sandbox.stack().clickhouse().query(&sql).await?;
    if content.lines().count() != 1 {
        let rules = "SELECT groupArray((rule, metric)) FROM kaizen.recommendations";
        let rules = sandbox.stack().clickhouse().query(rules).await?;
        bail!("no single recommendation of {RULE} among {rules}: {content}");
    }
    Ok(content)
}

#[tokio::test]
async fn a_rule_whose_fixes_brought_half_forecasts_half_until_that_is_taken_back() -> Result<()> {
    let system = System::start().await?;
    let sandbox = &system.sandbox;
    let raw = content(sandbox, "first").await?;
    // Four outcomes are too few, however much they say
    let few = system.measured("few", &[0.5, 0.51, 0.49, 0.5]).await?;
    system.touch("Four are measured").await?;
    let more = system.measured("more", &[0.52, 0.48]).await?;
    system.touch("Six are measured").await?;
    let six = [few, more].concat();
    let learned = system.learned_from(&six).await?;
    let all = system.ledger.corrections("", &[], None, 10).await?;
    ensure!(all.iter().all(|it| it.outcomes.len() > 4), "{all:?}");
    let factor = learned["factor"].as_f64().context("a factor")?;
    ensure!((0.48..0.56).contains(&factor), "{learned:#}");
    assert_eq!(
        (learned["rule"].as_str(), learned["learned_by"].as_str()),
        (Some(RULE), Some("kaizen"))
    );
    let id = learned["id"].as_str().context("its identity")?;
    the_next_analysis_forecasts_half_and_says_why(&system, &raw, id, factor).await?;
    let told = sandbox.kaizen(&["calibration"]).await?;
    for part in [id, "× 0.5", "50 %", "measured over forecast"] {
        ensure!(told.contains(part), "no {part:?} in:\n{told}");
    }
    a_reverted_correction_is_gone_and_not_learned_again(&system, &raw, id, six.len()).await
}

async fn the_next_analysis_forecasts_half_and_says_why(
    system: &System,
    raw: &str,
    id: &str,
    factor: f64,
) -> Result<()> {
    let sandbox = &system.sandbox;
    analyze(sandbox, "corrected").await?;
    let corrected = content(sandbox, "corrected").await?;
    let (before, after): (Value, Value) = (serde_json::from_str(raw)?, serde_json::from_str(&corrected)?);
    let per_week = after["impact"]["per_week"]["value"]
        .as_f64()
        .context("a forecast")?;
    ensure!(
        (per_week - factor * system.forecast.0).abs() < 1e-9 * per_week,
        "{after:#}"
    );
    assert_eq!(after["corrected"]["by"]["correction_id"], json!(id));
    assert_eq!(after["corrected"]["impact"], before["impact"]);
    assert_eq!(after["certainty"], before["certainty"]);
    // The same corrections and decisions give the same bytes
    analyze(sandbox, "corrected-again").await?;
    assert_eq!(content(sandbox, "corrected-again").await?, corrected);
    let listed = sandbox
        .kaizen(&["recommendations", "list", "--output", "json"])
        .await?;
    let listed: Vec<Value> = serde_json::from_str(&listed)?;
    let told = listed
        .iter()
        .find(|it| it["rule"] == RULE)
        .context("it is listed")?;
    assert_eq!(told["corrected"]["by"], json!(id));
    let shown = sandbox
        .kaizen(&[
            "recommendations",
            "show",
            told["id"].as_str().context("its identity")?,
        ])
        .await?;
    ensure!(
        shown.contains(&format!("by {id}: forecasts of {RULE} are multiplied by 0.5")),
        "{shown}"
    );
    Ok(())
}

async fn a_reverted_correction_is_gone_and_not_learned_again(
    system: &System,
    raw: &str,
    id: &str,
    so_far: usize,
) -> Result<()> {
    let sandbox = &system.sandbox;
    let without = sandbox.kaizen(&["calibration", "--revert", id]).await;
    ensure!(
        without.is_err_and(|it| it.to_string().contains("--reason")),
        "reverted without a reason"
    );
    let revert = [
        "calibration",
        "--revert",
        id,
        "--actor",
        "bert",
        "--reason",
        "The fixes were undone",
    ];
    let told = sandbox.kaizen(&revert).await?;
    ensure!(told.starts_with(&format!("{id} reverted: ")), "{told}");
    let again = sandbox
        .kaizen(&revert)
        .await
        .err()
        .context("reverted twice")?
        .to_string();
    ensure!(
        again.contains("only an active correction can be reverted"),
        "{again}"
    );
    analyze(sandbox, "reverted").await?;
    assert_eq!(content(sandbox, "reverted").await?, raw);
    let all = system.ledger.corrections("", &[], None, 10).await?;
    let ended = all[0].ended.as_ref().context("an end")?;
    assert_eq!(
        (ended.actor.as_str(), ended.reason.as_str()),
        ("bert", "The fixes were undone")
    );
    assert_eq!(all[0].outcomes.len(), so_far);
    // Five new ones teach it again, and they alone
    let fresh = system.measured("fresh", &[0.4, 0.42, 0.38, 0.4, 0.4]).await?;
    system.touch("Five more are measured").await?;
    let learned = system.learned_from(&fresh).await?;
    let factor = learned["factor"].as_f64().context("a factor")?;
    ensure!((0.38..0.52).contains(&factor), "{learned:#}");
    Ok(())
}
