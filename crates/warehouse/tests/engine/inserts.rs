//! What the writer sends as columns arrives as if it had been sent row by row.

use anyhow::{Context, Result};
use clickhouse::Row;
use kaizen_warehouse::queries::Table;
use kaizen_warehouse::rows::Kind;
use kaizen_warehouse::{BatchWriter, Client, Insert};
use serde::Deserialize;

use crate::sandbox::Sandbox;

/// More than any index of 16 bits tells apart.
const ROWS: u64 = 70_000;

/// Values that depend on nothing but their number (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Values(u64);

impl Values {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn string(&mut self, different: u64, rows: &mut Vec<u8>) {
        let text = match self.next() % different {
            0 => String::new(),
            number => format!("value {number}"),
        };
        rows.push(text.len() as u8);
        rows.extend_from_slice(text.as_bytes());
    }

    fn value(&mut self, kind: Kind, different: u64, rows: &mut Vec<u8>) {
        match kind {
            // A month of times and few rows of a month: a table has few partitions then.
            Kind::Number(name, 8) if name.starts_with("DateTime64") => {
                let time = 1_795_000_000_000 + self.next() % 1_000_000_000;
                rows.extend_from_slice(&time.to_le_bytes());
            }
            Kind::Number("Bool", _) => rows.push((self.next() % 2) as u8),
            Kind::Number("Float64", _) => {
                rows.extend_from_slice(&((self.next() % 1_000) as f64).to_le_bytes());
            }
            Kind::Number(_, width) => rows.extend_from_slice(&self.next().to_le_bytes()[..width]),
            Kind::String | Kind::Text => self.string(u64::MAX, rows),
            Kind::Dictionary => self.string(different, rows),
            Kind::Nullable(name, width) => {
                let is_null = self.next() % 2;
                rows.push(is_null as u8);
                if is_null == 0 {
                    self.value(Kind::Number(name, width), different, rows);
                }
            }
            Kind::Map(value) => {
                let pairs = self.next() % 4;
                rows.push(pairs as u8);
                for pair in 0..pairs {
                    let name = format!("name {pair}");
                    rows.push(name.len() as u8);
                    rows.extend_from_slice(name.as_bytes());
                    self.value(*value, different, rows);
                }
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq, Row, Deserialize)]
struct Content {
    rows: u64,
    digest: u64,
}

async fn content(client: &Client, table: &str, columns: &str) -> Result<Content> {
    let sql =
        format!("SELECT count() AS rows, sum(cityHash64(toString(tuple({columns})))) AS digest FROM {table}");
    client.row(client.query(&sql)).await?.context("no row")
}

/// Inserts the same rows both ways, of dictionaries with so many different strings, and compares what arrived.
async fn check(client: &Client, table: Table, rows: u64, different: u64) -> Result<()> {
    let (name, names) = (table.name(), table.columns().iter().map(|column| column.name));
    let names = names.collect::<Vec<_>>().join(", ");
    let mut values = Values(different);
    let mut pieces = Vec::new();
    for first in (0..rows).step_by(9_000) {
        let mut piece = Vec::new();
        for _ in first..rows.min(first + 9_000) {
            for column in table.columns() {
                values.value(column.kind, different, &mut piece);
            }
        }
        pieces.push(piece);
    }
    for statement in [
        "DROP TABLE IF EXISTS row_by_row".to_owned(),
        format!("TRUNCATE TABLE {name}"),
        format!("CREATE TABLE row_by_row AS {name}"),
    ] {
        client.execute(client.query(&statement)).await?;
    }
    let statement = format!("INSERT INTO row_by_row ({names}) FORMAT RowBinary");
    let mut request = client.inner().clone().insert_formatted_with(statement);
    for piece in &pieces {
        request.send(piece.clone().into()).await?;
    }
    request.end().await?;
    let insert = Insert {
        table: name,
        columns: table.columns(),
        rows: pieces.into_iter().map(Into::into).collect(),
        token: format!("{name} {different}"),
    };
    let writer = BatchWriter::new(client);
    // The second time it is known by its token.
    for _ in 0..2 {
        writer.insert(&insert).await?;
    }
    let arrived = content(client, name, &names).await?;
    assert_eq!(arrived.rows, rows, "{name}");
    assert_eq!(
        arrived,
        content(client, "row_by_row", &names).await?,
        "{name} of {different}"
    );
    Ok(())
}

#[tokio::test]
async fn columns_arrive_as_if_they_had_been_sent_row_by_row() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    for table in [
        Table::Decisions,
        Table::Outcomes,
        Table::Changes,
        Table::Rejections,
        Table::Replays,
    ] {
        for (rows, different) in [(1, 1), (2_000, 3), (2_000, 257)] {
            check(&sandbox.client, table, rows, different).await?;
        }
    }
    // Dictionaries whose indexes need two bytes, and four.
    check(&sandbox.client, Table::Replays, ROWS, 60_000).await?;
    check(&sandbox.client, Table::Replays, ROWS, u64::MAX).await
}
