use kaizen_api::analysis::v1::{ListMetricsRequest, ListMetricsResponse};
use kaizen_api::convert;
use kaizen_api::status::{invalid_argument, query_failed};
use kaizen_catalogue::Component;
use kaizen_warehouse::queries::data_window;
use tonic::Status;

use super::Metrics;

pub async fn answer(metrics: &Metrics, request: ListMetricsRequest) -> Result<ListMetricsResponse, Status> {
    let all = metrics.catalogue.components();
    let wanted = |component: &&Component| request.component.is_empty() || component.name == request.component;
    let components: Vec<_> = all.iter().filter(wanted).collect();
    if components.is_empty() {
        let names: Vec<_> = all.iter().map(|component| component.name.as_str()).collect();
        return Err(invalid_argument(
            "component",
            format!("must be one of {}", names.join(", ")),
        ));
    }
    let log_type = match components.as_slice() {
        [one] => Some(one.log_type.as_str()),
        _ => None,
    };
    let window = data_window(&metrics.client, log_type)
        .await
        .map_err(query_failed)?;
    let each = components.into_iter().flat_map(|component| {
        component
            .metrics
            .iter()
            .map(|metric| convert::metric(component, metric))
    });
    Ok(ListMetricsResponse {
        metrics: each.collect(),
        data_window: window.map(convert::window),
    })
}
