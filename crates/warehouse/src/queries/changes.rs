//! The ledger of changes.

use clickhouse::Row;
use kaizen_findings::ChangeEntry;
use serde::Deserialize;

use super::{QueryError, Window};
use crate::client::Client;

#[derive(Row, Deserialize)]
struct ChangeRow {
    kind: String,
    component: String,
    version: String,
    at: i64,
    link: String,
}

/// Changes of the window, oldest first.
///
/// # Errors
/// Any [`QueryError`].
pub async fn changes(client: &Client, window: Window) -> Result<Vec<ChangeEntry>, QueryError> {
    let [start, end] = window.bounds();
    let sql = "SELECT toString(kind) AS kind, toString(component) AS component, version, at, link FROM changes \
               WHERE at >= toDateTime(?, 'UTC') AND at < toDateTime(?, 'UTC') ORDER BY at, component, version";
    let rows: Vec<ChangeRow> = client.rows(client.query(sql).bind(start).bind(end)).await?;
    let read = |row: ChangeRow| {
        let at = jiff::Timestamp::from_millisecond(row.at);
        let at = at.map_err(|_| QueryError::Unreadable("a change".to_owned()))?;
        Ok(ChangeEntry {
            kind: row.kind,
            component: row.component,
            version: row.version,
            at: at.to_string(),
            link: row.link,
        })
    };
    rows.into_iter().map(read).collect()
}
