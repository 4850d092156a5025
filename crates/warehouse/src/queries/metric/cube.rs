//! A metric in two windows, cell by cell of the dimensions that may explain its change.

use std::collections::BTreeMap;

use kaizen_catalogue::{Component, Expression, Metric};
use kaizen_findings::{Cell, CellSums, MetricCube, Quantity, REST};

use super::MetricQuery;
use super::sums::{self, ByGroup, Columns};
use crate::client::Client;
use crate::queries::estimate::Sums;
use crate::queries::scope::{Listed, Split, check_filters};
use crate::queries::{QueryError, Window};

/// Values of a dimension that stand for themselves; rarer ones are summed up.
const VALUES: u32 = 20;
/// Asks for the cells of the query's metric in its window and in `baseline` by these dimensions. `quantile` is the metric's
/// value in `baseline`, for one that is a quantile.
///
/// # Errors
/// Any [`QueryError`].
pub async fn cube(
    client: &Client,
    query: &MetricQuery<'_>,
    baseline: Window,
    quantile: Option<f64>,
    dimensions: &[&str],
) -> Result<MetricCube, QueryError> {
    check_filters(Some(query.component), &query.filters)?;
    let expression = &query.metric.expression;
    let quantity = match (expression, quantile) {
        (Expression::Quantile(..), Some(value)) => Quantity::Above(value),
        (Expression::Quantile(..), None) => {
            return Err(QueryError::invalid("compare_to", "has no decisions"));
        }
        (Expression::Mean(_) | Expression::Share(_) | Expression::OutcomeRate(_), _) => Quantity::Mean,
        _ => Quantity::Total,
    };
    let columns = match quantity {
        Quantity::Above(value) => Columns::slower_than(value),
        _ => Columns::of(expression),
    };
    let listed = listed(client, query, baseline, dimensions).await?;
    let split = Split::ByAll(&listed);
    let mut cells: BTreeMap<String, [CellSums; 2]> = BTreeMap::new();
    for (at, window) in [query.window, baseline].into_iter().enumerate() {
        let scope = query.scope(client, window);
        let whole = [window.start(), window.end()];
        let sums: ByGroup = sums::fetch(query, &scope, &whole, split, &columns).await?;
        for (group, buckets) in sums {
            if let Some(sums) = buckets.get(&window.start()) {
                cells.entry(group).or_default()[at] = of(expression, quantity, sums);
            }
        }
    }
    let cell = |(group, [current, baseline]): (String, [CellSums; 2])| {
        let values = serde_json::from_str(&group).map_err(|_| QueryError::Unreadable("a cell".to_owned()))?;
        Ok(Cell {
            values,
            current,
            baseline,
        })
    };
    Ok(MetricCube {
        quantity,
        dimensions: dimensions.iter().map(|name| (*name).to_owned()).collect(),
        cells: cells.into_iter().map(cell).collect::<Result<_, QueryError>>()?,
    })
}

/// Whether changes of the expression are explained: of shares, means and quantiles.
pub const fn is_explained(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Mean(_) | Expression::Share(_) | Expression::OutcomeRate(_) | Expression::Quantile(..)
    )
}

/// What the sums of a cube say in words, and the unit of their means; `None` for totals.
pub fn explained(metric: &Metric, quantity: Quantity) -> Option<(String, String)> {
    match quantity {
        Quantity::Mean => Some((metric.title.clone(), metric.unit.clone())),
        Quantity::Above(value) => Some((
            format!("share of decisions above {value:.3} {}", metric.unit),
            "ratio".to_owned(),
        )),
        Quantity::Total => None,
    }
}

/// Dimensions that may be why the metric changed.
pub fn explaining<'a>(component: &'a Component, metric: &'a Metric) -> Vec<&'a str> {
    component.explaining(metric).collect()
}

/// The most frequent values of each dimension over both windows.
async fn listed<'a>(
    client: &Client,
    query: &MetricQuery<'_>,
    baseline: Window,
    dimensions: &[&'a str],
) -> Result<Vec<Listed<'a>>, QueryError> {
    let mut values = vec![Vec::new(); dimensions.len()];
    for window in [query.window, baseline] {
        let found = sums::frequent(&query.scope(client, window), dimensions, VALUES).await?;
        for (all, found) in values.iter_mut().zip(found) {
            all.extend(found);
        }
    }
    let listed = |(dimension, mut values): (&&'a str, Vec<String>)| {
        values.sort_unstable();
        values.dedup();
        Listed {
            dimension,
            values,
            other: REST,
        }
    };
    Ok(dimensions.iter().zip(values).map(listed).collect())
}

fn of(expression: &Expression, quantity: Quantity, sums: &Sums) -> CellSums {
    let hits = sums.hits as f64;
    let (sum, sum_squares) = match (quantity, expression) {
        (Quantity::Mean, Expression::Mean(_)) => (sums.sum, sums.sum_squares),
        (Quantity::Mean | Quantity::Above(_), _) => (hits, hits),
        (Quantity::Total, Expression::Count) => (sums.n as f64, sums.n as f64),
        (Quantity::Total, Expression::OutcomeCount(_)) => (hits, hits),
        (Quantity::Total, _) => (sums.sum, sums.sum_squares),
    };
    CellSums {
        n: sums.n as f64,
        sum,
        sum_squares,
    }
}
