//! A real HTTP server is told, and what it got is verified by the specification's own library.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kaizen_api::tracker::v1::webhook_service_server::WebhookService;
use kaizen_api::tracker::v1::{self as wire, ListWebhooksRequest, TestWebhookRequest, Webhook};
use kaizen_ledger::{Change, Destination, Ledger, NewMeasurement, NewTicket, State as TicketState};
use kaizen_testkit::eventually;
use prometheus_client::registry::Registry;
use prost::Message;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Request;

use kaizen_reporting::webhooks::{Outbox, Webhooks, build};
use kaizen_reporting::{Instruments, ReportingConfig, WebhooksConfig};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);

enum Reply {
    Status(u16),
    Redirect,
    Silence,
}

struct Receiver {
    seen: mpsc::UnboundedSender<(HeaderMap, Bytes)>,
    replies: Mutex<VecDeque<Reply>>,
}

async fn receive(State(it): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    let reply = it
        .replies
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front();
    drop(it.seen.send((headers, body)));
    match reply {
        None => StatusCode::OK.into_response(),
        Some(Reply::Status(status)) => StatusCode::from_u16(status).unwrap_or_default().into_response(),
        Some(Reply::Redirect) => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        Some(Reply::Silence) => std::future::pending().await,
    }
}

/// A ledger, a server that is told, and what tells it.
struct Stage {
    ledger: Ledger,
    config: WebhooksConfig,
    server: JoinHandle<()>,
    seen: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// With these replies, and 200 after them; `more` is the destination's configuration.
    async fn set(replies: impl IntoIterator<Item = Reply>, more: Value) -> Result<Self> {
        let folder = tempfile::TempDir::new()?;
        let url = format!("sqlite://{}", folder.path().join("ledger.db").display());
        let ledger = Ledger::open(&url.parse().map_err(anyhow::Error::msg)?, "").await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut chat =
            json!({"url": format!("http://{}/hook?token=t0ken", listener.local_addr()?), "secret": SECRET});
        for (key, value) in more.as_object().context("an object")? {
            chat[key] = value.clone();
        }
        let config = serde_json::from_value(json!({
            "destinations": {"chat": chat}, "timeout": "300ms", "give_up_after": "1h", "dashboard": "https://kaizen.example/",
        }))?;
        let (sender, seen) = mpsc::unbounded_channel();
        let receiver = Receiver {
            seen: sender,
            replies: Mutex::new(replies.into_iter().collect()),
        };
        let router = Router::new().fallback(receive).with_state(Arc::new(receiver));
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self {
            ledger,
            config,
            server,
            seen,
            _folder: folder,
        })
    }

    /// Something that tells, as a process would have it, and what answers for it.
    async fn outbox(&self) -> Result<(Outbox, Webhooks)> {
        let instruments = Instruments::register(&mut Registry::default());
        build(&self.ledger, &self.config, &instruments).await
    }

    async fn start(&self) -> Result<(JoinHandle<()>, Webhooks)> {
        let (outbox, service) = self.outbox().await?;
        Ok((tokio::spawn(outbox.run(CancellationToken::new())), service))
    }

    /// The next message: its identity and what it says, once its signature is right.
    async fn message(&mut self) -> Result<(String, Value)> {
        let next = tokio::time::timeout(PATIENCE, self.seen.recv()).await;
        let (headers, body) = next.context("no message")?.context("the server ended")?;
        let webhook = standardwebhooks::Webhook::new(SECRET)?;
        webhook.verify(&body, &headers)?;
        let mut changed = body.to_vec();
        changed[0] = b'[';
        ensure!(
            webhook.verify(&changed, &headers).is_err(),
            "another body has the same signature"
        );
        assert_eq!(
            headers.get("content-type").context("its type")?,
            "application/json"
        );
        let id = headers.get("webhook-id").context("its identity")?.to_str()?;
        Ok((id.to_owned(), serde_json::from_slice(&body)?))
    }

    async fn create(&self, request_id: &str) -> Result<i64> {
        let new = NewTicket {
            request_id: request_id.into(),
            actor: "anna".into(),
            title: "Mend it".into(),
            description: String::new(),
            category: "enrichment".into(),
            metric: "lead_enrichment.success_rate".into(),
            rule: String::new(),
            owner: String::new(),
            labels: Vec::new(),
            due_date: None,
            links: Vec::new(),
            evidence: None,
        };
        Ok(self.ledger.create(&new).await?.number)
    }

    async fn go(&self, number: i64, state: TicketState) -> Result<()> {
        let change = Change {
            actor: "bert".into(),
            comment: "because".into(),
            state: Some(state),
            ..Change::default()
        };
        self.ledger.change(number, None, &change).await?;
        Ok(())
    }

    /// Waits until the ledger has it.
    async fn until(&self, what: &str, is_so: impl Fn(&Destination) -> bool) -> Result<()> {
        eventually(what, PATIENCE, async || {
            let found = self.ledger.destination("chat").await?.context("it is there")?;
            ensure!(is_so(&found), "{found:?}");
            Ok(())
        })
        .await
    }
}

async fn webhook(service: &Webhooks) -> Result<Webhook> {
    let listed = service
        .list_webhooks(Request::new(ListWebhooksRequest {}))
        .await?;
    listed.into_inner().webhooks.into_iter().next().context("one")
}

async fn try_it(service: &Webhooks) -> Result<String> {
    let request = TestWebhookRequest { name: "chat".into() };
    Ok(service
        .test_webhook(Request::new(request))
        .await?
        .into_inner()
        .failure)
}

#[tokio::test]
async fn transitions_are_told_signed_and_in_their_order() -> Result<()> {
    let mut stage = Stage::set([], json!({})).await?;
    let (outbox, service) = stage.start().await?;
    let number = stage.create("one").await?;
    stage.go(number, TicketState::Accepted).await?;
    // Nothing to tell: the state stays
    let comment = Change {
        actor: "bert".into(),
        comment: "only said".into(),
        ..Change::default()
    };
    stage.ledger.change(number, None, &comment).await?;
    stage.go(number, TicketState::Cancelled).await?;
    let (id, created) = stage.message().await?;
    assert_eq!(
        (id.as_str(), &created["type"]),
        ("ticket-1-1", &json!("ticket.created"))
    );
    assert_eq!(created["data"]["from"], Value::Null);
    let (id, mut accepted) = stage.message().await?;
    let at = accepted["timestamp"].take();
    ensure!(at.as_str().is_some_and(|it| it.ends_with('Z')), "{at}");
    let expected = json!({"type": "ticket.transitioned", "timestamp": null, "data": {
        "ticket_id": "T-1", "event_id": "2", "title": "Mend it", "category": "enrichment",
        "metric": "lead_enrichment.success_rate", "from": "proposed", "to": "accepted", "actor": "bert", "comment": "because",
        "link": "https://kaizen.example/tickets/T-1", "impact": null,
    }});
    assert_eq!((id.as_str(), accepted), ("ticket-1-2", expected));
    let (id, cancelled) = stage.message().await?;
    assert_eq!(
        (id.as_str(), &cancelled["data"]["to"]),
        ("ticket-1-4", &json!("cancelled"))
    );
    stage
        .until("all is told", |it| it.pending == 0 && it.delivered_at.is_some())
        .await?;
    let listed = webhook(&service).await?;
    ensure!(
        !listed.host.contains("t0ken") && listed.host.starts_with("http://127.0.0.1:"),
        "{listed:?}"
    );
    outbox.abort();
    Ok(())
}

#[tokio::test]
async fn only_what_is_asked_for_is_told() -> Result<()> {
    let mut stage = Stage::set([], json!({"states": ["cancelled"], "categories": ["enrichment"]})).await?;
    let (outbox, _service) = stage.start().await?;
    let number = stage.create("one").await?;
    stage.go(number, TicketState::Accepted).await?;
    stage.go(number, TicketState::Cancelled).await?;
    assert_eq!(stage.message().await?.0, "ticket-1-3");
    outbox.abort();
    Ok(())
}

/// A measurement of the ticket as it was implemented in 1970.
fn measured(number: i64, day: u32, verdict: &str, found: &wire::Measurement) -> NewMeasurement {
    NewMeasurement {
        number,
        implemented_at: Timestamp::UNIX_EPOCH,
        day,
        actor: "kaizen".into(),
        content: STANDARD.encode(found.encode_to_vec()),
        verdict: verdict.into(),
        summary: "It rose.".into(),
    }
}

#[tokio::test]
async fn a_measurement_is_told_to_those_who_ask_for_it_whatever_the_states() -> Result<()> {
    let impact = wire::Impact {
        verdict: wire::ImpactVerdict::Improved.into(),
        summary: "It rose.".into(),
        method: "control_regression".into(),
        probability_better: 0.99,
        ..wire::Impact::default()
    };
    let found = wire::Measurement {
        impact: Some(impact),
        ..wire::Measurement::default()
    };
    let nothing = wire::Measurement {
        unmeasurable: "there are 3 values".into(),
        ..wire::Measurement::default()
    };
    for (asked, ids) in [
        (true, &["ticket-1-2", "ticket-1-3", "ticket-1-4"][..]),
        (false, &["ticket-1-4"]),
    ] {
        let mut stage = Stage::set([], json!({"states": ["accepted"], "measurements": asked})).await?;
        let (outbox, _service) = stage.start().await?;
        let number = stage.create("one").await?;
        stage
            .ledger
            .keep_measurement(&measured(number, 7, "improved", &found))
            .await?;
        stage
            .ledger
            .keep_measurement(&measured(number, 14, "", &nothing))
            .await?;
        stage.go(number, TicketState::Accepted).await?;
        let mut told = Vec::new();
        for _ in ids {
            told.push(stage.message().await?);
        }
        assert_eq!(told.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ids);
        if asked {
            let data = |index: usize| &told[index].1["data"];
            assert_eq!(told[0].1["type"], "ticket.measured");
            let expected = json!({
                "ticket_id": "T-1", "event_id": "2", "title": "Mend it", "category": "enrichment",
                "metric": "lead_enrichment.success_rate", "day": 7, "unmeasurable": null,
                "link": "https://kaizen.example/tickets/T-1",
                "impact": {"verdict": "improved", "summary": "It rose.", "method": "control_regression", "day": 7,
                    "effect": null, "probability_better": 0.99},
            });
            assert_eq!(data(0), &expected);
            assert_eq!(data(1)["impact"], Value::Null);
            assert_eq!(
                (&data(1)["day"], &data(1)["unmeasurable"]),
                (&json!(14), &json!("there are 3 values"))
            );
        }
        outbox.abort();
    }
    Ok(())
}

#[tokio::test]
async fn what_was_sent_and_not_kept_as_told_is_sent_again_under_its_identity() -> Result<()> {
    let mut stage = Stage::set([Reply::Silence], json!({})).await?;
    let (outbox, _service) = stage.start().await?;
    stage.create("one").await?;
    let (id, first) = stage.message().await?;
    // The server has it; who sent it dies before it knows, and gives nothing back
    outbox.abort();
    ensure!(outbox.await.is_err_and(|it| it.is_cancelled()));
    stage
        .until("it is still to be told", |it| it.pending == 1)
        .await?;
    let (next, _service) = stage.start().await?;
    assert_eq!(stage.message().await?, (id, first));
    stage.until("it is told", |it| it.pending == 0).await?;
    next.abort();
    Ok(())
}

#[tokio::test]
async fn what_fails_is_tried_again_and_holds_up_its_ticket_alone() -> Result<()> {
    let replies = [Reply::Status(500), Reply::Status(200), Reply::Redirect];
    let mut stage = Stage::set(replies, json!({})).await?;
    let number = stage.create("before").await?;
    let (outbox, service) = stage.outbox().await?;
    stage.go(number, TicketState::Accepted).await?;
    stage.go(number, TicketState::Cancelled).await?;
    stage.create("other").await?;
    let outbox = tokio::spawn(outbox.run(CancellationToken::new()));
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(stage.message().await?.0);
    }
    // 500, then the other ticket, which need not wait; the first again, and then what the redirect, not followed, held up
    assert_eq!(told[..3], ["ticket-1-2", "ticket-2-4", "ticket-1-2"]);
    assert_eq!(told[3..], ["ticket-1-2", "ticket-1-3"]);
    stage.until("all is told", |it| it.pending == 0).await?;
    let listed = webhook(&service).await?;
    ensure!(
        listed.failure == "HTTP 302" && listed.disabled.is_empty(),
        "{listed:?}"
    );
    outbox.abort();
    Ok(())
}

#[tokio::test]
async fn one_that_is_gone_is_told_nothing_until_a_test_arrives() -> Result<()> {
    let mut stage = Stage::set([Reply::Status(410), Reply::Status(503)], json!({})).await?;
    let (outbox, service) = stage.start().await?;
    let number = stage.create("one").await?;
    assert_eq!(stage.message().await?.0, "ticket-1-1");
    stage
        .until("it is disabled", |it| it.disabled == "HTTP 410")
        .await?;
    stage.go(number, TicketState::Accepted).await?;
    assert_eq!(try_it(&service).await?, "HTTP 503");
    let (id, said) = stage.message().await?;
    ensure!(id.starts_with("test-") && said["type"] == "test", "{id} {said}");
    assert_eq!(webhook(&service).await?.disabled, "HTTP 410");
    assert_eq!(try_it(&service).await?, "");
    ensure!(stage.message().await?.0.starts_with("test-"));
    // What it was not told comes after all
    assert_eq!(stage.message().await?.0, "ticket-1-1");
    assert_eq!(stage.message().await?.0, "ticket-1-2");
    outbox.abort();
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_refused_is_left_out_and_a_server_that_is_away_is_waited_for() -> Result<()> {
    let mut stage = Stage::set([Reply::Status(422)], json!({})).await?;
    let (outbox, _service) = stage.start().await?;
    let number = stage.create("one").await?;
    stage.go(number, TicketState::Accepted).await?;
    assert_eq!(stage.message().await?.0, "ticket-1-1");
    assert_eq!(stage.message().await?.0, "ticket-1-2");
    stage.server.abort();
    stage.go(number, TicketState::Cancelled).await?;
    stage
        .until("it fails", |it| {
            it.pending == 1 && it.failure.as_ref().is_some_and(|it| it.1 != "HTTP 422")
        })
        .await?;
    outbox.abort();
    Ok(())
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_the_key_and_without_the_secret() {
    let load = |url: &str, secret: &str| {
        let variables = [
            ("KAIZEN__CATALOGUE__PATH", "../../config/catalogue.yaml"),
            ("KAIZEN__WEBHOOKS__DESTINATIONS__CHAT__URL", url),
            ("KAIZEN__WEBHOOKS__DESTINATIONS__CHAT__SECRET", secret),
        ];
        let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned()));
        kaizen_service::config::load::<ReportingConfig>(include_str!("../config/base.yaml"), variables.into())
    };
    assert!(load("https://chat.example/7", SECRET).is_ok());
    for (url, secret, key) in [
        (
            "http://chat.example/t0ken",
            SECRET,
            "webhooks.destinations.chat.url",
        ),
        (
            "https://chat.example/t0ken",
            "whsec_t0ken",
            "webhooks.destinations.chat.secret",
        ),
    ] {
        let error = load(url, secret)
            .err()
            .map(|it| it.to_string())
            .unwrap_or_default();
        assert!(error.contains(key) && !error.contains("t0ken"), "{error}");
    }
}
