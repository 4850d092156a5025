use jiff::Timestamp;
use kaizen_api::analysis::v1::{DecisionSummary, ListDecisionsRequest, ListDecisionsResponse};
use kaizen_api::status::{internal, invalid_argument, query_failed};
use kaizen_api::time::{to_wire, window_from_wire};
use kaizen_catalogue::Component;
use kaizen_warehouse::queries::{self, DecisionCursor, DecisionsQuery, decisions};
use tonic::Status;

use super::{Metrics, filters};
use crate::page;

const PAGE: u32 = 50;
const MOST: u32 = 1000;

pub async fn answer(
    metrics: &Metrics,
    request: ListDecisionsRequest,
) -> Result<ListDecisionsResponse, Status> {
    let (start, end) = window_from_wire("window", request.window)?;
    let size = page::size(request.page_size, PAGE, MOST)?;
    let query = DecisionsQuery {
        start,
        end,
        component: component(metrics, &request.component)?,
        filters: filters(request.filters),
        // One more tells whether there is a next page.
        limit: size + 1,
        after: page::cursor::<DecisionCursor>(&request.page_token)?,
    };
    let mut found = decisions(&metrics.client, &query).await.map_err(query_failed)?;
    let more = found.len() > size as usize;
    found.truncate(size as usize);
    let next_page_token = match found.last().filter(|_| more) {
        Some(last) => page::token(&DecisionCursor::of(last))?,
        None => String::new(),
    };
    Ok(ListDecisionsResponse {
        decisions: found.into_iter().map(summary).collect::<Result<_, _>>()?,
        next_page_token,
    })
}

fn component<'a>(metrics: &'a Metrics, name: &str) -> Result<Option<&'a Component>, Status> {
    if name.is_empty() {
        return Ok(None);
    }
    let all = metrics.catalogue.components();
    let found = all.iter().find(|component| component.name == name);
    found.map(Some).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|component| component.name.as_str()).collect();
        invalid_argument("component", format!("must be one of {}", names.join(", ")))
    })
}

/// A decision in short, as the wire has it.
pub fn summary(decision: queries::DecisionSummary) -> Result<DecisionSummary, Status> {
    let time = Timestamp::from_millisecond(decision.timestamp).map_err(|_| internal())?;
    Ok(DecisionSummary {
        event_id: decision.event_id,
        log_type: decision.log_type,
        session_id: decision.session_id,
        decision_time: Some(to_wire(time)),
        company: decision.company,
        industry: decision.industry,
        method_used: decision.method_used,
        confidence_level: decision.confidence_level,
        processing_time_seconds: decision.processing_time,
        success: decision.success,
        quality_score: decision.quality_score,
        success_indicator: decision.success_indicator,
    })
}
