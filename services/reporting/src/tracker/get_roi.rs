use jiff::Timestamp;
use kaizen_api::analysis::v1::Estimate;
use kaizen_api::status::{internal, invalid_argument};
use kaizen_api::tracker::v1::{
    GetCalibrationResponse, GetCumulativeRoiRequest, GetCumulativeRoiResponse, GetRoiRequest, GetRoiResponse,
    Impact, Return,
};
use kaizen_ledger::Ticket;
use kaizen_stats::Uncertain;
use tonic::Status;

use super::measure_impact::{unasked, unmeasured, unreadable};
use super::{Tracker, number, refused};
use crate::impact::{
    Asked, MeasuredError, MeasuredTicket, Terms, calibration, cumulative, decisions_a_day, kept, measure,
    measured, of_effect, sign,
};

/// Days that are measured when no measurement is kept.
const PERIOD: u32 = 28;
const LONGEST: f64 = 3_650.0;
const MOST_HOURS: f64 = 1e6;

pub async fn answer(tracker: &Tracker, request: GetRoiRequest) -> Result<GetRoiResponse, Status> {
    let number = number("ticket_id", &request.ticket_id)?;
    let terms = terms(&request)?;
    let ticket = tracker.ledger().ticket(number).await.map_err(refused)?;
    let catalogue = &tracker.measurer.catalogue;
    let asked = Asked::of(catalogue, &ticket, PERIOD, Timestamp::now()).map_err(unasked)?;
    let (measurement_id, impact) = match latest(tracker, &ticket).await? {
        Some(found) => found,
        None => {
            let impact = measure(&tracker.measurer, &asked).await.map_err(unmeasured)?;
            (String::new(), impact)
        }
    };
    let effect = impact.effect;
    let (roi, not_computed) = if terms == Terms::default() {
        (impact.roi, impact.roi_not_computed)
    } else {
        on_other_terms(tracker, &asked, terms, &impact)?
    };
    Ok(GetRoiResponse {
        roi,
        not_computed,
        effect,
        measurement_id,
    })
}

fn terms(request: &GetRoiRequest) -> Result<Terms, Status> {
    let days = match request.days {
        0.0 => None,
        days if (1.0..=LONGEST).contains(&days) => Some(days),
        _ => return Err(invalid_argument("days", "must be 1 to 3650, or 0")),
    };
    if request.hours.is_some_and(|it| !(0.0..=MOST_HOURS).contains(&it)) {
        return Err(invalid_argument("hours", "must be 0 to 1000000"));
    }
    if request.unit_value.is_some_and(|it| !it.is_finite()) {
        return Err(invalid_argument("unit_value", "must be a number"));
    }
    Ok(Terms {
        days,
        hours: request.hours,
        unit_value: request.unit_value,
    })
}

/// The latest kept measurement with an effect, and its identity.
async fn latest(tracker: &Tracker, ticket: &Ticket) -> Result<Option<(String, Impact)>, Status> {
    let Some(change) = &ticket.implementation else {
        return Ok(None);
    };
    let found = tracker
        .ledger()
        .measurements(ticket.number, change.at)
        .await
        .map_err(refused)?;
    for it in found.iter().rev() {
        let it = kept(it).map_err(unreadable)?;
        if let Some(impact) = it.impact {
            return Ok(Some((it.measurement_id, impact)));
        }
    }
    Ok(None)
}

/// The return on the same effect, when something is said otherwise.
fn on_other_terms(
    tracker: &Tracker,
    asked: &Asked<'_>,
    terms: Terms,
    impact: &Impact,
) -> Result<(Option<Return>, String), Status> {
    let Some(Estimate {
        value,
        interval: Some(interval),
    }) = &impact.effect
    else {
        tracing::error!(ticket = impact.ticket_id, "a measurement has no effect");
        return Err(internal());
    };
    let (one, other) = (sign(asked) * interval.lower, sign(asked) * interval.upper);
    let effect = Uncertain::of_interval(sign(asked) * value, (one.min(other), one.max(other)));
    let found = of_effect(
        asked,
        &tracker.measurer.costs,
        terms,
        &effect,
        decisions_a_day(impact),
    );
    Ok(match found {
        Ok(roi) => (Some(roi), String::new()),
        Err(why) => (None, why),
    })
}

pub async fn of_all(
    tracker: &Tracker,
    request: GetCumulativeRoiRequest,
) -> Result<GetCumulativeRoiResponse, Status> {
    let mut tickets = all_measured(tracker).await?;
    tickets.retain(|it| request.category.is_empty() || it.ticket.category == request.category);
    Ok(cumulative(tickets))
}

pub async fn calibrated(tracker: &Tracker) -> Result<GetCalibrationResponse, Status> {
    let tickets = all_measured(tracker).await?;
    let active = tracker.ledger().active_corrections().await.map_err(refused)?;
    Ok(calibration(&tracker.measurer.catalogue, &tickets, active))
}

async fn all_measured(tracker: &Tracker) -> Result<Vec<MeasuredTicket>, Status> {
    measured(tracker.ledger()).await.map_err(|error| match error {
        MeasuredError::Ledger(error) => refused(error),
        MeasuredError::Unreadable(error) => unreadable(error),
    })
}
