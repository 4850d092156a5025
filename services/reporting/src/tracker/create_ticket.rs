use kaizen_api::status::invalid_argument;
use kaizen_api::tracker::v1::{self as wire, CreateTicketRequest};
use kaizen_ledger::{Evidence, NewTicket, Ticket};
use tonic::Status;

use super::frozen::Frozen;
use super::{Tracker, convert, refused_of_ticket};

pub async fn answer(tracker: &Tracker, request: CreateTicketRequest) -> Result<Ticket, Status> {
    let ticket = request.ticket.unwrap_or_default();
    refuse_output(&ticket)?;
    let by_hand = request.recommendation_id.is_empty();
    let mut new = NewTicket {
        request_id: request.request_id,
        actor: request.actor,
        title: ticket.title,
        description: ticket.description,
        category: ticket.category,
        metric: ticket.metric,
        rule: String::new(),
        owner: ticket.owner,
        labels: ticket.labels,
        due_date: convert::due_date("ticket.due_date", &ticket.due_date)?,
        links: convert::links("ticket.links", ticket.links)?,
        evidence: None,
    };
    if by_hand {
        if !request.analysis_id.is_empty() {
            return Err(invalid_argument(
                "analysis_id",
                "is for a recommendation_id alone",
            ));
        }
        return tracker.ledger().create(&new).await.map_err(refused_of_ticket);
    }
    refuse_told(&new)?;
    // Sent again, the request is answered also when no analysis recommends it any more
    new.evidence = Some(Evidence {
        recommendation_id: request.recommendation_id.clone(),
        content: String::new(),
    });
    if let Some(created) = tracker.ledger().created(&new).await.map_err(refused_of_ticket)? {
        return Ok(created);
    }
    let frozen = Frozen::read(
        &tracker.measurer.client,
        &request.analysis_id,
        &request.recommendation_id,
    )
    .await?;
    tell(&mut new, &frozen);
    new.evidence = Some(frozen.evidence(request.recommendation_id)?);
    tracker.ledger().create(&new).await.map_err(refused_of_ticket)
}

/// A ticket begins as proposed and gets its identity from the ledger.
fn refuse_output(ticket: &wire::Ticket) -> Result<(), Status> {
    let stated = [
        ("ticket.ticket_id", !ticket.ticket_id.is_empty()),
        ("ticket.etag", !ticket.etag.is_empty()),
        ("ticket.rule", !ticket.rule.is_empty()),
        ("ticket.duplicate_of", !ticket.duplicate_of.is_empty()),
        ("ticket.state", !matches!(ticket.state, 0 | 1)),
        ("ticket.recommendation", ticket.recommendation.is_some()),
        ("ticket.implementation", ticket.implementation.is_some()),
    ];
    match stated.into_iter().find(|(_, stated)| *stated) {
        Some((field, _)) => Err(invalid_argument(field, "cannot be set when a ticket is created")),
        None => Ok(()),
    }
}

/// What the recommendation tells.
fn refuse_told(new: &NewTicket) -> Result<(), Status> {
    let told = [
        ("ticket.title", &new.title),
        ("ticket.description", &new.description),
        ("ticket.category", &new.category),
        ("ticket.metric", &new.metric),
    ];
    match told.into_iter().find(|(_, text)| !text.is_empty()) {
        Some((field, _)) => Err(invalid_argument(
            field,
            "must be empty: it is the recommendation's",
        )),
        None => Ok(()),
    }
}

/// A recommendation may say more than a ticket holds; all of it is in the evidence.
fn tell(new: &mut NewTicket, frozen: &Frozen) {
    let it = &frozen.recommendation;
    new.title = shortened(&it.title, 200, false);
    new.description = shortened(&it.description, 4_000, true);
    new.category = shortened(&it.category, 64, false);
    new.metric = shortened(&it.metric, 128, false);
    new.rule = shortened(&it.rule, 128, false);
}

/// At most `most` characters, without control characters.
fn shortened(text: &str, most: usize, has_lines: bool) -> String {
    let clean = |it: char| {
        let is_kept = !it.is_control() || (has_lines && matches!(it, '\n' | '\t'));
        if is_kept { it } else { ' ' }
    };
    if text.chars().count() <= most {
        return text.chars().map(clean).collect();
    }
    text.chars().take(most - 1).map(clean).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_ticket_cannot_hold_is_cut_with_a_sign() {
        assert_eq!(shortened("a\nb", 3, false), "a b");
        assert_eq!(shortened("a\nb\0", 4, true), "a\nb ");
        assert_eq!(shortened("äöüß", 3, false), "äö…");
    }
}
