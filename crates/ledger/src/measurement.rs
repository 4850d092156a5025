//! Keeps what implemented tickets changed.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::error::LedgerError;
use crate::event::{Event, Measured};
use crate::read::find;
use crate::row;
use crate::store::{Ledger, now};

/// What a ticket changed, as it was measured on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurement {
    /// Revision of the ledger: later changes of any ticket have higher ones.
    pub revision: i64,
    /// Number of the ticket.
    pub number: i64,
    /// When the change that was measured went live.
    pub implemented_at: Timestamp,
    /// The day after it that the measurement was due for, from 1.
    pub day: u32,
    /// When it was made.
    pub measured_at: Timestamp,
    /// What was found, as JSON; the ledger does not read it.
    pub content: String,
}

/// A measurement to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMeasurement {
    /// Number of the ticket.
    pub number: i64,
    /// When the change that was measured went live.
    pub implemented_at: Timestamp,
    /// The day after it that the measurement was due for, from 1.
    pub day: u32,
    /// Who measured.
    pub actor: String,
    /// What was found, as JSON; the ledger does not read it.
    pub content: String,
    /// The same in a word, for the audit; empty where nothing could be measured.
    pub verdict: String,
    /// The same in a sentence, for the audit; may be empty.
    pub summary: String,
}

/// The columns a measurement is read from, in this order.
const MEASUREMENT: &str = "revision, number, implemented_at, day, measured_at, content";

impl Ledger {
    /// Keeps a measurement of a ticket, and in the audit that it was made. Of two for the same day of the same implementation the
    /// first counts, and is returned: the audit has it once. The ticket stays as it is, its etag too.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], or the database's.
    pub async fn keep_measurement(&self, new: &NewMeasurement) -> Result<Measurement, LedgerError> {
        let mut turn = self.turn().await?;
        let connection = &mut *turn.transaction;
        find(connection, new.number).await?;
        let sql = format!(
            "SELECT {MEASUREMENT} FROM measurements WHERE number = $1 AND implemented_at = $2 AND day = $3"
        );
        // Names of columns alone
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(new.number)
            .bind(new.implemented_at.as_microsecond())
            .bind(i64::from(new.day));
        if let Some(found) = query.fetch_optional(&mut *connection).await? {
            return measurement(&found);
        }
        let kept = Measurement {
            revision: turn.revision,
            number: new.number,
            implemented_at: new.implemented_at,
            day: new.day,
            measured_at: now(),
            content: new.content.clone(),
        };
        insert(connection, &kept).await?;
        row::append(connection, &new.event(&kept)).await?;
        turn.commit().await?;
        Ok(kept)
    }

    /// The measurement that was kept at a revision; `None` where there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn measurement(&self, revision: i64) -> Result<Option<Measurement>, LedgerError> {
        let sql = format!("SELECT {MEASUREMENT} FROM measurements WHERE revision = $1");
        // Names of columns alone
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(revision);
        let found = query.fetch_optional(&self.pool).await?;
        found.as_ref().map(measurement).transpose()
    }

    /// The measurements of a ticket as it was implemented at that time, first that of the earliest day.
    ///
    /// # Errors
    /// The database's.
    pub async fn measurements(
        &self,
        number: i64,
        implemented_at: Timestamp,
    ) -> Result<Vec<Measurement>, LedgerError> {
        let sql = format!(
            "SELECT {MEASUREMENT} FROM measurements WHERE number = $1 AND implemented_at = $2 ORDER BY day"
        );
        // Names of columns alone
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(number)
            .bind(implemented_at.as_microsecond());
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(measurement).collect()
    }

    /// Of every implementation that was measured, the measurement of the latest day, first the one made last.
    ///
    /// # Errors
    /// The database's.
    pub async fn latest_measurements(&self) -> Result<Vec<Measurement>, LedgerError> {
        let sql = format!(
            "SELECT {MEASUREMENT} FROM measurements m WHERE NOT EXISTS (SELECT 1 FROM measurements o \
             WHERE o.number = m.number AND o.implemented_at = m.implemented_at AND o.day > m.day) ORDER BY revision DESC"
        );
        // Names of columns alone
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(measurement).collect()
    }
}

impl NewMeasurement {
    /// What the audit keeps of it.
    fn event(&self, kept: &Measurement) -> Event {
        Event {
            revision: kept.revision,
            number: kept.number,
            at: kept.measured_at,
            actor: self.actor.clone(),
            comment: self.summary.clone(),
            changes: Vec::new(),
            measured: Some(Measured {
                day: self.day,
                verdict: self.verdict.clone(),
            }),
        }
    }
}

async fn insert(connection: &mut AnyConnection, it: &Measurement) -> Result<(), LedgerError> {
    let sql = "INSERT INTO measurements (revision, number, implemented_at, day, measured_at, content) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let query = sqlx::query(sql)
        .bind(it.revision)
        .bind(it.number)
        .bind(it.implemented_at.as_microsecond())
        .bind(i64::from(it.day))
        .bind(it.measured_at.as_microsecond())
        .bind(it.content.clone());
    query.execute(connection).await?;
    Ok(())
}

fn measurement(row: &AnyRow) -> Result<Measurement, LedgerError> {
    let number = row.try_get(1)?;
    Ok(Measurement {
        revision: row.try_get(0)?,
        number,
        implemented_at: row::time(number, "implemented_at", row.try_get(2)?)?,
        day: row::day(number, "day", row.try_get(3)?)?,
        measured_at: row::time(number, "measured_at", row.try_get(4)?)?,
        content: row.try_get(5)?,
    })
}
