//! How far those who tell others of changes have told. An event is told, then its revision is kept: told at least once,
//! through any crash.

use sqlx::Row;

use crate::error::LedgerError;
use crate::store::Ledger;

impl Ledger {
    /// The revision up to which `name` has told; `None` when it never has.
    ///
    /// # Errors
    /// The database's.
    pub async fn position(&self, name: &str) -> Result<Option<i64>, LedgerError> {
        let query =
            sqlx::query("SELECT revision FROM ledger_positions WHERE name = $1").bind(name.to_owned());
        let found = query.fetch_optional(&self.pool).await?;
        Ok(found.map(|row| row.try_get(0)).transpose()?)
    }

    /// Keeps that `name` has told up to `revision`. It never goes back: of two who tell at once, the further one counts.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_position(&self, name: &str, revision: i64) -> Result<(), LedgerError> {
        let sql = "INSERT INTO ledger_positions (name, revision) VALUES ($1, $2) ON CONFLICT (name) \
                   DO UPDATE SET revision = excluded.revision WHERE ledger_positions.revision < excluded.revision";
        // SQLite has one writer: not beside a change of this process
        let _alone = self.queue().await;
        let query = sqlx::query(sql).bind(name.to_owned()).bind(revision);
        query.execute(&self.pool).await?;
        Ok(())
    }
}
