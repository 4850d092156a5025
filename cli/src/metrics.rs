//! `kaizen metrics`: what the numbers are.

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kaizen_api::analysis::v1::comparison::To;
use kaizen_api::analysis::v1::{
    Comparison, Filter, ListMetricsRequest, Metric, Point, QueryMetricRequest, QueryMetricResponse, Series,
    Step, Value,
};
use kaizen_api::time::{from_wire, window_to_wire};
use serde_json::json;

use crate::connection::{Connection, refused};
use crate::output::{self, Output, count, say, table, value};

/// What to do with metrics.
#[derive(Debug, Subcommand)]
pub enum Metrics {
    /// List the catalogue's metrics
    List,
    /// Compute one metric over a window
    Query(MetricQuery),
}

/// What to compute.
#[derive(Debug, Args)]
pub struct MetricQuery {
    /// Metric, as `kaizen metrics list` names it
    #[arg(value_name = "COMPONENT.METRIC")]
    metric: String,
    /// First instant: a date, or a time in RFC 3339
    #[arg(long, value_name = "TIME")]
    from: String,
    /// First instant after the window
    #[arg(long, value_name = "TIME")]
    to: String,
    /// Length of one point; one value for the whole window when absent
    #[arg(long, value_enum)]
    step: Option<StepLength>,
    /// Dimension to split by
    #[arg(long, value_name = "DIMENSION")]
    by: Option<String>,
    /// Keep only decisions with this value of a dimension; repeat a dimension for several values
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = filter)]
    filters: Vec<(String, String)>,
    /// What to compare with
    #[arg(long, value_enum)]
    compare_to: Option<CompareTo>,
    /// Time zone of dates, days, weeks and months
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
}

/// Length of one point.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StepLength {
    #[value(name = "1h")]
    Hour,
    #[value(name = "1d")]
    Day,
    #[value(name = "1w")]
    Week,
    #[value(name = "1mo")]
    Month,
}

impl StepLength {
    const fn step(self) -> Step {
        match self {
            Self::Hour => Step::Hour,
            Self::Day => Step::Day,
            Self::Week => Step::Week,
            Self::Month => Step::Month,
        }
    }
}

/// What to compare with.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompareTo {
    /// The window of the same length before.
    Previous,
}

/// `DIMENSION=VALUE`.
pub fn filter(text: &str) -> Result<(String, String), String> {
    let (dimension, value) = text.split_once('=').ok_or("must be DIMENSION=VALUE")?;
    Ok((dimension.to_owned(), value.to_owned()))
}

/// One filter a dimension.
pub fn filters(pairs: &[(String, String)]) -> Vec<Filter> {
    let mut filters: Vec<Filter> = Vec::new();
    for (dimension, value) in pairs {
        match filters.iter_mut().find(|filter| filter.dimension == *dimension) {
            Some(filter) => filter.values.push(value.clone()),
            None => filters.push(Filter {
                dimension: dimension.clone(),
                values: vec![value.clone()],
            }),
        }
    }
    filters
}

/// A point in time as people write it; a date is its midnight in the zone.
///
/// # Errors
/// It is neither a date nor a time, or the zone is unknown.
pub fn time(text: &str, zone: &str) -> anyhow::Result<Timestamp> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp);
    }
    let date: Date = text
        .parse()
        .map_err(|_| anyhow!("{text:?} is neither a date nor a time in RFC 3339"))?;
    let zone = TimeZone::get(zone).with_context(|| format!("{zone:?} is no time zone"))?;
    Ok(date
        .to_datetime(jiff::civil::Time::midnight())
        .to_zoned_datetime(zone)?
        .timestamp())
}

/// Runs it.
pub async fn run(command: &Metrics, connection: &Connection, output: Output) -> anyhow::Result<()> {
    match command {
        Metrics::List => list(connection, output).await,
        Metrics::Query(query) => ask(query, connection, output).await,
    }
}

async fn list(connection: &Connection, output: Output) -> anyhow::Result<()> {
    let answer = connection
        .metrics()
        .await?
        .list_metrics(ListMetricsRequest::default())
        .await
        .map_err(refused)?;
    let metrics = answer.into_inner().metrics;
    if output == Output::Json {
        let object = |metric: &Metric| {
            json!({"name": metric.name, "title": metric.title, "description": metric.description, "unit": metric.unit,
                   "split_by": metric.split_by, "dimensions": metric.dimensions})
        };
        return output::json(&metrics.iter().map(object).collect::<Vec<_>>());
    }
    let rows = metrics
        .into_iter()
        .map(|metric| vec![metric.name, metric.unit, metric.description]);
    say(table(&["metric", "unit", "meaning"], 3, rows));
    Ok(())
}

impl MetricQuery {
    fn request(&self) -> anyhow::Result<QueryMetricRequest> {
        let (from, to) = (
            time(&self.from, &self.time_zone)?,
            time(&self.to, &self.time_zone)?,
        );
        Ok(QueryMetricRequest {
            metric: self.metric.clone(),
            window: Some(window_to_wire(from, to)),
            step: self.step.map_or(Step::Unspecified, StepLength::step).into(),
            time_zone: self.time_zone.clone(),
            filters: filters(&self.filters),
            group_by: self.by.clone().unwrap_or_default(),
            group_limit: 0,
            compare_to: self.compare_to.map(|CompareTo::Previous| Comparison {
                to: Some(To::Previous(true)),
            }),
        })
    }
}

async fn ask(query: &MetricQuery, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let request = query.request()?;
    let answer = connection
        .metrics()
        .await?
        .query_metric(request)
        .await
        .map_err(refused)?
        .into_inner();
    if output == Output::Json {
        return output::json(&as_json(&answer)?);
    }
    let metric = answer.metric.clone().unwrap_or_default();
    let mut rows = Vec::new();
    for series in &answer.series {
        let name = if series.group.is_empty() {
            "all".to_owned()
        } else {
            series.group.clone()
        };
        for point in &series.points {
            rows.push(row(&name, &day(point)?, point.value.as_ref(), None, &metric.unit));
        }
        rows.push(row(
            &name,
            "whole window",
            series.total.as_ref(),
            Some(series),
            &metric.unit,
        ));
    }
    say(format_args!("{} ({})", metric.title, metric.name));
    say(table(
        &[
            "group",
            "time",
            "value",
            "n",
            "95 % interval",
            "coverage",
            "change",
        ],
        2,
        rows,
    ));
    Ok(())
}

fn row(group: &str, time: &str, of: Option<&Value>, whole: Option<&Series>, unit: &str) -> Vec<String> {
    let of = of.cloned().unwrap_or_default();
    let thin = if of.thin { " (thin)" } else { "" };
    let ends = of.interval.map(|it| {
        format!(
            "{} … {}",
            value(Some(it.lower), unit),
            value(Some(it.upper), unit)
        )
    });
    let change = whole
        .and_then(|series| series.relative_change)
        .map(|change| format!("{:+.1} %", change * 100.0));
    vec![
        group.to_owned(),
        time.to_owned(),
        value(of.value, unit) + thin,
        count(of.n),
        ends.unwrap_or_default(),
        of.coverage
            .map(|coverage| format!("{:.0} %", coverage * 100.0))
            .unwrap_or_default(),
        change.unwrap_or_default(),
    ]
}

fn day(point: &Point) -> anyhow::Result<String> {
    let start = from_wire("start_time", point.start_time).map_err(refused)?;
    Ok(start.to_string() + if point.incomplete { " (incomplete)" } else { "" })
}

fn as_json(answer: &QueryMetricResponse) -> anyhow::Result<serde_json::Value> {
    let of = |value: Option<&Value>| {
        let value = value.cloned().unwrap_or_default();
        json!({"value": value.value, "n": value.n, "coverage": value.coverage, "thin": value.thin,
               "interval": value.interval.map(|it| [it.lower, it.upper])})
    };
    let points = |points: &[Point]| {
        let point = |point: &Point| {
            let start = from_wire("start_time", point.start_time).map_err(refused)?;
            Ok(
                json!({"start_time": start.to_string(), "value": of(point.value.as_ref()), "incomplete": point.incomplete}),
            )
        };
        points.iter().map(point).collect::<anyhow::Result<Vec<_>>>()
    };
    let series = |series: &Series| {
        Ok(
            json!({"group": series.group, "total": of(series.total.as_ref()), "points": points(&series.points)?,
                  "previous_total": series.previous_total.as_ref().map(|value| of(Some(value))),
                  "change": series.change, "relative_change": series.relative_change}),
        )
    };
    let all = answer
        .series
        .iter()
        .map(series)
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(json!({"metric": answer.metric.as_ref().map(|metric| &metric.name), "series": all}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_in_the_zone_or_instants() {
        assert_eq!(
            time("2026-03-01", "UTC").unwrap().to_string(),
            "2026-03-01T00:00:00Z"
        );
        assert_eq!(
            time("2026-07-01", "Europe/Berlin").unwrap().to_string(),
            "2026-06-30T22:00:00Z"
        );
        assert_eq!(
            time("2026-03-01T05:00:00+02:00", "UTC").unwrap().to_string(),
            "2026-03-01T03:00:00Z"
        );
        assert!(
            time("yesterday", "UTC")
                .unwrap_err()
                .to_string()
                .contains("yesterday")
        );
        assert!(format!("{:#}", time("2026-03-01", "Mars/Base").unwrap_err()).contains("Mars/Base"));
    }
}
