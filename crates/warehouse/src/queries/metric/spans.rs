//! One metric between times of the caller's choice.

use jiff::Timestamp;

use super::{Grouping, MetricQuery, OTHER, check, sums, with_coverage};
use crate::client::Client;
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

/// How a metric is split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// It is not.
    Whole,
    /// By a dimension of the component: that many of its values, 1 to 100, the largest over the window.
    Largest(String, u32),
    /// By a dimension of the component, into these values.
    Among(String, Vec<String>),
}

/// Computes a metric between each two neighbouring `edges`: rising, on whole hours, in the query's window; its step, grouping
/// and comparison are not looked at. With a split, each of its groups, without the rest.
///
/// # Errors
/// As [`super::metric`], and [`QueryError::Invalid`] for wrong edges.
pub async fn spans(
    client: &Client,
    query: &MetricQuery<'_>,
    edges: &[Timestamp],
    split: &Split,
) -> Result<Vec<Spans>, QueryError> {
    let grouping = match split {
        Split::Whole => None,
        Split::Largest(dimension, limit) => Some((dimension, *limit)),
        Split::Among(dimension, values) => Some((dimension, u32::try_from(values.len()).unwrap_or(u32::MAX))),
    };
    let query = &MetricQuery {
        group_by: grouping.map(|(dimension, limit)| Grouping {
            dimension: dimension.clone(),
            limit,
        }),
        ..query.clone()
    };
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
    let groups = match (split, &query.group_by) {
        (Split::Among(_, values), _) => values.clone(),
        (_, Some(grouping)) => {
            sums::largest_groups(query, &query.scope(client, query.window), grouping).await?
        }
        (_, None) => vec![String::new()],
    };
    let volume = query.volume_of(client, span).await?;
    let coverage = volume.coverage(span, query.now);
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
