//! One metric between times of the caller's choice.

use jiff::Timestamp;

use super::{MetricQuery, OTHER, check, sums, with_coverage};
use crate::client::Client;
use crate::queries::coverage::coverage;
use crate::queries::estimate::Value;
use crate::queries::{QueryError, Window};

/// A group's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Spans {
    /// Value of the dimension; empty without a split.
    pub group: String,
    /// The value between each two neighbouring edges.
    pub values: Vec<Value>,
}

/// Computes a metric between each two neighbouring `edges`: rising, on whole hours, in the query's window; its step and
/// comparison are not looked at. With a split, each of its groups that is largest over the window, without the rest.
///
/// # Errors
/// As [`super::metric`], and [`QueryError::Invalid`] for wrong edges.
pub async fn spans(
    client: &Client,
    query: &MetricQuery<'_>,
    edges: &[Timestamp],
) -> Result<Vec<Spans>, QueryError> {
    check(query)?;
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else {
        return Ok(Vec::new());
    };
    let span = Window::new("edges", *first, *last)?;
    let are_hours = edges
        .iter()
        .all(|edge| edge.as_second() % 3_600 == 0 && edge.subsec_nanosecond() == 0);
    if !are_hours || edges.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(QueryError::invalid("edges", "must rise, on whole hours"));
    }
    let groups = match &query.group_by {
        None => vec![String::new()],
        Some(grouping) => sums::largest_groups(query, &query.scope(client, query.window), grouping).await?,
    };
    let coverage = coverage(client, query.component, span, query.now).await?;
    let sums = sums::by_group(query, &query.scope(client, span), edges, &groups).await?;
    let value = |group: &str, edge: &[Timestamp]| {
        let found = sums.get(group).and_then(|spans| spans.get(&edge[0]));
        with_coverage(
            query,
            found.copied().unwrap_or_default(),
            &coverage,
            edge[0],
            edge[1],
        )
    };
    let of_group = |group: String| {
        let values = edges.windows(2).map(|edge| value(&group, edge)).collect();
        Spans { group, values }
    };
    Ok(groups
        .into_iter()
        .filter(|group| group != OTHER)
        .map(of_group)
        .collect())
}
