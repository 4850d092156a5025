use jiff::Timestamp;
use jiff::tz::TimeZone;
use kaizen_api::analysis::v1::{ExplainChangeRequest, ExplainChangeResponse};
use kaizen_api::convert;
use kaizen_api::status::{internal, invalid_argument, not_found, query_failed};
use kaizen_findings::{Explanation, Naming, explain};
use kaizen_warehouse::queries::{self, Compared, Comparison, MetricQuery, Window, compare};
use tonic::Status;

use super::query_metric::{comparison, window, zone};
use super::{Metrics, filters};

/// Chance to name a slice when nothing happened.
const FALSE_ALARM: f64 = 0.01;

pub async fn answer(
    metrics: &Metrics,
    request: ExplainChangeRequest,
) -> Result<ExplainChangeResponse, Status> {
    if request.metric.is_empty() {
        return Err(invalid_argument("metric", "is required"));
    }
    let found = metrics.catalogue.metric(&request.metric);
    let (component, wanted) = found.ok_or_else(|| not_found("metric", &request.metric))?;
    if request
        .least_effect
        .is_some_and(|least| !(least >= 0.0 && least.is_finite()))
    {
        return Err(invalid_argument("least_effect", "must be a number from 0 on"));
    }
    let window = window("window", request.window)?;
    let baseline = baseline(&request, window, &zone(&request.time_zone)?)?;
    let query = MetricQuery {
        component,
        metric: wanted,
        window,
        step: None,
        zone: TimeZone::UTC,
        filters: filters(request.filters),
        group_by: None,
        compare_to: Some(Comparison::Window(baseline)),
        now: Timestamp::now(),
        volume: None,
        hours: None,
    };
    if !queries::is_explained(&wanted.expression) {
        let rule = "must be a share, a mean or a quantile; numbers and sums are not explained yet";
        return Err(invalid_argument("metric", rule));
    }
    let dimensions = queries::explaining(component, wanted);
    let compared = compare(&metrics.client, &query, baseline, &dimensions).await;
    let Compared {
        value,
        previous,
        cube,
    } = compared.map_err(query_failed)?;
    let (explained, effect_unit) = queries::explained(wanted, cube.quantity).unwrap_or_default();
    let naming = Naming {
        least_count: wanted.minimum_sample as f64,
        least_effect: request.least_effect,
        false_alarm: FALSE_ALARM,
    };
    // Others' answers do not wait for a search among many cells
    let explanation = tokio::task::spawn_blocking(move || explain(&cube, &naming)).await;
    let explanation = explanation.map_err(|error| {
        tracing::error!(%error, metric = request.metric, "a change was not explained");
        internal()
    })?;
    Ok(ExplainChangeResponse {
        metric: Some(convert::metric(component, wanted)),
        window: Some(convert::window(window)),
        comparison_window: Some(convert::window(baseline)),
        value: Some(convert::value(value)),
        previous: Some(convert::value(previous)),
        explained,
        effect_unit,
        ..changed(explanation)
    })
}

fn baseline(request: &ExplainChangeRequest, of: Window, zone: &TimeZone) -> Result<Window, Status> {
    match request.compare_to.map(comparison).transpose()? {
        Some(Comparison::Window(other)) => Ok(other),
        Some(Comparison::Previous) | None => of.previous(None, zone).map_err(query_failed),
    }
}

fn changed(explanation: Explanation) -> ExplainChangeResponse {
    let change = explanation.change;
    ExplainChangeResponse {
        change: change.map(|it| it.difference),
        change_interval: change.map(|it| convert::ends(it.interval)),
        p_value: change.map(|it| it.p_value),
        mix: change.map(|it| it.mix),
        rate: change.map(|it| it.rate),
        culprits: explanation.causes.into_iter().map(convert::cause).collect(),
        ..ExplainChangeResponse::default()
    }
}
