//! How many decisions a component has by the hour, from which its coverage is computed.

use std::collections::HashMap;

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_catalogue::Component;
use kaizen_findings::{Coverage, FARTHEST_WEEKS, HourlyCounts};
use serde::Deserialize;

use super::{QueryError, Window};
use crate::client::Client;

const WEEK: u32 = 168 * 3_600;

#[derive(Row, Deserialize)]
struct HourCount {
    hour: u32,
    decisions: u64,
}

#[derive(Row, Deserialize)]
struct First {
    hour: u32,
}

/// How many decisions a component has had by the hour: what its coverage is computed from, in any window within the one asked
/// about.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    window: Window,
    counts: HourlyCounts,
}

impl Volume {
    /// Whether it tells the coverage in `window`.
    pub fn holds(&self, window: Window) -> bool {
        self.window.start() <= window.start() && window.end() <= self.window.end()
    }

    /// Decisions in a window that it holds.
    pub fn decisions(&self, window: Window) -> u64 {
        self.counts.decisions(window.start(), window.end())
    }

    /// The coverage in a window that it holds, as far as it lies before `now`.
    pub fn coverage(&self, window: Window, now: Timestamp) -> Coverage {
        debug_assert!(self.holds(window), "{window:?} of {:?}", self.window);
        self.counts.coverage(window.start(), window.end(), now)
    }
}

/// The component's decisions by the hour, as far as its coverage in windows within `window` rests on them.
///
/// # Errors
/// Any [`QueryError`].
pub async fn volume(client: &Client, component: &Component, window: Window) -> Result<Volume, QueryError> {
    // An hour whose sums were corrected to nothing is none.
    let sql = "SELECT toUnixTimestamp(hour) AS hour FROM rollup_hourly WHERE log_type = ? \
               GROUP BY hour HAVING sum(decisions) > 0 ORDER BY hour LIMIT 1 SETTINGS optimize_aggregation_in_order = 1";
    let first: Option<First> = client.row(client.query(sql).bind(&component.log_type)).await?;
    let Some(first) = first else {
        return Ok(Volume {
            window,
            counts: HourlyCounts::default(),
        });
    };
    let [start, end] = window.bounds();
    let sql = "SELECT toUnixTimestamp(hour) AS hour, sum(decisions) AS decisions FROM rollup_hourly \
               WHERE log_type = ? AND hour >= toDateTime(?, 'UTC') AND hour < toDateTime(?, 'UTC') GROUP BY hour \
               HAVING decisions > 0";
    let from = start.saturating_sub(FARTHEST_WEEKS * WEEK);
    let query = client.query(sql).bind(&component.log_type).bind(from).bind(end);
    let counts: Vec<HourCount> = client.rows(query).await?;
    let counts: HashMap<u32, u64> = counts.into_iter().map(|row| (row.hour, row.decisions)).collect();
    Ok(Volume {
        window,
        counts: HourlyCounts::new(first.hour, counts),
    })
}
