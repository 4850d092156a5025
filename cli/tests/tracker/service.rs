//! A tracker that answers what it was told to, and keeps what it was asked.

use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use futures::stream::{self, Empty};
use kaizen_api::tracker::v1::tracker_service_server::{TrackerService, TrackerServiceServer};
use kaizen_api::tracker::v1::{
    Correction, CreateTicketRequest, CreateTicketResponse, GetCalibrationRequest, GetCalibrationResponse,
    GetCumulativeRoiRequest, GetCumulativeRoiResponse, GetRoiRequest, GetRoiResponse, GetTicketRequest,
    GetTicketResponse, Impact, Implementation, ListCorrectionsRequest, ListCorrectionsResponse,
    ListMeasurementsRequest, ListMeasurementsResponse, ListTicketEventsRequest, ListTicketEventsResponse,
    ListTicketsRequest, ListTicketsResponse, MarkImplementedRequest, MarkImplementedResponse,
    MeasureImpactRequest, MeasureImpactResponse, Measurement, RevertCorrectionRequest,
    RevertCorrectionResponse, Ticket, UpdateTicketRequest, UpdateTicketResponse, WatchTicketsRequest,
    WatchTicketsResponse,
};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// What is answered.
#[derive(Debug, Default, Clone)]
pub struct Answers {
    pub impact: Option<Impact>,
    pub measurements: Vec<Measurement>,
    pub roi: GetRoiResponse,
    pub cumulative: GetCumulativeRoiResponse,
    pub calibration: GetCalibrationResponse,
    pub corrections: Vec<Correction>,
}

/// What was asked last.
#[derive(Debug, Default)]
pub struct Asked {
    pub impact: Option<MeasureImpactRequest>,
    pub roi: Option<GetRoiRequest>,
    pub category: Option<String>,
    pub implementation: Option<Implementation>,
    pub revert: Option<RevertCorrectionRequest>,
}

impl Asked {
    /// Whether nothing was asked at all.
    pub fn is_empty(&self) -> bool {
        self.impact.is_none()
            && self.roi.is_none()
            && self.category.is_none()
            && self.implementation.is_none()
            && self.revert.is_none()
    }
}

/// A running tracker.
pub struct Service {
    url: String,
    pub asked: Arc<Mutex<Asked>>,
}

impl Service {
    /// Starts one on a free port.
    pub async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Asked::default()));
        let tracker = Tracker {
            answers,
            asked: Arc::clone(&asked),
        };
        let server = Server::builder().add_service(TrackerServiceServer::new(tracker));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Self { url, asked }
    }

    /// Runs the command against it.
    pub fn kaizen(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_kaizen"))
            .args(["--reporting", &self.url])
            .args(arguments)
            .output()
            .unwrap()
    }
}

struct Tracker {
    answers: Answers,
    asked: Arc<Mutex<Asked>>,
}

impl Tracker {
    fn asked(&self, note: impl FnOnce(&mut Asked)) {
        note(&mut self.asked.lock().unwrap());
    }

    fn ticket(&self) -> Ticket {
        Ticket {
            ticket_id: "T-17".to_owned(),
            title: "Mend the prompt".to_owned(),
            implementation: self.asked.lock().unwrap().implementation.clone(),
            ..Ticket::default()
        }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl TrackerService for Tracker {
    type WatchTicketsStream = Empty<Result<WatchTicketsResponse, Status>>;

    async fn create_ticket(&self, _: Request<CreateTicketRequest>) -> Answer<CreateTicketResponse> {
        Err(Status::unimplemented("create_ticket"))
    }

    async fn get_ticket(&self, _: Request<GetTicketRequest>) -> Answer<GetTicketResponse> {
        let ticket = Some(self.ticket());
        Ok(Response::new(GetTicketResponse { ticket }))
    }

    async fn list_tickets(&self, _: Request<ListTicketsRequest>) -> Answer<ListTicketsResponse> {
        Err(Status::unimplemented("list_tickets"))
    }

    async fn update_ticket(&self, _: Request<UpdateTicketRequest>) -> Answer<UpdateTicketResponse> {
        Err(Status::unimplemented("update_ticket"))
    }

    async fn mark_implemented(
        &self,
        request: Request<MarkImplementedRequest>,
    ) -> Answer<MarkImplementedResponse> {
        self.asked(|it| it.implementation = request.into_inner().implementation);
        let ticket = Some(self.ticket());
        Ok(Response::new(MarkImplementedResponse { ticket }))
    }

    async fn list_ticket_events(
        &self,
        _: Request<ListTicketEventsRequest>,
    ) -> Answer<ListTicketEventsResponse> {
        Ok(Response::new(ListTicketEventsResponse::default()))
    }

    async fn watch_tickets(&self, _: Request<WatchTicketsRequest>) -> Answer<Self::WatchTicketsStream> {
        Ok(Response::new(stream::empty()))
    }

    async fn measure_impact(&self, request: Request<MeasureImpactRequest>) -> Answer<MeasureImpactResponse> {
        self.asked(|it| it.impact = Some(request.into_inner()));
        let impact = self.answers.impact.clone();
        let impact = impact.ok_or_else(|| Status::failed_precondition("T-17 is not implemented"))?;
        Ok(Response::new(MeasureImpactResponse { impact: Some(impact) }))
    }

    async fn list_measurements(
        &self,
        _: Request<ListMeasurementsRequest>,
    ) -> Answer<ListMeasurementsResponse> {
        let measurements = self.answers.measurements.clone();
        Ok(Response::new(ListMeasurementsResponse { measurements }))
    }

    async fn get_roi(&self, request: Request<GetRoiRequest>) -> Answer<GetRoiResponse> {
        self.asked(|it| it.roi = Some(request.into_inner()));
        Ok(Response::new(self.answers.roi.clone()))
    }

    async fn get_cumulative_roi(
        &self,
        request: Request<GetCumulativeRoiRequest>,
    ) -> Answer<GetCumulativeRoiResponse> {
        self.asked(|it| it.category = Some(request.into_inner().category));
        Ok(Response::new(self.answers.cumulative.clone()))
    }

    async fn get_calibration(&self, _: Request<GetCalibrationRequest>) -> Answer<GetCalibrationResponse> {
        Ok(Response::new(self.answers.calibration.clone()))
    }

    async fn list_corrections(
        &self,
        request: Request<ListCorrectionsRequest>,
    ) -> Answer<ListCorrectionsResponse> {
        // A page for each, so that whoever stops at the first is caught
        let at: usize = request.into_inner().page_token.parse().unwrap_or_default();
        let all = &self.answers.corrections;
        Ok(Response::new(ListCorrectionsResponse {
            corrections: all.get(at).cloned().into_iter().collect(),
            next_page_token: if at + 1 < all.len() {
                (at + 1).to_string()
            } else {
                String::new()
            },
        }))
    }

    async fn revert_correction(
        &self,
        request: Request<RevertCorrectionRequest>,
    ) -> Answer<RevertCorrectionResponse> {
        let request = request.into_inner();
        let found = self.answers.corrections.iter();
        let mut found = found.filter(|it| it.correction_id == request.correction_id);
        let correction = found.next().cloned();
        self.asked(|it| it.revert = Some(request));
        match correction {
            Some(correction) => Ok(Response::new(RevertCorrectionResponse {
                correction: Some(correction),
            })),
            None => Err(Status::not_found("there is no such correction")),
        }
    }
}
