//! A year of decisions, made by the engine itself from numbers: through the table and the view that the collector's go through,
//! so that the rollup is what the collector would have left.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};

/// Weeks of history.
pub const WEEKS: u64 = 52;
/// Its first instant, a Monday.
const START: &str = "2025-03-03T00:00:00Z";
/// The last week, in which a method begins to fail and a template loses its readers.
pub const PERIOD: [&str; 2] = ["2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"];

const DECISIONS: &str = include_str!("decisions.sql");
const OUTCOMES: &str = include_str!("outcomes.sql");
const WIDE: &str = include_str!("wide.sql");

/// An engine that can be told statements.
#[derive(Debug, Clone)]
pub struct Engine {
    url: String,
    client: reqwest::Client,
}

/// What a history came to.
#[derive(Debug, Clone, Copy)]
pub struct Filled {
    /// Rows of the rollup.
    pub rollup_rows: u64,
    /// Its bytes on disk.
    pub rollup_bytes: u64,
}

impl Engine {
    /// The engine at `url`.
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            client: reqwest::Client::new(),
        }
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs a statement; the rows as tab-separated text.
    pub async fn query(&self, statement: &str) -> Result<String> {
        let request = self.client.post(&self.url).body(statement.to_owned());
        let response = request.send().await?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{text}");
        Ok(text.trim_end_matches('\n').to_owned())
    }

    /// The number that a query gives.
    pub async fn number(&self, statement: &str) -> Result<u64> {
        let answer = self.query(statement).await?;
        answer.parse().with_context(|| format!("{statement}: {answer}"))
    }

    /// Decisions of the year that it has.
    pub async fn decisions(&self) -> Result<u64> {
        self.number("SELECT sum(decisions) FROM kaizen.rollup_hourly WHERE log_type != 'wide'")
            .await
    }

    /// Empties the tables and fills them with so many decisions over a year, and with what became of the messages.
    pub async fn fill(&self, events: u64) -> Result<()> {
        for table in ["decisions", "rollup_hourly", "outcomes"] {
            self.query(&format!("TRUNCATE TABLE kaizen.{table}")).await?;
        }
        let start: Timestamp = START.parse()?;
        let mut first = 0;
        for week in 0..WEEKS {
            let rows = events * (week + 1) / WEEKS - first;
            let hours = i64::try_from(week * 168)?;
            let values = [
                ("rows", rows.to_string()),
                ("first", first.to_string()),
                ("start", text(start + SignedDuration::from_hours(hours))),
                ("fault", text(PERIOD[0].parse()?)),
                ("ingested", text(Timestamp::now())),
            ];
            self.query(&put(DECISIONS, &values)).await?;
            first += rows;
        }
        for (name, share, seconds, value, currency) in [
            ("replied", 300, 0x7_FFFF, "NULL", ""),
            ("deal", 20, 0x1F_FFFF, "500 + h % 3000", "EUR"),
        ] {
            let values = [
                ("name", name.to_owned()),
                ("share", share.to_string()),
                ("seconds", seconds.to_string()),
                ("value", value.to_owned()),
                ("currency", currency.to_owned()),
                ("ingested", text(Timestamp::now())),
            ];
            self.query(&put(OUTCOMES, &values)).await?;
        }
        let stored = self.decisions().await?;
        ensure!(stored == events, "a rollup of {stored} decisions of {events}");
        Ok(())
    }

    /// Adds decisions of many dimensions, in the last sixteen weeks.
    pub async fn add_wide(&self, rows: u64) -> Result<()> {
        if self
            .number("SELECT count() FROM kaizen.decisions WHERE log_type = 'wide'")
            .await?
            > 0
        {
            return Ok(());
        }
        let end: Timestamp = PERIOD[1].parse()?;
        let values = [
            ("rows", rows.to_string()),
            ("start", text(end - SignedDuration::from_hours(16 * 168))),
            ("ingested", text(Timestamp::now())),
        ];
        self.query(&put(WIDE, &values)).await?;
        Ok(())
    }

    /// What the rollup of the year is.
    pub async fn filled(&self) -> Result<Filled> {
        let rows = "SELECT count() FROM kaizen.rollup_hourly WHERE log_type != 'wide'";
        let bytes = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'kaizen' AND table = 'rollup_hourly'";
        Ok(Filled {
            rollup_rows: self.number(rows).await?,
            rollup_bytes: self.number(bytes).await?,
        })
    }
}

fn put(statement: &str, values: &[(&str, String)]) -> String {
    values
        .iter()
        .fold(statement.to_owned(), |statement, (name, value)| {
            statement.replace(&format!("{{{name}}}"), value)
        })
}

fn text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_statement_is_filled_and_empty_objects_stay() {
        let statement = put(
            "SELECT {rows}, '{}' FROM numbers({rows})",
            &[("rows", 3.to_string())],
        );
        assert_eq!(statement, "SELECT 3, '{}' FROM numbers(3)");
    }
}
