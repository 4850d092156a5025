//! Creates tickets.

use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::error::LedgerError;
use crate::event::{Event, differences};
use crate::limits;
use crate::migrate::hexadecimal;
use crate::row;
use crate::state::State;
use crate::store::{Ledger, now};
use crate::ticket::{NewTicket, Ticket, sorted_labels};

impl Ledger {
    /// Creates a ticket, `proposed`. The same request creates it once: sent again, it answers the ticket as it is now.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`], [`LedgerError::RequestReused`], [`LedgerError::AlreadyTicketed`], or the database's.
    pub async fn create(&self, new: &NewTicket) -> Result<Ticket, LedgerError> {
        new.check()?;
        let labels = sorted_labels(&new.labels)?;
        let digest = digest(new, &labels);
        let mut turn = self.turn().await?;
        let connection = &mut *turn.transaction;
        if let Some(found) = of_request(connection, &new.request_id, &digest).await? {
            return Ok(found);
        }
        refuse_a_second(connection, new).await?;
        let ticket = first(new, labels, turn.last_ticket + 1, turn.revision);
        let count = sqlx::query("UPDATE ledger_turn SET last_ticket = $1 WHERE id = 1").bind(ticket.number);
        count.execute(&mut *connection).await?;
        row::insert(connection, &ticket, &new.request_id, &digest).await?;
        let event = Event {
            revision: turn.revision,
            number: ticket.number,
            at: ticket.created_at,
            actor: new.actor.clone(),
            comment: String::new(),
            changes: differences(None, &ticket),
            measured: None,
        };
        row::append(connection, &event).await?;
        turn.commit().await?;
        Ok(ticket)
    }

    /// The ticket that this very request has created before. What is evidence of it may be left out but for the
    /// recommendation's identity.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`], [`LedgerError::RequestReused`], or the database's.
    pub async fn created(&self, new: &NewTicket) -> Result<Option<Ticket>, LedgerError> {
        limits::request_id(&new.request_id)?;
        let digest = digest(new, &sorted_labels(&new.labels)?);
        let mut connection = self.pool.acquire().await?;
        of_request(&mut connection, &new.request_id, &digest).await
    }
}

fn first(new: &NewTicket, labels: Vec<String>, number: i64, revision: i64) -> Ticket {
    let now = now();
    Ticket {
        number,
        revision,
        state: State::Proposed,
        title: new.title.clone(),
        description: new.description.clone(),
        category: new.category.clone(),
        metric: new.metric.clone(),
        rule: new.rule.clone(),
        owner: new.owner.clone(),
        labels,
        due_date: new.due_date,
        links: new.links.clone(),
        duplicate_of: None,
        evidence: new.evidence.clone(),
        implementation: None,
        created_at: now,
        created_by: new.actor.clone(),
        updated_at: now,
    }
}

/// Of everything the request asks for. What a recommendation says may be told in other words by a later analysis: of it only
/// the identity counts.
fn digest(new: &NewTicket, labels: &[String]) -> String {
    let recommendation = new.evidence.as_ref().map(|it| &it.recommendation_id);
    let of_recommendation = recommendation.is_some();
    let told = |text: &str| {
        if of_recommendation {
            String::new()
        } else {
            text.to_owned()
        }
    };
    let content = json!([
        new.actor,
        told(&new.title),
        told(&new.description),
        told(&new.category),
        told(&new.metric),
        told(&new.rule),
        new.owner,
        labels,
        new.due_date.map(|it| it.to_string()),
        new.links,
        recommendation,
    ]);
    hexadecimal(&content.to_string())
}

/// The ticket that the request has created before.
async fn of_request(
    connection: &mut AnyConnection,
    request_id: &str,
    digest: &str,
) -> Result<Option<Ticket>, LedgerError> {
    let sql = format!(
        "SELECT {}, request_digest FROM tickets WHERE request_id = $1",
        row::TICKET
    );
    // Names of columns alone
    let query = sqlx::query(AssertSqlSafe(sql)).bind(request_id.to_owned());
    let Some(found) = query.fetch_optional(connection).await? else {
        return Ok(None);
    };
    let ticket = row::ticket(&found)?;
    if found.try_get::<String, _>("request_digest")? == digest {
        return Ok(Some(ticket));
    }
    Err(LedgerError::RequestReused {
        request_id: request_id.to_owned(),
        number: ticket.number,
    })
}

async fn refuse_a_second(connection: &mut AnyConnection, new: &NewTicket) -> Result<(), LedgerError> {
    match &new.evidence {
        Some(evidence) => refuse_another(connection, &evidence.recommendation_id, 0).await,
        None => Ok(()),
    }
}

/// Refuses when the recommendation has an open ticket other than `number`.
pub(crate) async fn refuse_another(
    connection: &mut AnyConnection,
    recommendation_id: &str,
    number: i64,
) -> Result<(), LedgerError> {
    let sql = "SELECT number FROM tickets WHERE recommendation_id = $1 AND is_open = 1 AND recommendation_id <> '' AND number <> $2";
    let query = sqlx::query(sql).bind(recommendation_id.to_owned()).bind(number);
    match query.fetch_optional(connection).await? {
        None => Ok(()),
        Some(found) => Err(LedgerError::AlreadyTicketed {
            recommendation_id: recommendation_id.to_owned(),
            number: found.try_get(0)?,
        }),
    }
}
