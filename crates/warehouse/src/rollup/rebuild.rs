//! Rebuilds hours of the rollup from the decisions while the collectors go on. A rollup is sums, so what it lacks can be added:
//! months of both tables are frozen as they are at one moment (by links to their parts, which copies nothing), the difference
//! is computed from these at leisure and put in as a whole. What is inserted meanwhile is in neither and stays.
//!
//! The moment must be one without an insert under way, as that may be in the table and not yet in the rollup. Once the two are
//! frozen, ClickHouse is asked whether an insert runs, and whether its newest blocks are those of before; if not, they are
//! frozen again. A run that is killed has put in the whole difference of a month or nothing, and the next one begins anew.
//!
//! Of several runs at once the last to begin goes on: it drops the tables of the others before it freezes anything, so that what they
//! computed from an older state cannot be put in after it. No lock can be left behind by one that was killed.

use std::time::{Duration, Instant};

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Rollup, RollupError};
use crate::client::{Client, WarehouseError};
use crate::queries::{Window, whole_since};

/// What the names of the tables that exist while it runs begin with.
const PREFIX: &str = "rebuild_";
/// ClickHouse's error code of a table that is not there.
const UNKNOWN_TABLE: u32 = 60;
/// How long a moment without an insert is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);
/// Decisions whose difference is computed by one query.
const AT_ONCE: u64 = 2_000_000;
const HOUR: u32 = 3600;

/// What a rebuild did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Decisions of the window.
    pub decisions: u64,
    /// Rows of the rollup that were added: combinations of an hour and dimensions that had differed.
    pub corrected: u64,
}

/// Why the rollup was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Decisions of the window may have been removed by the table's TTL: the rollup is all that is left of them.
    #[error(
        "window.start_time: decisions before {0} may have been removed as too old; the rollup keeps their sums"
    )]
    Removed(Timestamp),
    /// There was always an insert under way.
    #[error("no moment without an insert within {} s: end the collectors, rebuild, start them again", PATIENCE.as_secs())]
    Busy,
    /// Another run began.
    #[error("another rebuild of the rollup began meanwhile, and goes on in this one's stead")]
    Superseded,
    /// The rollup cannot be rebuilt by this version.
    #[error(transparent)]
    Rollup(#[from] RollupError),
}

impl From<WarehouseError> for RebuildError {
    fn from(error: WarehouseError) -> Self {
        match error.code() {
            // Decisions and rollup were there a moment ago: only the run's own tables can be gone.
            Some(UNKNOWN_TABLE) => Self::Superseded,
            _ => Self::Rollup(error.into()),
        }
    }
}

/// Makes the rollup of a window what its decisions say; without a window, all that has not been removed. Readers see all of a
/// month's corrections or none. It must run on the one server that the collectors insert into, and while no collector is trying a failed
/// insert again.
///
/// # Errors
/// Any [`RebuildError`]. Months before the one at fault are rebuilt.
pub async fn rebuild_rollup(client: &Client, window: Option<Window>) -> Result<Rebuilt, RebuildError> {
    let since = whole_since(client).await?;
    let [start, end] = window.map_or([since, u32::MAX - u32::MAX % HOUR], Window::bounds);
    if start < since {
        let since = Timestamp::from_second(since.into()).unwrap_or(Timestamp::MAX);
        return Err(RebuildError::Removed(since));
    }
    let run = uuid::Uuid::new_v4().simple();
    let table = |name: &str| format!("{PREFIX}{run}_{name}");
    let rebuild = Rebuild {
        client,
        rollup: Rollup::read(client).await?,
        decisions: table("decisions"),
        rolled: table("rollup"),
        difference: table("difference"),
    };
    let rebuilt = rebuild.run([start, end]).await;
    rebuild.drop(&rebuild.tables()).await?;
    rebuilt
}

struct Rebuild<'a> {
    client: &'a Client,
    rollup: Rollup,
    /// The decisions as they were.
    decisions: String,
    /// The rollup as it was.
    rolled: String,
    /// What is to be added to it.
    difference: String,
}

#[derive(Row, Deserialize)]
struct Name {
    name: String,
}

#[derive(Row, Deserialize)]
struct Month {
    partition: String,
}

#[derive(Row, Deserialize)]
struct HourRows {
    hour: u32,
    decisions: u64,
}

impl Rebuild<'_> {
    async fn run(&self, window: [u32; 2]) -> Result<Rebuilt, RebuildError> {
        let Self {
            decisions,
            rolled,
            difference,
            ..
        } = self;
        for (table, like) in [
            (decisions, "decisions"),
            (rolled, "rollup_hourly"),
            (difference, "rollup_hourly"),
        ] {
            self.execute(&format!("CREATE TABLE {table} AS {like}")).await?;
        }
        // Of two that begin together each sees the other's.
        self.supersede_others().await?;
        for frozen in [decisions, rolled] {
            self.execute(&format!("SYSTEM STOP MERGES {frozen}")).await?;
        }
        let mut rebuilt = Rebuilt::default();
        for Month { partition } in self.months(window).await? {
            self.freeze(&partition).await?;
            for part in self.parts(window, &mut rebuilt).await? {
                self.keep(&self.rollup.difference(decisions, rolled, part))
                    .await?;
            }
            rebuilt.corrected += self.count(difference).await?;
            self.execute(&attach("rollup_hourly", &partition, difference))
                .await?;
            self.empty(&self.tables()).await?;
        }
        Ok(rebuilt)
    }

    /// Both tables are partitioned by the month of the decisions' own time.
    async fn months(&self, [start, end]: [u32; 2]) -> Result<Vec<Month>, WarehouseError> {
        let sql = format!(
            "SELECT DISTINCT partition_id AS partition FROM system.parts WHERE database = ? AND active \
             AND table IN ('decisions', 'rollup_hourly') \
             AND toUInt32(partition_id) BETWEEN toYYYYMM(toDateTime({start}, 'UTC')) AND toYYYYMM(toDateTime({}, 'UTC')) \
             ORDER BY partition",
            end - 1
        );
        let query = self.client.query(&sql).bind(self.client.database());
        self.client.rows(query).await
    }

    async fn freeze(&self, partition: &str) -> Result<(), RebuildError> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let before = self.newest_block().await?;
            let (decisions, rollup) = (
                attach(&self.decisions, partition, "decisions"),
                attach(&self.rolled, partition, "rollup_hourly"),
            );
            tokio::try_join!(self.execute(&decisions), self.execute(&rollup))?;
            // In this order: an insert that was half done runs still, or has left its other block by now.
            if !self.is_inserted_into().await? && self.newest_block().await? == before {
                return Ok(());
            }
            self.empty(&[&self.decisions, &self.rolled]).await?;
            tokio::time::sleep(PAUSE).await;
        }
        Err(RebuildError::Busy)
    }

    async fn is_inserted_into(&self) -> Result<bool, WarehouseError> {
        // Also by another run whose tables are dropped: what it was at goes on.
        let sql = "SELECT count() FROM system.processes WHERE \
                   query_kind = 'Insert' AND (position(query, 'decisions') > 0 OR position(query, 'rollup_hourly') > 0) \
                   OR query_kind = 'Alter' AND position(query, 'ALTER TABLE rollup_hourly') > 0";
        Ok(self.number(sql).await? > 0)
    }

    async fn newest_block(&self) -> Result<u64, WarehouseError> {
        let sql = "SELECT toUInt64(sum(newest)) FROM (SELECT max(max_block_number) AS newest FROM system.parts \
                   WHERE database = currentDatabase() AND active AND table IN ('decisions', 'rollup_hourly') \
                   GROUP BY table, partition_id)";
        self.number(sql).await
    }

    /// The window cut at whole hours, so that no query has more decisions than it should.
    async fn parts(
        &self,
        [start, end]: [u32; 2],
        rebuilt: &mut Rebuilt,
    ) -> Result<Vec<[u32; 2]>, WarehouseError> {
        let within = |column| {
            format!("{column} >= toDateTime({start}, 'UTC') AND {column} < toDateTime({end}, 'UTC')")
        };
        let sql = format!(
            "SELECT toUnixTimestamp(hour) AS hour, sum(n) AS decisions FROM ( \
                 SELECT toStartOfHour(timestamp)::DateTime('UTC') AS hour, count() AS n FROM {} WHERE {} GROUP BY hour \
                 UNION ALL SELECT DISTINCT hour, toUInt64(0) FROM {} WHERE {}) \
             GROUP BY hour ORDER BY hour",
            self.decisions,
            within("timestamp"),
            self.rolled,
            within("hour")
        );
        let hours: Vec<HourRows> = self.client.rows(self.client.query(&sql)).await?;
        rebuilt.decisions += hours.iter().map(|hour| hour.decisions).sum::<u64>();
        Ok(cut(&hours))
    }

    async fn keep(&self, difference: &str) -> Result<(), WarehouseError> {
        let columns = self.rollup.columns().collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {} ({columns}) {difference}", self.difference);
        // What is the same as an earlier correction is another one.
        let settings = [("insert_deduplicate", "0"), ("max_insert_threads", "1")];
        let query = settings
            .iter()
            .fold(self.client.inner().query_raw(&sql), |query, (name, value)| {
                query.with_setting(*name, *value)
            });
        self.client.execute(query).await
    }

    async fn count(&self, table: &str) -> Result<u64, WarehouseError> {
        self.number(&format!("SELECT count() FROM {table}")).await
    }

    async fn number(&self, sql: &str) -> Result<u64, WarehouseError> {
        Ok(self.client.row(self.client.query(sql)).await?.unwrap_or_default())
    }

    async fn empty(&self, tables: &[&str]) -> Result<(), WarehouseError> {
        for table in tables {
            self.execute(&format!("TRUNCATE TABLE {table}")).await?;
        }
        Ok(())
    }

    fn tables(&self) -> [&str; 3] {
        [&self.decisions, &self.rolled, &self.difference]
    }

    async fn supersede_others(&self) -> Result<(), WarehouseError> {
        let sql = "SELECT name FROM system.tables WHERE database = ? AND startsWith(name, ?)";
        let query = self.client.query(sql).bind(self.client.database()).bind(PREFIX);
        let all: Vec<Name> = self.client.rows(query).await?;
        let others = all.iter().map(|it| it.name.as_str());
        let others: Vec<_> = others.filter(|name| !self.tables().contains(name)).collect();
        self.drop(&others).await
    }

    async fn drop(&self, tables: &[&str]) -> Result<(), WarehouseError> {
        for table in tables {
            self.execute(&format!("DROP TABLE IF EXISTS {table}")).await?;
        }
        Ok(())
    }

    async fn execute(&self, sql: &str) -> Result<(), WarehouseError> {
        self.client.execute(self.client.inner().query_raw(sql)).await
    }
}

fn attach(table: &str, partition: &str, from: &str) -> String {
    format!("ALTER TABLE {table} ATTACH PARTITION ID '{partition}' FROM {from}")
}

fn cut(hours: &[HourRows]) -> Vec<[u32; 2]> {
    let mut parts: Vec<([u32; 2], u64)> = Vec::new();
    for HourRows { hour, decisions } in hours {
        match parts.last_mut() {
            Some((part, together)) if *together + decisions <= AT_ONCE => {
                part[1] = hour + HOUR;
                *together += decisions;
            }
            _ => parts.push(([*hour, hour + HOUR], *decisions)),
        }
    }
    parts.into_iter().map(|(part, _)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_taken_together_up_to_a_number_of_decisions_and_never_cut() {
        let hours = [
            (0, 1),
            (1, AT_ONCE - 1),
            (2, 1),
            (5, 3 * AT_ONCE),
            (9, 0),
            (10, AT_ONCE),
        ];
        let hours = hours.map(|(hour, decisions)| HourRows {
            hour: hour * HOUR,
            decisions,
        });
        let parts = cut(&hours)
            .into_iter()
            .map(|part| part.map(|second| second / HOUR));
        assert_eq!(parts.collect::<Vec<_>>(), [[0, 2], [2, 3], [5, 6], [9, 11]]);
    }
}
