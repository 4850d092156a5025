//! What became of recommendations: from runs, decisions and tickets.

use std::collections::HashMap;

use kaizen_api::status::query_failed;
use kaizen_findings::{Happened, Standing, StandingChange, What, history};
use kaizen_ledger::{Event, Ledger, State, Ticket};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, Analysis, RecommendationDecision, Sighting, StoredRecommendation};
use tonic::Status;

use crate::tracker::refused;

/// Most changes of a ticket that are read.
const MOST: u32 = 1_000;

/// The history of each recommendation of an analysis, by its identity.
///
/// # Errors
/// The warehouse's or the ledger's.
pub async fn lives(
    client: &Client,
    ledger: &Ledger,
    analysis: &Analysis,
    recommended: &[StoredRecommendation],
) -> Result<HashMap<String, Vec<StandingChange>>, Status> {
    let ids: Vec<&str> = recommended
        .iter()
        .map(|it| it.recommendation_id.as_str())
        .collect();
    let seen = queries::sightings(client, analysis, &ids)
        .await
        .map_err(query_failed)?;
    let decided = queries::recommendation_decisions(client, &ids)
        .await
        .map_err(query_failed)?;
    let tickets = tickets(ledger, &ids).await?;
    let of = |it: &StoredRecommendation| {
        let id = it.recommendation_id.as_str();
        let mut happened = runs(&seen, id);
        happened.extend(decided.get(id).into_iter().flatten().filter_map(decision));
        happened.extend(tickets.get(id).into_iter().flatten().cloned());
        let unit = &it.recommendation.evidence.unit;
        (id.to_owned(), history(&happened, unit))
    };
    Ok(recommended.iter().map(of).collect())
}

/// The runs from the first that found it.
fn runs(seen: &[Sighting], id: &str) -> Vec<Happened> {
    let run = |it: &Sighting| Happened {
        at: it.at.as_millisecond(),
        what: What::Run {
            end: it.end.as_second(),
            found: it.found.get(id).copied(),
        },
    };
    seen.iter().map(run).collect()
}

fn decision(it: &RecommendationDecision) -> Option<Happened> {
    let standing = match it.decision.as_str() {
        "open" => Standing::Open,
        "accepted" => Standing::Accepted,
        "dismissed" => Standing::Dismissed,
        _ => return None,
    };
    Some(Happened {
        at: it.decided_at.as_millisecond(),
        what: What::Decided {
            standing,
            reason: it.reason.clone(),
            actor: it.actor.clone(),
        },
    })
}

/// What became of the tickets of each recommendation.
async fn tickets(ledger: &Ledger, ids: &[&str]) -> Result<HashMap<String, Vec<Happened>>, Status> {
    let mut all: HashMap<String, Vec<Happened>> = HashMap::new();
    for ticket in ledger.of_recommendations(ids).await.map_err(refused)? {
        let events = ledger.history(ticket.number, 0, MOST).await.map_err(refused)?;
        let happened = events.iter().filter_map(|event| change(&ticket, event));
        let id = ticket.evidence.as_ref().map(|it| it.recommendation_id.clone());
        all.entry(id.unwrap_or_default()).or_default().extend(happened);
    }
    Ok(all)
}

/// A ticket's end, or that it was taken up again. That a longer measurement follows a shorter one is neither, and a duplicate's
/// end is none of what it repeats.
fn change(ticket: &Ticket, event: &Event) -> Option<Happened> {
    let state = event.changes.iter().find(|it| it.field == "state")?;
    let after: State = state.after.parse().ok()?;
    if matches!(after, State::Measuring | State::Duplicate) {
        return None;
    }
    Some(Happened {
        at: event.at.as_millisecond(),
        what: What::Ticket {
            id: ticket.id(),
            state: after.to_string(),
            is_end: !after.is_open(),
            live: ticket.implementation.as_ref().map(|it| it.at.as_second()),
            actor: event.actor.clone(),
        },
    })
}
