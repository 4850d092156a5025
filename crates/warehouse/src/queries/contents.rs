//! What the tables that metrics are computed from hold, told without reading them: whether an answer still stands.

use std::hash::{Hash, Hasher};

use clickhouse::Row;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kaizen_findings::FARTHEST_WEEKS;
use serde::Deserialize;

use super::{QueryError, Window};
use crate::client::Client;

/// State of each month of each table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// In the order of their names and months.
    parts: Vec<PartsRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Row, Deserialize)]
struct PartsRow {
    name: String,
    /// Year and month.
    month: u32,
    /// Number of the latest insert; no number comes twice.
    newest: i64,
    /// Number of the latest mutation.
    mutated: i64,
    /// Rows, of tables whose rows only an insert or the end of their time changes.
    rows: u64,
}

/// Asks the engine. Merging, which changes no sum, changes nothing of the answer but for a month that is written to; an insert, a
/// mutation and rows that are removed as too old do. `None` where the tables are no MergeTree of that engine: those of other
/// machines behind it are not seen.
///
/// # Errors
/// Any [`QueryError`].
pub async fn contents(client: &Client) -> Result<Option<Contents>, QueryError> {
    let sql = "SELECT table AS name, toUInt32OrZero(partition) AS month, max(max_block_number) AS newest, \
               toInt64(max(data_version)) AS mutated, sum(if(table = 'rollup_hourly', 0, rows)) AS rows FROM system.parts \
               WHERE active AND database = ? AND table IN ('rollup_hourly', 'decisions', 'outcomes') \
               GROUP BY name, month ORDER BY name, month";
    let parts: Vec<PartsRow> = client.rows(client.query(sql).bind(client.database())).await?;
    let is_seen = parts.iter().any(|it| it.name == "rollup_hourly");
    Ok(is_seen.then_some(Contents { parts }))
}

impl Contents {
    /// A number for all that a metric in `window` rests on: the months of its decisions, those before that tell what to expect,
    /// and the first one. With `outcomes`, which may come long after, everything. Different contents have different
    /// numbers, but for one case in 2⁶⁴.
    pub fn digest(&self, window: Window, outcomes: bool) -> u64 {
        let month = |time: Timestamp| {
            let date = time.to_zoned_datetime(TimeZone::UTC).date();
            u32::from(date.year().unsigned_abs()) * 100 + u32::from(date.month().unsigned_abs())
        };
        let farthest = i64::from(FARTHEST_WEEKS) * 7 * 86_400;
        let from = Timestamp::from_second((window.start().as_second() - farthest).max(0))
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let (from, until) = (month(from), month(window.end()));
        let first = self.parts.iter().map(|it| it.month).min();
        let counts = |it: &&PartsRow| {
            outcomes
                || it.name == "rollup_hourly"
                    && ((from..=until).contains(&it.month) || Some(it.month) == first)
        };
        let mut hasher = std::hash::DefaultHasher::new();
        for part in self.parts.iter().filter(counts) {
            part.hash(&mut hasher);
        }
        hasher.finish()
    }
}
