use jiff::Timestamp;
use kaizen_api::status::{chain, internal, invalid_argument, query_failed, refused as refusal};
use kaizen_api::tracker::v1::{
    ListMeasurementsRequest, ListMeasurementsResponse, MeasureImpactRequest, MeasureImpactResponse,
};
use tonic::{Code, Status};

use super::{Tracker, number, refused};
use crate::impact::{Asked, MeasureError, Unasked, kept, measure};

/// Days measured when nothing is said.
const PERIOD: u32 = 14;
const LONGEST: u32 = 366;

pub async fn answer(
    tracker: &Tracker,
    request: MeasureImpactRequest,
) -> Result<MeasureImpactResponse, Status> {
    let number = number("ticket_id", &request.ticket_id)?;
    let period = match request.measurement_period_days {
        0 => PERIOD,
        days if days <= LONGEST => days,
        _ => return Err(invalid_argument("measurement_period_days", "must be at most 366")),
    };
    let ticket = tracker.ledger().ticket(number).await.map_err(refused)?;
    let catalogue = &tracker.measurer.catalogue;
    let asked = Asked::of(catalogue, &ticket, period, Timestamp::now()).map_err(unasked)?;
    let impact = measure(&tracker.measurer, &asked).await.map_err(unmeasured)?;
    Ok(MeasureImpactResponse { impact: Some(impact) })
}

pub async fn list(
    tracker: &Tracker,
    request: ListMeasurementsRequest,
) -> Result<ListMeasurementsResponse, Status> {
    let number = number("ticket_id", &request.ticket_id)?;
    let ticket = tracker.ledger().ticket(number).await.map_err(refused)?;
    let Some(change) = &ticket.implementation else {
        return Ok(ListMeasurementsResponse::default());
    };
    let found = tracker
        .ledger()
        .measurements(number, change.at)
        .await
        .map_err(refused)?;
    let measurements = found.iter().map(kept).collect::<Result<_, _>>();
    Ok(ListMeasurementsResponse {
        measurements: measurements.map_err(unreadable)?,
    })
}

/// A ticket that asks nothing.
pub fn unasked(error: Unasked) -> Status {
    match error {
        Unasked::Evidence(error) => {
            tracing::error!(error = chain(&error), "the evidence of a ticket cannot be read");
            internal()
        }
        error => {
            let none: [(&str, String); 0] = [];
            refusal(
                Code::FailedPrecondition,
                "NOT_MEASURABLE",
                error.to_string(),
                none,
            )
        }
    }
}

/// A measurement that was not made.
pub fn unmeasured(error: MeasureError) -> Status {
    match error {
        MeasureError::Unasked(error) => unasked(error),
        MeasureError::Unmeasurable(error) => {
            let none: [(&str, String); 0] = [];
            refusal(
                Code::FailedPrecondition,
                "NOT_MEASURABLE",
                error.to_string(),
                none,
            )
        }
        MeasureError::Query(error) => query_failed(error),
        MeasureError::Ledger(error) => refused(error),
    }
}

/// A kept measurement that is none.
pub fn unreadable(error: impl std::error::Error) -> Status {
    tracing::error!(error = chain(&error), "a kept measurement cannot be read");
    internal()
}
