//! The receiving end of OTLP.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What arrives at `endpoint`.
pub struct Received {
    pub endpoint: String,
    spans: UnboundedReceiver<Span>,
}

impl Received {
    /// The next span of that name.
    pub async fn span(&mut self, name: &str) -> Span {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.spans.recv());
            let span = next.await.unwrap().unwrap();
            if span.name == name {
                return span;
            }
        }
    }
}

struct Receiver(UnboundedSender<Span>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            self.0
                .send(span)
                .map_err(|_| Status::unavailable("the test is over"))?;
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Receives on a free port until the test ends.
pub async fn receive() -> Received {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, spans) = unbounded_channel();
    let service = TraceServiceServer::new(Receiver(sender));
    let server = Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Received { endpoint, spans }
}
