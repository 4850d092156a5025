//! A metric in two windows, cell by cell of the dimensions that may explain its change.

use clickhouse::Row;
use kaizen_catalogue::{Component, Expression, Metric};
use kaizen_findings::{CellSums, MetricCube, Quantity, REST, two_periods};
use kaizen_stats::{Cube, Moments, TwoPeriods};
use serde::Deserialize;

use super::sums::{self, Columns};
use super::{MetricQuery, outcomes, with_coverage};
use crate::client::Client;
use crate::queries::cells::Cells;
use crate::queries::estimate::{Sums, Value};
use crate::queries::scope::{Listed, Scope, Split, check_filters, dimension_sql};
use crate::queries::window::seconds;
use crate::queries::{QueryError, Window};

/// Values of a dimension that stand for themselves; rarer ones are summed up.
const VALUES: u32 = 20;

/// A metric in two windows.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Its value in the query's window.
    pub value: Value,
    /// Its value in the other one.
    pub previous: Value,
    /// Both, cell by cell.
    pub cube: MetricCube,
}

/// Asks for the query's metric in its window and in `baseline`, as a whole and by these dimensions; its step, grouping and comparison
/// are not looked at.
///
/// # Errors
/// Any [`QueryError`].
pub async fn compare(
    client: &Client,
    query: &MetricQuery<'_>,
    baseline: Window,
    dimensions: &[&str],
) -> Result<Compared, QueryError> {
    let adds_up = matches!(
        query.metric.expression,
        Expression::Share(_) | Expression::OutcomeRate(_)
    );
    if !adds_up {
        let query = MetricQuery {
            step: None,
            group_by: None,
            compare_to: Some(super::Comparison::Window(baseline)),
            ..query.clone()
        };
        let whole = super::metric(client, &query).await?.series.into_iter().next();
        let whole = whole.unwrap_or_default();
        let previous = whole.previous_total.unwrap_or_default();
        return Ok(Compared {
            value: whole.total,
            previous,
            cube: cube(client, &query, baseline, previous.value, dimensions).await?,
        });
    }
    // What the cells add up to is the whole
    let volume = query.volume_of(client, query.window.with(baseline));
    let cube = cube(client, query, baseline, None, dimensions);
    let (volume, cube) = tokio::try_join!(volume, cube)?;
    let value = |window: Window, of: fn(&TwoPeriods) -> Moments| {
        let cells = cube.cells.cells().iter().map(of);
        let (n, hits) = cells.fold((0.0, 0.0), |(n, hits), it| (n + it.count, hits + it.sum));
        let sums = Sums {
            n: n as u64,
            hits: hits as u64,
            ..Sums::default()
        };
        let coverage = volume.coverage(window, query.now);
        with_coverage(query, sums, &coverage, window.start(), window.end())
    };
    Ok(Compared {
        value: value(query.window, |cell| cell.current),
        previous: value(baseline, |cell| cell.baseline),
        cube,
    })
}

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
    let cells = Cells::of(listed(client, query, baseline, dimensions).await?)?;
    let mut cube = Cube::of_values(cells.dimensions());
    let asked = Asked {
        client,
        query,
        cells: &cells,
        columns: &columns,
        quantity,
    };
    let sums = asked.both(baseline).await?;
    let mut places = vec![0; dimensions.len()];
    for of_cell in sums.chunk_by(|a, b| a.cell == b.cell) {
        let mut periods = [CellSums::default(); 2];
        for it in of_cell {
            let period = &mut periods[it.window];
            period.n += it.sums.n;
            period.sum += it.sums.sum;
            period.sum_squares += it.sums.sum_squares;
        }
        let Some(first) = of_cell.first() else { continue };
        cells.places(first.cell, &mut places);
        let added = cube.add_at(&places, two_periods(&periods));
        added.map_err(|_| QueryError::Unreadable("a cell".to_owned()))?;
    }
    Ok(MetricCube {
        quantity,
        cells: cube,
    })
}

/// A cell's sums in a window.
struct CellOf {
    cell: u128,
    /// 0 for the baseline, 1 for the query's window.
    window: usize,
    sums: CellSums,
}

#[derive(Row, Deserialize)]
struct CellRow {
    cell: u128,
    bucket: u32,
    n: u64,
    hits: u64,
    sum: f64,
    sum_squares: f64,
}

/// What is asked about each window.
struct Asked<'a> {
    client: &'a Client,
    query: &'a MetricQuery<'a>,
    cells: &'a Cells<'a>,
    columns: &'a Columns,
    quantity: Quantity,
}

impl Asked<'_> {
    /// The sums of cells in both windows, in order; one may come in parts. Windows of which one follows the other are asked for
    /// together: outcomes of the earlier one's decisions are looked for among what the later one asks for too.
    async fn both(&self, baseline: Window) -> Result<Vec<CellOf>, QueryError> {
        let scope = |window| self.query.scope(self.client, window);
        let (before, now) = (scope(baseline), scope(self.query.window));
        let told = tokio::try_join!(
            outcomes::told(self.query, &before),
            outcomes::told(self.query, &now)
        )?;
        let mut sums = match (told.0.map(|it| (it, 0)), told.1.map(|it| (it, 1))) {
            (Some(a), Some(b)) if a.0.end() == b.0.start() || b.0.end() == a.0.start() => {
                self.one(&[a, b]).await?
            }
            (before, now) => {
                let (before, now) = (Vec::from_iter(before), Vec::from_iter(now));
                let (mut sums, of_now) = tokio::try_join!(self.one(&before), self.one(&now))?;
                sums.extend(of_now);
                sums
            }
        };
        sums.sort_unstable_by_key(|it| (it.cell, it.window));
        Ok(sums)
    }

    /// The sums of cells in windows that make up one.
    async fn one(&self, windows: &[(Window, usize)]) -> Result<Vec<CellOf>, QueryError> {
        let Some(all) = windows.iter().map(|(window, _)| *window).reduce(Window::with) else {
            return Ok(Vec::new());
        };
        let scope = self.query.scope(self.client, all);
        let mut starts: Vec<(u32, usize)> = (windows.iter())
            .map(|(window, place)| (seconds(window.start()), *place))
            .collect();
        starts.sort_unstable();
        let edges: Vec<u32> = starts.iter().map(|(start, _)| *start).collect();
        let (rows, counted) = tokio::try_join!(
            self.rolled_up(&scope, &edges),
            outcomes::count(self.query, &scope, &edges, Split::ByCell(self.cells))
        )?;
        let mut sums = Vec::with_capacity(rows.len() + counted.len());
        let mut add = |cell: u128, bucket: u32, of_row: Sums| {
            let window = starts.iter().find(|(start, _)| *start == bucket);
            sums.extend(window.map(|(_, window)| CellOf {
                cell,
                window: *window,
                sums: of(&self.query.metric.expression, self.quantity, &of_row),
            }));
        };
        for row in rows {
            let of_row = Sums {
                n: row.n,
                hits: row.hits,
                sum: row.sum,
                sum_squares: row.sum_squares,
                ..Sums::default()
            };
            add(row.cell, row.bucket, of_row);
        }
        for it in counted {
            let cell = it.group.parse::<u128>();
            let cell = cell.map_err(|_| QueryError::Unreadable("a cell".to_owned()))?;
            let of_outcomes = Sums {
                hits: it.hits,
                sum: it.sum,
                ..Sums::default()
            };
            add(cell, it.bucket, of_outcomes);
        }
        Ok(sums)
    }

    /// By one query over the rollup; `starts` are the first instants of the windows.
    async fn rolled_up(&self, scope: &Scope<'_>, starts: &[u32]) -> Result<Vec<CellRow>, QueryError> {
        let columns = self.columns;
        let sql = format!(
            "SELECT toUInt128(number) AS cell, bucket, n, hits, sum, sum_squares FROM ( \
             SELECT {} AS number, toUInt32(roundDown(toUnixTimestamp(hour), ?)) AS bucket, \
             toUInt64({}) AS n, toUInt64({}) AS hits, {} AS sum, {} AS sum_squares \
             FROM rollup_hourly WHERE {} GROUP BY number, bucket)",
            self.cells.sql(dimension_sql),
            columns.n,
            columns.hits,
            columns.sum,
            columns.sum_squares,
            scope.condition()
        );
        let mut bound = self.cells.bind(scope.client.query(&sql)).bind(starts);
        for value in &columns.binds {
            bound = bound.bind(value);
        }
        Ok(scope.client.rows(scope.bind(bound)).await?)
    }
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
    let (now, before) = (query.scope(client, query.window), query.scope(client, baseline));
    let (mut values, earlier) = tokio::try_join!(
        sums::frequent(&now, dimensions, VALUES),
        sums::frequent(&before, dimensions, VALUES)
    )?;
    for (all, found) in values.iter_mut().zip(earlier) {
        all.extend(found);
    }
    let listed = |(dimension, mut values): (&&'a str, Vec<String>)| {
        values.sort_unstable();
        values.dedup();
        // One that is called like the rest is of the rest
        values.retain(|value| value != REST);
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
