//! Decisions in short, newest first, page by page.

use clickhouse::Row;
use clickhouse::query::Query;
use jiff::Timestamp;
use kaizen_catalogue::{BUILT_IN_DIMENSIONS, Component};
use serde::{Deserialize, Serialize};

use super::scope::check_filters;
use super::{Filter, QueryError};
use crate::client::Client;

/// A decision in short: the columns of the table that are asked for by name.
#[derive(Debug, Clone, PartialEq, Row, Deserialize)]
pub struct DecisionSummary {
    /// Identity of the event.
    pub event_id: String,
    /// Kind of decision.
    pub log_type: String,
    /// Session it belongs to.
    pub session_id: String,
    /// When it was made, milliseconds since 1970.
    pub timestamp: i64,
    /// Company of the lead, or empty.
    pub company: String,
    /// Industry of the lead, or empty.
    pub industry: String,
    /// Algorithm or approach.
    pub method_used: String,
    /// `high`, `medium`, `low` or empty.
    pub confidence_level: String,
    /// Seconds it took.
    pub processing_time: Option<f64>,
    /// Whether it was carried out without failure.
    pub success: bool,
    /// Quality, 0 to 100.
    pub quality_score: Option<f64>,
    /// Whether it led to what it was for.
    pub success_indicator: Option<bool>,
    /// Topic of its record.
    pub _topic: String,
    /// Partition of its record.
    pub _partition: i32,
    /// Offset of its record.
    pub _offset: i64,
}

/// The columns of [`DecisionSummary`] in its order.
pub(super) const SUMMARY: &str = "event_id, log_type, session_id, timestamp, company, industry, method_used, \
    confidence_level, processing_time, success, quality_score, success_indicator, _topic, _partition, _offset";

/// Where a page ended: the last decision's place in the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionCursor {
    /// Its timestamp, milliseconds since 1970.
    pub timestamp: i64,
    /// Topic of its record.
    pub topic: String,
    /// Partition of its record.
    pub partition: i32,
    /// Offset of its record.
    pub offset: i64,
}

impl DecisionCursor {
    /// The place of a decision.
    pub fn of(decision: &DecisionSummary) -> Self {
        Self {
            timestamp: decision.timestamp,
            topic: decision._topic.clone(),
            partition: decision._partition,
            offset: decision._offset,
        }
    }
}

/// A question for decisions.
#[derive(Debug, Clone)]
pub struct DecisionsQuery<'a> {
    /// First instant of their timestamps.
    pub start: Timestamp,
    /// First instant after them.
    pub end: Timestamp,
    /// Component they are of; `None` for all.
    pub component: Option<&'a Component>,
    /// Filters, all of which must hold.
    pub filters: Vec<Filter>,
    /// At most so many.
    pub limit: u32,
    /// Where the page before ended.
    pub after: Option<DecisionCursor>,
}

/// Decisions by their timestamp, newest first; among equal ones by their record's place.
///
/// # Errors
/// [`QueryError::Invalid`] for a wrong filter; otherwise ClickHouse's.
pub async fn decisions(
    client: &Client,
    query: &DecisionsQuery<'_>,
) -> Result<Vec<DecisionSummary>, QueryError> {
    check_filters(query.component, &query.filters)?;
    let time = "fromUnixTimestamp64Milli(?, 'UTC')";
    let mut sql = format!("SELECT {SUMMARY} FROM decisions WHERE timestamp >= {time} AND timestamp < {time}");
    if query.component.is_some() {
        sql += " AND log_type = ?";
    }
    for filter in &query.filters {
        sql += &format!(" AND {} IN ?", column(&filter.dimension));
    }
    if query.after.is_some() {
        sql += &format!(" AND (timestamp, _topic, _partition, _offset) < ({time}, ?, ?, ?)");
    }
    sql += " ORDER BY timestamp DESC, _topic DESC, _partition DESC, _offset DESC LIMIT ?";
    Ok(client.rows(bind(client.query(&sql), query)).await?)
}

fn bind(sql: Query, query: &DecisionsQuery<'_>) -> Query {
    let mut sql = sql
        .bind(query.start.as_millisecond())
        .bind(query.end.as_millisecond());
    if let Some(component) = query.component {
        sql = sql.bind(&component.log_type);
    }
    for filter in &query.filters {
        if !BUILT_IN_DIMENSIONS.contains(&filter.dimension.as_str()) {
            sql = sql.bind(&filter.dimension);
        }
        sql = sql.bind(&filter.values);
    }
    if let Some(after) = &query.after {
        sql = sql
            .bind(after.timestamp)
            .bind(&after.topic)
            .bind(after.partition)
            .bind(after.offset);
    }
    sql.bind(query.limit)
}

/// A dimension of the table, which keeps the declared ones in a map.
pub(super) fn column(dimension: &str) -> String {
    match BUILT_IN_DIMENSIONS
        .into_iter()
        .find(|built_in| *built_in == dimension)
    {
        Some(built_in) => format!("toString({built_in})"),
        None => "toString(dims[?])".to_owned(),
    }
}
