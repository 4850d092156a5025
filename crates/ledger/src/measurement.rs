//! Keeps what implemented tickets changed.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::LedgerError;
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

/// The columns a measurement is read from, in this order.
const MEASUREMENT: &str = "revision, number, implemented_at, day, measured_at, content";

impl Ledger {
    /// Keeps a measurement of a ticket. Of two for the same day of the same implementation the first counts, and is
    /// returned.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], or the database's.
    pub async fn keep_measurement(
        &self,
        number: i64,
        implemented_at: Timestamp,
        day: u32,
        content: &str,
    ) -> Result<Measurement, LedgerError> {
        let mut turn = self.turn().await?;
        let connection = &mut *turn.transaction;
        find(connection, number).await?;
        let sql = format!(
            "SELECT {MEASUREMENT} FROM measurements WHERE number = $1 AND implemented_at = $2 AND day = $3"
        );
        // Names of columns alone
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(number)
            .bind(implemented_at.as_microsecond())
            .bind(i64::from(day));
        if let Some(found) = query.fetch_optional(&mut *connection).await? {
            return measurement(&found);
        }
        let kept = Measurement {
            revision: turn.revision,
            number,
            implemented_at,
            day,
            measured_at: now(),
            content: content.to_owned(),
        };
        let sql = "INSERT INTO measurements (revision, number, implemented_at, day, measured_at, content) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let query = sqlx::query(sql)
            .bind(kept.revision)
            .bind(number)
            .bind(implemented_at.as_microsecond())
            .bind(i64::from(day))
            .bind(kept.measured_at.as_microsecond())
            .bind(kept.content.clone());
        query.execute(&mut *connection).await?;
        turn.commit().await?;
        Ok(kept)
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

fn measurement(row: &AnyRow) -> Result<Measurement, LedgerError> {
    let number = row.try_get(1)?;
    let day: i64 = row.try_get(3)?;
    Ok(Measurement {
        revision: row.try_get(0)?,
        number,
        implemented_at: row::time(number, "implemented_at", row.try_get(2)?)?,
        day: u32::try_from(day).map_err(|error| row::unreadable(number, "day", error.to_string()))?,
        measured_at: row::time(number, "measured_at", row.try_get(4)?)?,
        content: row.try_get(5)?,
    })
}
