//! The rollup as the engine has it: its columns and the view that fills it. What rebuilds and audits it is made from these, so
//! that a migration that changes the view changes them too.

mod rebuild;

pub use rebuild::{RebuildError, Rebuilt, rebuild_rollup};

use clickhouse::Row;
use serde::Deserialize;

use crate::client::{Client, WarehouseError};

/// How the rollup is made from the decisions.
#[derive(Debug, Clone)]
pub struct Rollup {
    /// Columns that tell its rows apart.
    keys: Vec<String>,
    sums: Vec<Sum>,
    /// The view's query.
    select: String,
    /// Where that names its source, and what stands there.
    source: String,
}

/// A column that is summed.
#[derive(Debug, Clone)]
struct Sum {
    name: String,
    is_map: bool,
    is_unsigned: bool,
}

/// The view is not what this version can rebuild from.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// It is not there, or reads something else than the decisions once.
    #[error("the view rollup_hourly_view must read {0} at the end of its query, once")]
    View(String),
    /// A column is neither a key nor a sum.
    #[error("column {column} of rollup_hourly is {kind}, which is no sum")]
    Column {
        /// Its name.
        column: String,
        /// Its type.
        kind: String,
    },
    /// ClickHouse gave no answer.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}

#[derive(Row, Deserialize)]
struct Column {
    name: String,
    kind: String,
}

impl Rollup {
    /// Asks the engine.
    ///
    /// # Errors
    /// Any [`RollupError`].
    pub async fn read(client: &Client) -> Result<Self, RollupError> {
        let sql = "SELECT name, type AS kind FROM system.columns WHERE database = ? AND table = 'rollup_hourly' ORDER BY position";
        let columns: Vec<Column> = client.rows(client.query(sql).bind(client.database())).await?;
        let sql = "SELECT as_select FROM system.tables WHERE database = ? AND name = 'rollup_hourly_view'";
        let select: Option<String> = client.row(client.query(sql).bind(client.database())).await?;
        Self::of(columns, select.unwrap_or_default(), client.database())
    }

    fn of(columns: Vec<Column>, select: String, database: &str) -> Result<Self, RollupError> {
        let source = format!("FROM {database}.decisions GROUP BY");
        if select.matches(&source).count() != 1 {
            return Err(RollupError::View(format!("{database}.decisions")));
        }
        let (mut keys, mut sums) = (Vec::new(), Vec::new());
        for Column { name, kind } in columns {
            match kind.strip_prefix("SimpleAggregateFunction(") {
                None => keys.push(name),
                Some(summed) if summed.starts_with("sum, ") || summed.starts_with("sumMap, ") => {
                    sums.push(Sum {
                        name,
                        is_map: summed.starts_with("sumMap, "),
                        is_unsigned: summed.ends_with("UInt64)") || summed.ends_with("UInt64))"),
                    })
                }
                Some(_) => return Err(RollupError::Column { column: name, kind }),
            }
        }
        Ok(Self {
            keys,
            sums,
            select,
            source,
        })
    }

    /// A query for what a rollup lacks to be what `decisions` say, between two seconds on whole hours: rows that, added to it, make
    /// it so. Where it has too much they are negative; unsigned numbers then wrap around, and so does their sum.
    pub(crate) fn difference(&self, decisions: &str, rollup: &str, [start, end]: [u32; 2]) -> String {
        let within = |column| {
            format!("{column} >= toDateTime({start}, 'UTC') AND {column} < toDateTime({end}, 'UTC')")
        };
        let keys = self.keys.join(", ");
        let decided = format!("FROM {decisions} WHERE {} GROUP BY", within("timestamp"));
        let decided = self.select.replace(&self.source, &decided);
        let taken = self.sums.iter().map(Sum::negative).collect::<Vec<_>>().join(", ");
        let rolled = format!("SELECT {keys}, {taken} FROM {rollup} WHERE {}", within("hour"));
        let of = |part: &str| {
            let columns = self.columns().map(|name| format!("{part}.{name} AS {name}"));
            columns.collect::<Vec<_>>().join(", ")
        };
        let summed: Vec<_> = self.sums.iter().map(Sum::total).collect();
        let differs: Vec<_> = self.sums.iter().map(Sum::differs).collect();
        format!(
            "SELECT {keys}, {} FROM (SELECT {} FROM ({decided}) AS decided UNION ALL SELECT {} FROM ({rolled}) AS rolled) AS one \
             GROUP BY {keys} HAVING {} SETTINGS max_bytes_ratio_before_external_group_by = 0.3",
            summed.join(", "),
            of("decided"),
            of("rolled"),
            differs.join(" OR ")
        )
    }

    /// Its columns, in one order everywhere.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.keys
            .iter()
            .map(String::as_str)
            .chain(self.sums.iter().map(|sum| sum.name.as_str()))
    }
}

impl Sum {
    fn negative(&self) -> String {
        let Self { name, .. } = self;
        let negative = |value: &str| match self.is_unsigned {
            true => format!("toUInt64(-{value})"),
            false => format!("-{value}"),
        };
        match self.is_map {
            true => format!("mapApply((k, v) -> (k, {}), {name}) AS {name}", negative("v")),
            false => format!("{} AS {name}", negative(name)),
        }
    }

    fn total(&self) -> String {
        let Self { name, .. } = self;
        match self.is_map {
            true => format!("mapFilter((k, v) -> v != 0, sumMap(one.{name})) AS {name}"),
            false => format!("sum(one.{name}) AS {name}"),
        }
    }

    fn differs(&self) -> String {
        match self.is_map {
            true => format!("notEmpty({})", self.name),
            false => format!("{} != 0", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: &str) -> Vec<Column> {
        vec![Column {
            name: "c".to_owned(),
            kind: kind.to_owned(),
        }]
    }

    #[test]
    fn a_view_or_a_column_that_cannot_be_rebuilt_is_refused() {
        let select = "SELECT count() AS c FROM k.decisions GROUP BY hour".to_owned();
        let refused = Rollup::of(column("UInt8"), "SELECT 1".to_owned(), "k").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the view rollup_hourly_view must read k.decisions at the end of its query, once"
        );
        let refused = Rollup::of(
            column("SimpleAggregateFunction(max, UInt64)"),
            select.clone(),
            "k",
        )
        .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "column c of rollup_hourly is SimpleAggregateFunction(max, UInt64), which is no sum"
        );
        Rollup::of(column("SimpleAggregateFunction(sum, UInt64)"), select, "k").unwrap();
    }
}
