//! Tickets for people and for machines.

use kaizen_api::time::from_wire;
use kaizen_api::tracker::v1::{
    FrozenRecommendation, ImpactVerdict, Implementation, Link, Ticket, TicketEvent,
};
use prost_types::Timestamp;
use serde_json::{Value, json};

use super::words;
use crate::explain::slice as conditions;
use crate::impact;
use crate::impact::json::{slice, some};
use crate::recommendations;

/// A ticket in one line.
pub fn line(it: &Ticket) -> String {
    format!("{} {}: {}", it.ticket_id, words::state(it.state()), it.title)
}

/// A ticket with all that happened to it.
pub fn whole(it: &Ticket, events: &[TicketEvent]) -> String {
    let mut text = format!("{} {}\n", it.ticket_id, it.title);
    if !it.description.is_empty() {
        text += &format!("{}\n", it.description);
    }
    let next: Vec<String> = it.next_states().map(words::state).collect();
    let state = format!("{} (may become {})", words::state(it.state()), next.join(", "));
    let recommended = it.recommendation.as_ref().map(recommended).unwrap_or_default();
    let done = it.implementation.as_ref().map(done).unwrap_or_default();
    for (name, value) in [
        ("state", state.as_str()),
        ("duplicate of", &it.duplicate_of),
        ("owner", &it.owner),
        ("labels", &it.labels.join(", ")),
        ("due", &it.due_date),
        ("category", &it.category),
        ("metric", &it.metric),
        ("rule", &it.rule),
        ("recommended", &recommended),
        ("implemented", &done),
        ("created", &format!("{} by {}", time(it.create_time), it.creator)),
        ("etag", &it.etag),
    ] {
        if !value.is_empty() {
            text += &format!("\n{name:<13}{value}");
        }
    }
    for link in &it.links {
        text += &format!("\n{:<13}{} {}", words::kind(link.kind()), link.url, link.title);
    }
    text += "\n";
    for event in events {
        text += &format!("\n{}", happened(event));
    }
    text
}

fn recommended(it: &FrozenRecommendation) -> String {
    let Some(recommendation) = &it.recommendation else {
        return String::new();
    };
    let id: String = recommendation.recommendation_id.chars().take(8).collect();
    let forecast = recommendation.estimated_impact.as_ref();
    let forecast = forecast.map(|it| format!(", forecast {}", recommendations::improvement(it)));
    format!(
        "{id} by analysis {}{}",
        it.analysis_id,
        forecast.unwrap_or_default()
    )
}

fn done(it: &Implementation) -> String {
    let of = match it.component.as_str() {
        "" => String::new(),
        component => format!("of {component}"),
    };
    let at = time(it.implement_time);
    let (to, cost) = (applies(it), spent(it));
    let told = [&at, &it.kind, &it.version, &of, &it.description, &to, &cost];
    let told: Vec<&str> = told
        .into_iter()
        .filter(|it| !it.is_empty())
        .map(String::as_str)
        .collect();
    told.join(" ")
}

/// Which decisions it applies to; nothing for those of the recommendation.
fn applies(it: &Implementation) -> String {
    match (it.experiment.as_str(), it.slice.as_slice()) {
        ("", []) => String::new(),
        ("", slice) => format!("for {}", conditions(slice)),
        (experiment, []) => format!("for arm {} of {experiment}", it.arm),
        (experiment, slice) => format!("for arm {} of {experiment} where {}", it.arm, conditions(slice)),
    }
}

/// What it took and takes; nothing where nobody said.
fn spent(it: &Implementation) -> String {
    let hours = it.hours.map(|hours| format!("{hours} h of work"));
    let running = it.running_cost_per_day;
    let running = (running != 0.0).then(|| format!("running it costs {running:+} a day"));
    let told: Vec<String> = hours.into_iter().chain(running).collect();
    match told.join(", ") {
        told if told.is_empty() => told,
        told => format!("({told})"),
    }
}

/// What happened, in one line; further lines of a comment are indented.
pub fn happened(event: &TicketEvent) -> String {
    let measured = event.measured.as_ref().map(|it| {
        let found = match it.verdict() {
            ImpactVerdict::Unspecified => "nothing",
            verdict => impact::words::verdict(verdict),
        };
        format!("measured on day {}: {found}", it.day)
    });
    let changes = (event.changes.iter()).map(|it| match (it.before.as_str(), it.after.as_str()) {
        ("", after) => format!("{}: {}", it.field, one_line(after)),
        (before, "") => format!("{}: no longer {}", it.field, one_line(before)),
        (before, after) => format!("{}: {} → {}", it.field, one_line(before), one_line(after)),
    });
    let changes: Vec<String> = changes.chain(measured).collect();
    let comment = event.comment.trim();
    let said = if comment.is_empty() {
        String::new()
    } else {
        format!(" “{}”", comment.replace('\n', "\n    "))
    };
    format!(
        "{}  {}  {}{said}",
        time(event.event_time),
        event.actor,
        changes.join("; ")
    )
}

fn one_line(text: &str) -> String {
    const SHOWN: usize = 60;
    let line: String = text
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .take(SHOWN)
        .collect();
    if text.chars().count() > SHOWN {
        line + "…"
    } else {
        line
    }
}

/// To the second, in UTC.
fn time(time: Option<Timestamp>) -> String {
    let time = time.and_then(|it| from_wire("time", Some(it)).ok());
    time.map(|it| it.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// To the day, in UTC.
pub fn date(time: Option<Timestamp>) -> String {
    self::time(time).chars().take(10).collect()
}

/// A time as RFC 3339.
pub fn exact(time: Option<Timestamp>) -> Option<String> {
    time.and_then(|it| from_wire("time", Some(it)).ok())
        .map(|it| it.to_string())
}

/// A ticket for machines.
pub fn as_json(it: &Ticket) -> Value {
    let link = |it: &Link| json!({"kind": words::kind(it.kind()), "url": it.url, "title": it.title});
    json!({
        "id": it.ticket_id, "state": words::state(it.state()), "title": it.title, "description": it.description,
        "category": it.category, "metric": it.metric, "rule": it.rule, "owner": it.owner, "labels": it.labels,
        "due_date": some(&it.due_date), "links": it.links.iter().map(link).collect::<Vec<_>>(),
        "duplicate_of": some(&it.duplicate_of), "recommendation": it.recommendation.as_ref().map(frozen_as_json),
        "implementation": it.implementation.as_ref().map(|it| json!({
            "at": exact(it.implement_time), "kind": it.kind, "component": it.component, "version": it.version,
            "description": it.description, "hours": it.hours, "running_cost_per_day": it.running_cost_per_day,
            "slice": slice(&it.slice), "experiment": some(&it.experiment), "arm": some(&it.arm)})),
        "created": exact(it.create_time), "creator": it.creator, "updated": exact(it.update_time), "etag": it.etag,
        "next_states": it.next_states().map(words::state).collect::<Vec<_>>(),
    })
}

fn frozen_as_json(it: &FrozenRecommendation) -> Value {
    let mut json = it
        .recommendation
        .as_ref()
        .map(recommendations::as_json)
        .unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        // What was decided about it later is not a part of it
        fields.remove("state");
        fields.insert("analysis_id".to_owned(), json!(it.analysis_id));
        let ends = it
            .period
            .as_ref()
            .map(|it| [exact(it.start_time), exact(it.end_time)]);
        fields.insert("period".to_owned(), json!(ends));
    }
    json
}

/// An event for machines.
pub fn event_as_json(it: &TicketEvent) -> Value {
    let changes = it.changes.iter();
    let changes = changes.map(|it| json!({"field": it.field, "before": it.before, "after": it.after}));
    json!({
        "id": it.event_id, "ticket": it.ticket_id, "at": exact(it.event_time), "actor": it.actor, "comment": it.comment,
        "changes": changes.collect::<Vec<_>>(), "measured": it.measured.as_ref().map(|it| json!({
            "day": it.day, "verdict": impact::words::name(it.verdict()),
        })),
    })
}
