use hyper::body::Bytes;
use jiff::Timestamp;
use kaizen_api::tracker::v1 as wire;
use kaizen_ledger::{Event, Ticket};
use serde::Serialize;

use crate::impact::word_of;

/// A message: the same identity however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its identity: of the event it tells.
    pub id: String,
    /// What it says: JSON.
    pub body: Bytes,
}

#[derive(Serialize)]
struct Payload<T> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: T,
}

#[derive(Serialize)]
struct Transition<'a> {
    ticket_id: String,
    event_id: String,
    title: &'a str,
    category: &'a str,
    metric: &'a str,
    from: Option<&'a str>,
    to: &'a str,
    actor: &'a str,
    comment: &'a str,
    link: String,
    impact: Option<Impact<'a>>,
}

#[derive(Serialize)]
struct Measured<'a> {
    ticket_id: String,
    event_id: String,
    title: &'a str,
    category: &'a str,
    metric: &'a str,
    day: u32,
    unmeasurable: Option<&'a str>,
    link: String,
    impact: Option<Impact<'a>>,
}

#[derive(Serialize)]
struct Impact<'a> {
    verdict: String,
    summary: &'a str,
    method: &'a str,
    day: u32,
    effect: Option<Effect>,
    probability_better: f64,
}

#[derive(Serialize)]
struct Effect {
    value: f64,
    lower: Option<f64>,
    upper: Option<f64>,
}

#[derive(Serialize)]
struct Test<'a> {
    destination: &'a str,
}

/// Tells a transition; `measurement` is that which led to it, `dashboard` where tickets are shown.
///
/// # Errors
/// It has no form in JSON.
pub fn transition(
    event: &Event,
    ticket: &Ticket,
    measurement: Option<&wire::Measurement>,
    dashboard: &str,
) -> Result<Message, serde_json::Error> {
    let state = event.changes.iter().find(|it| it.field == "state");
    let from = state.map(|it| it.before.as_str()).filter(|it| !it.is_empty());
    let transition = Transition {
        ticket_id: ticket.id(),
        event_id: event.revision.to_string(),
        title: &ticket.title,
        category: &ticket.category,
        metric: &ticket.metric,
        from,
        to: state.map_or("", |it| it.after.as_str()),
        actor: &event.actor,
        comment: &event.comment,
        link: link(ticket, dashboard),
        impact: measurement.and_then(impact),
    };
    let kind = if from.is_some() {
        "ticket.transitioned"
    } else {
        "ticket.created"
    };
    message(id(event), kind, event.at, transition)
}

/// The identity of the message of an event.
fn id(event: &Event) -> String {
    format!("ticket-{}-{}", event.number, event.revision)
}

/// Where a ticket is shown.
fn link(ticket: &Ticket, dashboard: &str) -> String {
    format!("{}/tickets/{}", dashboard.trim_end_matches('/'), ticket.id())
}

/// Tells that a ticket was measured.
///
/// # Errors
/// It has no form in JSON.
pub fn measured(
    event: &Event,
    ticket: &Ticket,
    measurement: &wire::Measurement,
    dashboard: &str,
) -> Result<Message, serde_json::Error> {
    let measured = Measured {
        ticket_id: ticket.id(),
        event_id: event.revision.to_string(),
        title: &ticket.title,
        category: &ticket.category,
        metric: &ticket.metric,
        day: measurement.day,
        unmeasurable: Some(measurement.unmeasurable.as_str()).filter(|it| !it.is_empty()),
        link: link(ticket, dashboard),
        impact: impact(measurement),
    };
    message(id(event), "ticket.measured", event.at, measured)
}

/// A message that says nothing, of a caller who wants to know whether it arrives.
///
/// # Errors
/// It has no form in JSON.
pub fn test(id: String, destination: &str, now: Timestamp) -> Result<Message, serde_json::Error> {
    message(id, "test", now, Test { destination })
}

fn message(
    id: String,
    kind: &'static str,
    timestamp: Timestamp,
    data: impl Serialize,
) -> Result<Message, serde_json::Error> {
    let payload = Payload {
        kind,
        timestamp,
        data,
    };
    let body = Bytes::from(serde_json::to_vec(&payload)?);
    Ok(Message { id, body })
}

fn impact(it: &wire::Measurement) -> Option<Impact<'_>> {
    let impact = it.impact.as_ref()?;
    Some(Impact {
        verdict: word_of(impact.verdict()),
        summary: &impact.summary,
        method: &impact.method,
        day: it.day,
        effect: impact.effect.as_ref().map(|it| Effect {
            value: it.value,
            lower: it.interval.as_ref().map(|it| it.lower),
            upper: it.interval.as_ref().map(|it| it.upper),
        }),
        probability_better: impact.probability_better,
    })
}
