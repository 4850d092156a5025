//! What is still to be told to others of what happened to tickets, and how far each has been told.
//!
//! A destination looks through the audit from where it stopped ([`Ledger::file_deliveries`]): what it is to be told becomes a
//! delivery, in the transaction that moves its position on, so that nothing is left out and nothing is filed twice. A delivery is
//! there until it is told ([`Ledger::delivered`]): whoever dies in between tells it again. Of one ticket only the earliest is due.
//! One process at a time tells a destination, by a lease that ends by itself ([`Ledger::lease_destination`]).

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::error::LedgerError;
use crate::event::Event;
use crate::migrate::hexadecimal;
use crate::row;
use crate::store::{Ledger, now};

/// Deliveries filed of a destination at most: while there are more, the audit waits.
const MOST: i64 = 1_000;
/// Events looked through at once.
const EVENTS: u32 = 200;

/// Where others are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its name.
    pub name: String,
    /// Revision up to which the audit was looked through for it.
    pub position: i64,
    /// Why it is told nothing any more; empty while it is.
    pub disabled: String,
    /// When it last took a message.
    pub delivered_at: Option<Timestamp>,
    /// When a message last failed, and why.
    pub failure: Option<(Timestamp, String)>,
    /// Messages it is still to be told.
    pub pending: u64,
}

/// A message that is still to be told: the event of `revision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Number of the ticket.
    pub number: i64,
    /// Revision of the event.
    pub revision: i64,
    /// Tries that failed.
    pub failures: u32,
    /// Since when they fail.
    pub failing_since: Option<Timestamp>,
}

impl Ledger {
    /// Names a destination. A new one is told what happens from now on; one that has another address than before is no longer
    /// disabled.
    ///
    /// # Errors
    /// The database's.
    pub async fn enlist_destination(&self, name: &str, address: &str) -> Result<(), LedgerError> {
        let sql = "INSERT INTO webhook_destinations (name, address_digest, position, lease_holder, lease_until, disabled, \
                   delivered_at, failed_at, failure) SELECT $1, $2, revision, '', 0, '', 0, 0, '' FROM ledger_turn WHERE id = 1 \
                   ON CONFLICT (name) DO UPDATE SET disabled = CASE webhook_destinations.address_digest \
                   WHEN excluded.address_digest THEN webhook_destinations.disabled ELSE '' END, \
                   address_digest = excluded.address_digest";
        let query = sqlx::query(sql).bind(name.to_owned()).bind(hexadecimal(address));
        self.alone(query).await.map(drop)
    }

    /// Takes or keeps the right to tell a destination until `until`; whether it is `holder`'s then.
    ///
    /// # Errors
    /// The database's.
    pub async fn lease_destination(
        &self,
        name: &str,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, LedgerError> {
        let sql = "UPDATE webhook_destinations SET lease_holder = $2, lease_until = $3 \
                   WHERE name = $1 AND (lease_holder = $2 OR lease_until <= $4)";
        let query = sqlx::query(sql)
            .bind(name.to_owned())
            .bind(holder.to_owned())
            .bind(until.as_microsecond())
            .bind(now().as_microsecond());
        Ok(self.alone(query).await? == 1)
    }

    /// Gives the right back, if it is `holder`'s.
    ///
    /// # Errors
    /// The database's.
    pub async fn release_destination(&self, name: &str, holder: &str) -> Result<(), LedgerError> {
        let sql = "UPDATE webhook_destinations SET lease_until = 0 WHERE name = $1 AND lease_holder = $2";
        let query = sqlx::query(sql).bind(name.to_owned()).bind(holder.to_owned());
        self.alone(query).await.map(drop)
    }

    /// A destination; `None` when there is none of that name.
    ///
    /// # Errors
    /// The database's.
    pub async fn destination(&self, name: &str) -> Result<Option<Destination>, LedgerError> {
        let sql = "SELECT name, position, disabled, delivered_at, failed_at, failure, \
                   (SELECT count(*) FROM webhook_deliveries d WHERE d.destination = webhook_destinations.name) \
                   FROM webhook_destinations WHERE name = $1";
        let found = sqlx::query(sql)
            .bind(name.to_owned())
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(destination).transpose()
    }

    /// Looks through what happened since a destination's position, and files what `is_wanted` of it. Whether there may be more.
    ///
    /// # Errors
    /// The database's.
    pub async fn file_deliveries(
        &self,
        name: &str,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Result<bool, LedgerError> {
        let Some(destination) = self.destination(name).await? else {
            return Ok(false);
        };
        if destination.pending >= MOST.unsigned_abs() {
            return Ok(false);
        }
        let events = self.events(destination.position, EVENTS).await?;
        let Some(last) = events.last().map(|it| it.revision) else {
            return Ok(false);
        };
        let _alone = self.queue().await;
        let mut transaction = self.pool.begin().await?;
        let sql = "UPDATE webhook_destinations SET position = $3 WHERE name = $1 AND position = $2";
        let moved = sqlx::query(sql)
            .bind(name.to_owned())
            .bind(destination.position)
            .bind(last)
            .execute(&mut *transaction)
            .await?;
        if moved.rows_affected() == 0 {
            // Another process has looked through them
            return Ok(true);
        }
        for event in events.iter().filter(|it| is_wanted(it)) {
            let sql = "INSERT INTO webhook_deliveries (destination, number, revision, failures, failing_since, due_at) \
                       VALUES ($1, $2, $3, 0, 0, 0)";
            let query = sqlx::query(sql)
                .bind(name.to_owned())
                .bind(event.number)
                .bind(event.revision);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(events.len() == EVENTS as usize)
    }

    /// The earliest delivery of a destination that is due at `time`. One of a ticket waits for the earlier ones of that ticket.
    ///
    /// # Errors
    /// The database's.
    pub async fn due_delivery(&self, name: &str, time: Timestamp) -> Result<Option<Delivery>, LedgerError> {
        let sql = format!(
            "SELECT d.number, d.revision, d.failures, d.failing_since {FIRST_OF_TICKET} AND d.due_at <= $2 ORDER BY d.revision LIMIT 1"
        );
        // Text of this file alone
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(name.to_owned())
            .bind(time.as_microsecond());
        let found = query.fetch_optional(&self.pool).await?;
        found.as_ref().map(delivery).transpose()
    }

    /// When the next delivery of a destination is due; `None` when it is to be told nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn next_delivery_at(&self, name: &str) -> Result<Option<Timestamp>, LedgerError> {
        let sql = format!("SELECT d.due_at, d.number {FIRST_OF_TICKET} ORDER BY d.due_at LIMIT 1");
        // Text of this file alone
        let query = sqlx::query(AssertSqlSafe(sql)).bind(name.to_owned());
        let Some(found) = query.fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        row::time(found.try_get(1)?, "due_at", found.try_get(0)?).map(Some)
    }

    /// Keeps that a destination took the message: it is not told again.
    ///
    /// # Errors
    /// The database's.
    pub async fn delivered(&self, name: &str, delivery: &Delivery) -> Result<(), LedgerError> {
        let sql = "UPDATE webhook_destinations SET delivered_at = $2 WHERE name = $1";
        let query = sqlx::query(sql)
            .bind(name.to_owned())
            .bind(now().as_microsecond());
        self.alone(query).await?;
        self.withdraw_delivery(name, delivery).await
    }

    /// Keeps that a message failed and is not to be tried again, and why.
    ///
    /// # Errors
    /// The database's.
    pub async fn leave_delivery_out(
        &self,
        name: &str,
        delivery: &Delivery,
        why: &str,
    ) -> Result<(), LedgerError> {
        self.failed(name, why).await?;
        self.withdraw_delivery(name, delivery).await
    }

    /// Keeps that a message failed, why, and when it is tried again.
    ///
    /// # Errors
    /// The database's.
    pub async fn defer_delivery(
        &self,
        name: &str,
        delivery: &Delivery,
        until: Timestamp,
        why: &str,
    ) -> Result<(), LedgerError> {
        let since = delivery.failing_since.unwrap_or_else(now);
        let sql = "UPDATE webhook_deliveries SET failures = $4, failing_since = $5, due_at = $6 \
                   WHERE destination = $1 AND number = $2 AND revision = $3";
        let query = sqlx::query(sql)
            .bind(name.to_owned())
            .bind(delivery.number)
            .bind(delivery.revision)
            .bind(i64::from(delivery.failures) + 1)
            .bind(since.as_microsecond())
            .bind(until.as_microsecond());
        self.alone(query).await?;
        self.failed(name, why).await
    }

    /// Tells a destination nothing more, and keeps why; with an empty reason tells it again, at once. What it was not told stays
    /// filed.
    ///
    /// # Errors
    /// The database's.
    pub async fn disable_destination(&self, name: &str, why: &str) -> Result<(), LedgerError> {
        let sql = "UPDATE webhook_destinations SET disabled = $2 WHERE name = $1";
        let query = sqlx::query(sql).bind(name.to_owned()).bind(why.to_owned());
        self.alone(query).await?;
        if !why.is_empty() {
            return self.failed(name, why).await;
        }
        let sql = "UPDATE webhook_deliveries SET failures = 0, failing_since = 0, due_at = 0 WHERE destination = $1";
        let query = sqlx::query(sql).bind(name.to_owned());
        self.alone(query).await.map(drop)
    }

    /// Takes a message back that is not to be told after all.
    ///
    /// # Errors
    /// The database's.
    pub async fn withdraw_delivery(&self, name: &str, delivery: &Delivery) -> Result<(), LedgerError> {
        let sql = "DELETE FROM webhook_deliveries WHERE destination = $1 AND number = $2 AND revision = $3";
        let query = sqlx::query(sql)
            .bind(name.to_owned())
            .bind(delivery.number)
            .bind(delivery.revision);
        self.alone(query).await.map(drop)
    }

    async fn failed(&self, name: &str, why: &str) -> Result<(), LedgerError> {
        let sql = "UPDATE webhook_destinations SET failed_at = $2, failure = $3 WHERE name = $1";
        let query = sqlx::query(sql)
            .bind(name.to_owned())
            .bind(now().as_microsecond())
            .bind(why.to_owned());
        self.alone(query).await.map(drop)
    }

    /// Runs a statement that writes; SQLite has one writer: not beside a change of this process.
    async fn alone(&self, query: Query) -> Result<u64, LedgerError> {
        let _alone = self.queue().await;
        Ok(query.execute(&self.pool).await?.rows_affected())
    }
}

type Query = sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

/// The deliveries of a destination that no earlier one of their ticket holds up.
const FIRST_OF_TICKET: &str = "FROM webhook_deliveries d WHERE d.destination = $1 AND NOT EXISTS (SELECT 1 FROM webhook_deliveries e \
     WHERE e.destination = d.destination AND e.number = d.number AND e.revision < d.revision)";

fn destination(row: &AnyRow) -> Result<Destination, LedgerError> {
    let time = |column: &'static str, at: i64| match at {
        0 => Ok(None),
        at => row::time(0, column, at).map(Some),
    };
    let failed_at = time("failed_at", row.try_get(4)?)?;
    let failure: String = row.try_get(5)?;
    Ok(Destination {
        name: row.try_get(0)?,
        position: row.try_get(1)?,
        disabled: row.try_get(2)?,
        delivered_at: time("delivered_at", row.try_get(3)?)?,
        failure: failed_at.map(|at| (at, failure)),
        pending: row.try_get::<i64, _>(6)?.unsigned_abs(),
    })
}

fn delivery(row: &AnyRow) -> Result<Delivery, LedgerError> {
    let number = row.try_get(0)?;
    let failing_since = match row.try_get(3)? {
        0 => None,
        at => Some(row::time(number, "failing_since", at)?),
    };
    Ok(Delivery {
        number,
        revision: row.try_get(1)?,
        failures: u32::try_from(row.try_get::<i64, _>(2)?).unwrap_or(u32::MAX),
        failing_since,
    })
}
