use jiff::Timestamp;
use jiff::tz::TimeZone;
use kaizen_api::analysis::v1::comparison::To;
use kaizen_api::analysis::v1::{Comparison, QueryMetricRequest, QueryMetricResponse, Step};
use kaizen_api::convert;
use kaizen_api::status::{invalid_argument, not_found, query_failed};
use kaizen_api::time::window_from_wire;
use kaizen_warehouse::queries::{self, Grouping, MetricQuery, Window, metric};
use prost::Message;
use tonic::Status;

use super::{Metrics, filters};

const GROUPS: u32 = 20;
const MOST_GROUPS: u32 = 100;

pub async fn answer(metrics: &Metrics, request: QueryMetricRequest) -> Result<QueryMetricResponse, Status> {
    if request.metric.is_empty() {
        return Err(invalid_argument("metric", "is required"));
    }
    let question = request.encode_to_vec();
    let found = metrics.catalogue.metric(&request.metric);
    let (component, wanted) = found.ok_or_else(|| not_found("metric", &request.metric))?;
    let window = window("window", request.window)?;
    let query = MetricQuery {
        component,
        metric: wanted,
        window,
        step: step(request.step)?,
        zone: zone(&request.time_zone)?,
        filters: filters(request.filters),
        group_by: grouping(request.group_by, request.group_limit)?,
        compare_to: request.compare_to.map(comparison).transpose()?,
        now: Timestamp::now(),
        volume: None,
        hours: None,
    };
    let asked = async {
        let answer = metric(&metrics.client, &query).await?;
        Ok(QueryMetricResponse {
            metric: Some(convert::metric(component, wanted)),
            window: Some(convert::window(window)),
            comparison_window: answer.comparison_window.map(convert::window),
            series: answer.series.into_iter().map(convert::series).collect(),
        })
    };
    let answer = metrics.answers.of(question, &query, asked).await;
    answer.map_err(query_failed)
}

pub(super) fn window(
    field: &str,
    window: Option<kaizen_api::analysis::v1::Window>,
) -> Result<Window, Status> {
    let (start, end) = window_from_wire(field, window)?;
    Window::new(field, start, end).map_err(query_failed)
}

fn step(step: i32) -> Result<Option<queries::Step>, Status> {
    match Step::try_from(step) {
        Ok(Step::Unspecified) => Ok(None),
        Ok(Step::Hour) => Ok(Some(queries::Step::Hour)),
        Ok(Step::Day) => Ok(Some(queries::Step::Day)),
        Ok(Step::Week) => Ok(Some(queries::Step::Week)),
        Ok(Step::Month) => Ok(Some(queries::Step::Month)),
        Err(_) => Err(invalid_argument("step", "must be one of the steps there are")),
    }
}

pub(super) fn zone(name: &str) -> Result<TimeZone, Status> {
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name)
        .map_err(|_| invalid_argument("time_zone", "must be an IANA time zone such as Europe/Berlin"))
}

fn grouping(dimension: String, limit: u32) -> Result<Option<Grouping>, Status> {
    if limit > MOST_GROUPS {
        return Err(invalid_argument(
            "group_limit",
            format!("must be at most {MOST_GROUPS}"),
        ));
    }
    let limit = if limit == 0 { GROUPS } else { limit };
    Ok((!dimension.is_empty()).then_some(Grouping { dimension, limit }))
}

pub(super) fn comparison(comparison: Comparison) -> Result<queries::Comparison, Status> {
    match comparison.to {
        Some(To::Previous(true)) => Ok(queries::Comparison::Previous),
        Some(To::Window(other)) => window("compare_to.window", Some(other)).map(queries::Comparison::Window),
        Some(To::Previous(false)) | None => Err(invalid_argument(
            "compare_to",
            "must be previous = true or a window, or absent",
        )),
    }
}
