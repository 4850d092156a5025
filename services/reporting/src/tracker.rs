//! `kaizen.tracker.v1.TrackerService`: the one service of reporting that writes, and only to the ledger.

mod convert;
mod corrections;
mod create_ticket;
mod frozen;
mod get_roi;
mod list_events;
mod list_tickets;
mod measure_impact;
mod refuse;
mod update_ticket;
mod watch_tickets;

use std::pin::Pin;

use kaizen_api::status::invalid_argument;
use kaizen_api::tracker::v1::tracker_service_server::TrackerService;
use kaizen_api::tracker::v1::{
    CreateTicketRequest, CreateTicketResponse, GetCalibrationRequest, GetCalibrationResponse,
    GetCumulativeRoiRequest, GetCumulativeRoiResponse, GetRoiRequest, GetRoiResponse, GetTicketRequest,
    GetTicketResponse, ListCorrectionsRequest, ListCorrectionsResponse, ListMeasurementsRequest,
    ListMeasurementsResponse, ListTicketEventsRequest, ListTicketEventsResponse, ListTicketsRequest,
    ListTicketsResponse, MarkImplementedRequest, MarkImplementedResponse, MeasureImpactRequest,
    MeasureImpactResponse, RevertCorrectionRequest, RevertCorrectionResponse, UpdateTicketRequest,
    UpdateTicketResponse, WatchTicketsRequest, WatchTicketsResponse,
};
use kaizen_ledger::{Ledger, ticket_number};
use tokio_util::sync::CancellationToken;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status};

use crate::impact::Measurer;
pub use convert::state as wire_state;
pub use frozen::Frozen;
pub use refuse::refused;
use refuse::refused_of_ticket;

/// Keeps tickets.
#[derive(Clone)]
pub struct Tracker {
    /// Has the ledger, the warehouse and the catalogue.
    measurer: Measurer,
    /// Ends those who watch.
    shutdown: CancellationToken,
}

impl Tracker {
    /// Over what measuring needs; watching ends at `shutdown`.
    pub fn new(measurer: Measurer, shutdown: CancellationToken) -> Self {
        Self { measurer, shutdown }
    }

    fn ledger(&self) -> &Ledger {
        &self.measurer.ledger
    }
}

#[tonic::async_trait]
impl TrackerService for Tracker {
    type WatchTicketsStream = Pin<Box<dyn Stream<Item = Result<WatchTicketsResponse, Status>> + Send>>;

    async fn create_ticket(
        &self,
        request: Request<CreateTicketRequest>,
    ) -> Result<Response<CreateTicketResponse>, Status> {
        let ticket = create_ticket::answer(self, request.into_inner()).await?;
        let ticket = Some(convert::ticket(ticket)?);
        Ok(Response::new(CreateTicketResponse { ticket }))
    }

    async fn get_ticket(
        &self,
        request: Request<GetTicketRequest>,
    ) -> Result<Response<GetTicketResponse>, Status> {
        let number = number("ticket_id", &request.into_inner().ticket_id)?;
        let ticket = self.ledger().ticket(number).await.map_err(refused)?;
        let ticket = Some(convert::ticket(ticket)?);
        Ok(Response::new(GetTicketResponse { ticket }))
    }

    async fn list_tickets(
        &self,
        request: Request<ListTicketsRequest>,
    ) -> Result<Response<ListTicketsResponse>, Status> {
        list_tickets::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn update_ticket(
        &self,
        request: Request<UpdateTicketRequest>,
    ) -> Result<Response<UpdateTicketResponse>, Status> {
        let ticket = update_ticket::answer(self, request.into_inner()).await?;
        let ticket = Some(convert::ticket(ticket)?);
        Ok(Response::new(UpdateTicketResponse { ticket }))
    }

    async fn mark_implemented(
        &self,
        request: Request<MarkImplementedRequest>,
    ) -> Result<Response<MarkImplementedResponse>, Status> {
        let ticket = update_ticket::implemented(self, request.into_inner()).await?;
        let ticket = Some(convert::ticket(ticket)?);
        Ok(Response::new(MarkImplementedResponse { ticket }))
    }

    async fn list_ticket_events(
        &self,
        request: Request<ListTicketEventsRequest>,
    ) -> Result<Response<ListTicketEventsResponse>, Status> {
        list_events::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn watch_tickets(
        &self,
        request: Request<WatchTicketsRequest>,
    ) -> Result<Response<Self::WatchTicketsStream>, Status> {
        let stream = watch_tickets::answer(self.clone(), request.into_inner()).await?;
        Ok(Response::new(Box::pin(stream)))
    }

    async fn measure_impact(
        &self,
        request: Request<MeasureImpactRequest>,
    ) -> Result<Response<MeasureImpactResponse>, Status> {
        measure_impact::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_measurements(
        &self,
        request: Request<ListMeasurementsRequest>,
    ) -> Result<Response<ListMeasurementsResponse>, Status> {
        measure_impact::list(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn get_roi(&self, request: Request<GetRoiRequest>) -> Result<Response<GetRoiResponse>, Status> {
        get_roi::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn get_cumulative_roi(
        &self,
        request: Request<GetCumulativeRoiRequest>,
    ) -> Result<Response<GetCumulativeRoiResponse>, Status> {
        get_roi::of_all(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn get_calibration(
        &self,
        _request: Request<GetCalibrationRequest>,
    ) -> Result<Response<GetCalibrationResponse>, Status> {
        get_roi::calibrated(self).await.map(Response::new)
    }

    async fn list_corrections(
        &self,
        request: Request<ListCorrectionsRequest>,
    ) -> Result<Response<ListCorrectionsResponse>, Status> {
        corrections::list(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn revert_correction(
        &self,
        request: Request<RevertCorrectionRequest>,
    ) -> Result<Response<RevertCorrectionResponse>, Status> {
        corrections::revert(self, request.into_inner())
            .await
            .map(Response::new)
    }
}

/// The number of a ticket's identity.
fn number(field: &str, ticket_id: &str) -> Result<i64, Status> {
    if ticket_id.is_empty() {
        return Err(invalid_argument(field, "is required"));
    }
    ticket_number(ticket_id)
        .ok_or_else(|| invalid_argument(field, "must be the identity of a ticket, such as T-17"))
}

/// The revision of an etag; `None` when there is none.
fn revision(field: &str, etag: &str) -> Result<Option<i64>, Status> {
    if etag.is_empty() {
        return Ok(None);
    }
    let revision = etag.parse().map(Some);
    revision.map_err(|_| invalid_argument(field, "must be the etag of an earlier answer"))
}
