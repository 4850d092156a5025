//! A ticket and an event as rows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::error::LedgerError;
use crate::event::{Event, FieldChange, Measured};
use crate::terms;
use crate::ticket::{Evidence, Ticket};

/// The columns a ticket is read from, in this order.
pub(crate) const TICKET: &str = "number, revision, state, title, description, category, metric, rule, owner, labels, due_date, links, \
     duplicate_of, recommendation_id, evidence, implementation, created_at, created_by, updated_at";
/// The columns an event is read from, in this order.
pub(crate) const EVENT: &str =
    "revision, number, happened_at, actor, comment, changes, measured_day, measured_verdict";
/// Stands for no date, and sorts after every other.
const NO_DATE: &str = "9999-12-31";
/// Terms written by one statement.
const TERMS: usize = 200;

/// Reads a row of [`TICKET`].
pub(crate) fn ticket(row: &AnyRow) -> Result<Ticket, LedgerError> {
    let number = row.try_get(0)?;
    let text = |column: usize| row.try_get::<String, _>(column);
    let duplicate_of: i64 = row.try_get(12)?;
    let recommendation_id = text(13)?;
    let content = text(14)?;
    let implementation = text(15)?;
    Ok(Ticket {
        number,
        revision: row.try_get(1)?,
        state: text(2)?
            .parse()
            .map_err(|reason| unreadable(number, "state", reason))?,
        title: text(3)?,
        description: text(4)?,
        category: text(5)?,
        metric: text(6)?,
        rule: text(7)?,
        owner: text(8)?,
        labels: json(number, "labels", &text(9)?)?,
        due_date: date(number, &text(10)?)?,
        links: json(number, "links", &text(11)?)?,
        duplicate_of: (duplicate_of != 0).then_some(duplicate_of),
        evidence: (!recommendation_id.is_empty()).then_some(Evidence {
            recommendation_id,
            content,
        }),
        implementation: match implementation.as_str() {
            "" => None,
            text => Some(json(number, "implementation", text)?),
        },
        created_at: time(number, "created_at", row.try_get(16)?)?,
        created_by: text(17)?,
        updated_at: time(number, "updated_at", row.try_get(18)?)?,
    })
}

/// Reads a row of [`EVENT`].
pub(crate) fn event(row: &AnyRow) -> Result<Event, LedgerError> {
    let number = row.try_get(1)?;
    Ok(Event {
        revision: row.try_get(0)?,
        number,
        at: time(number, "happened_at", row.try_get(2)?)?,
        actor: row.try_get(3)?,
        comment: row.try_get(4)?,
        changes: json(number, "changes", &row.try_get::<String, _>(5)?)?,
        measured: match row.try_get(6)? {
            0 => None,
            at => Some(Measured {
                day: day(number, "measured_day", at)?,
                verdict: row.try_get(7)?,
            }),
        },
    })
}

/// Reads a day after a change.
pub(crate) fn day(number: i64, column: &'static str, day: i64) -> Result<u32, LedgerError> {
    u32::try_from(day).map_err(|error| unreadable(number, column, error.to_string()))
}

/// Writes a new ticket with its terms.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    ticket: &Ticket,
    request_id: &str,
    digest: &str,
) -> Result<(), LedgerError> {
    let sql = "INSERT INTO tickets (number, revision, state, is_open, title, description, owner, labels, due_date, links, \
               duplicate_of, implementation, updated_at, category, metric, rule, recommendation_id, evidence, created_at, \
               created_by, request_id, request_digest) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    let evidence = ticket.evidence.as_ref();
    let query = changing(sql, ticket)?
        .bind(ticket.category.clone())
        .bind(ticket.metric.clone())
        .bind(ticket.rule.clone())
        .bind(
            evidence
                .map(|it| it.recommendation_id.clone())
                .unwrap_or_default(),
        )
        .bind(evidence.map(|it| it.content.clone()).unwrap_or_default())
        .bind(ticket.created_at.as_microsecond())
        .bind(ticket.created_by.clone())
        .bind(request_id.to_owned())
        .bind(digest.to_owned());
    query.execute(&mut *connection).await?;
    write_terms(connection, ticket, &BTreeSet::new()).await
}

/// Writes what may change of a ticket, and its terms.
pub(crate) async fn update(
    connection: &mut AnyConnection,
    before: &Ticket,
    after: &Ticket,
) -> Result<(), LedgerError> {
    let sql = "UPDATE tickets SET revision = $2, state = $3, is_open = $4, title = $5, description = $6, owner = $7, labels = $8, \
               due_date = $9, links = $10, duplicate_of = $11, implementation = $12, updated_at = $13 WHERE number = $1";
    changing(sql, after)?.execute(&mut *connection).await?;
    write_terms(connection, after, &terms::of(before)).await
}

type Query = sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

/// `sql` with `$1` to `$13` bound to the ticket's number and to what may change.
fn changing(sql: &'static str, ticket: &Ticket) -> Result<Query, LedgerError> {
    let number = ticket.number;
    let implementation = match &ticket.implementation {
        Some(it) => text(number, "implementation", it)?,
        None => String::new(),
    };
    Ok(sqlx::query(sql)
        .bind(number)
        .bind(ticket.revision)
        .bind(ticket.state.as_str().to_owned())
        .bind(i64::from(ticket.state.is_open()))
        .bind(ticket.title.clone())
        .bind(ticket.description.clone())
        .bind(ticket.owner.clone())
        .bind(text(number, "labels", &ticket.labels)?)
        .bind(due_date(ticket))
        .bind(text(number, "links", &ticket.links)?)
        .bind(ticket.duplicate_of.unwrap_or_default())
        .bind(implementation)
        .bind(ticket.updated_at.as_microsecond()))
}

/// Adds a line to the audit.
pub(crate) async fn append(connection: &mut AnyConnection, event: &Event) -> Result<(), LedgerError> {
    let sql = "INSERT INTO ticket_events (revision, number, happened_at, actor, comment, changes, measured_day, measured_verdict) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let measured = event.measured.as_ref();
    let query = sqlx::query(sql)
        .bind(event.revision)
        .bind(event.number)
        .bind(event.at.as_microsecond())
        .bind(event.actor.clone())
        .bind(event.comment.clone())
        .bind(text::<[FieldChange]>(event.number, "changes", &event.changes)?)
        .bind(measured.map_or(0, |it| i64::from(it.day)))
        .bind(measured.map_or_else(String::new, |it| it.verdict.clone()));
    query.execute(connection).await?;
    Ok(())
}

/// Writes the terms of a ticket with the keys of the orders it is listed in.
async fn write_terms(
    connection: &mut AnyConnection,
    ticket: &Ticket,
    before: &BTreeSet<String>,
) -> Result<(), LedgerError> {
    let after = terms::of(ticket);
    for term in before.difference(&after) {
        let sql = "DELETE FROM ticket_terms WHERE term = $1 AND number = $2";
        let query = sqlx::query(sql).bind(term.clone()).bind(ticket.number);
        query.execute(&mut *connection).await?;
    }
    let (ordered, others) = after
        .iter()
        .partition::<Vec<_>, _>(|term| terms::is_ordered(term));
    let (kept, added) = (ordered.into_iter()).partition::<Vec<_>, _>(|term| before.contains(*term));
    let places = |count: usize, place: fn(usize) -> String| {
        let places: Vec<String> = (4..4 + count).map(place).collect();
        places.join(", ")
    };
    for terms in kept.chunks(TERMS) {
        let places = places(terms.len(), |it| format!("${it}"));
        let sql = format!(
            "UPDATE ticket_terms SET revision = $2, due_date = $3 WHERE number = $1 AND term IN ({places})"
        );
        write(&mut *connection, sql, ticket, terms).await?;
    }
    for terms in added.chunks(TERMS) {
        let places = places(terms.len(), |it| format!("($1, $2, $3, ${it})"));
        let sql = format!("INSERT INTO ticket_terms (number, revision, due_date, term) VALUES {places}");
        write(&mut *connection, sql, ticket, terms).await?;
    }
    let added: Vec<&String> = others
        .into_iter()
        .filter(|term| !before.contains(*term))
        .collect();
    for terms in added.chunks(TERMS) {
        let places: Vec<String> = (2..2 + terms.len()).map(|it| format!("($1, ${it})")).collect();
        let sql = format!(
            "INSERT INTO ticket_terms (number, term) VALUES {}",
            places.join(", ")
        );
        // Nothing but numbers of parameters
        let query = sqlx::query(AssertSqlSafe(sql)).bind(ticket.number);
        let query = terms
            .iter()
            .fold(query, |query, term| query.bind((*term).clone()));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Runs a statement whose parameters are a ticket's number, revision and due date, and then terms.
async fn write(
    connection: &mut AnyConnection,
    sql: String,
    ticket: &Ticket,
    terms: &[&String],
) -> Result<(), LedgerError> {
    // Nothing but numbers of parameters
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(ticket.number)
        .bind(ticket.revision)
        .bind(due_date(ticket));
    let query = terms
        .iter()
        .fold(query, |query, term| query.bind((*term).clone()));
    query.execute(connection).await?;
    Ok(())
}

fn text<T: Serialize + ?Sized>(number: i64, column: &'static str, value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| unreadable(number, column, error.to_string()))
}

fn json<T: DeserializeOwned>(number: i64, column: &'static str, text: &str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|error| unreadable(number, column, error.to_string()))
}

/// The due date as it is stored and sorted.
pub(crate) fn due_date(ticket: &Ticket) -> String {
    ticket
        .due_date
        .map_or_else(|| NO_DATE.to_owned(), |it| it.to_string())
}

fn date(number: i64, text: &str) -> Result<Option<Date>, LedgerError> {
    if text == NO_DATE {
        return Ok(None);
    }
    let date = text
        .parse()
        .map_err(|error: jiff::Error| unreadable(number, "due_date", error.to_string()));
    date.map(Some)
}

pub(crate) fn time(number: i64, column: &'static str, microseconds: i64) -> Result<Timestamp, LedgerError> {
    Timestamp::from_microsecond(microseconds).map_err(|error| unreadable(number, column, error.to_string()))
}

pub(crate) fn unreadable(number: i64, column: &'static str, reason: String) -> LedgerError {
    LedgerError::Unreadable {
        number,
        column,
        reason,
    }
}
