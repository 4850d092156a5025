//! Reads tickets and events by their numbers.

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::error::LedgerError;
use crate::event::Event;
use crate::row;
use crate::store::Ledger;
use crate::ticket::Ticket;

/// Recommendations asked for by one statement.
const AT_ONCE: usize = 200;

impl Ledger {
    /// One ticket.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], or the database's.
    pub async fn ticket(&self, number: i64) -> Result<Ticket, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        find(&mut connection, number).await
    }

    /// The tickets of these recommendations, in the order of their numbers.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_recommendations(&self, ids: &[&str]) -> Result<Vec<Ticket>, LedgerError> {
        let mut tickets = Vec::new();
        for ids in ids.chunks(AT_ONCE) {
            let places: Vec<String> = (1..=ids.len()).map(|index| format!("${index}")).collect();
            let sql = format!(
                "SELECT {} FROM tickets WHERE recommendation_id <> '' AND recommendation_id IN ({}) ORDER BY number",
                row::TICKET,
                places.join(", ")
            );
            // Names of columns and numbers of parameters alone
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in ids {
                query = query.bind((*id).to_owned());
            }
            let rows = query.fetch_all(&self.pool).await?;
            let found: Result<Vec<_>, _> = rows.iter().map(row::ticket).collect();
            tickets.extend(found?);
        }
        tickets.sort_by_key(|it| it.number);
        Ok(tickets)
    }

    /// What happened to a ticket after the revision `after`, first the earliest; at most `most`.
    ///
    /// # Errors
    /// The database's.
    pub async fn history(&self, number: i64, after: i64, most: u32) -> Result<Vec<Event>, LedgerError> {
        let sql = format!(
            "SELECT {} FROM ticket_events WHERE number = $1 AND revision > $2 ORDER BY revision LIMIT $3",
            row::EVENT
        );
        // Names of columns alone
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(number)
            .bind(after)
            .bind(i64::from(most));
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(row::event).collect()
    }

    /// What happened at a revision; `None` where it was nothing that happened to a ticket.
    ///
    /// # Errors
    /// The database's.
    pub async fn event(&self, revision: i64) -> Result<Option<Event>, LedgerError> {
        let event = self.events(revision - 1, 1).await?.into_iter().next();
        Ok(event.filter(|it| it.revision == revision))
    }

    /// What happened to any ticket after the revision `after`, first the earliest; at most `most`. Asked again with the
    /// last one's revision, nothing is missed: revisions are in the order of commits.
    ///
    /// # Errors
    /// The database's.
    pub async fn events(&self, after: i64, most: u32) -> Result<Vec<Event>, LedgerError> {
        let sql = format!(
            "SELECT {} FROM ticket_events WHERE revision > $1 ORDER BY revision LIMIT $2",
            row::EVENT
        );
        // Names of columns alone
        let query = sqlx::query(AssertSqlSafe(sql)).bind(after).bind(i64::from(most));
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(row::event).collect()
    }
}

/// One ticket, on a connection that may be in a transaction.
pub(crate) async fn find(connection: &mut AnyConnection, number: i64) -> Result<Ticket, LedgerError> {
    let sql = format!("SELECT {} FROM tickets WHERE number = $1", row::TICKET);
    // Names of columns alone
    let query = sqlx::query(AssertSqlSafe(sql)).bind(number);
    match query.fetch_optional(connection).await? {
        Some(found) => row::ticket(&found),
        None => Err(LedgerError::NotFound(number)),
    }
}
