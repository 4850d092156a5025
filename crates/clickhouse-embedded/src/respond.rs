//! The response: status and headers once the outcome is known or the first rows are there, then the rows.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use hyper::http::HeaderValue;
use hyper::{Response, StatusCode};
use tokio::sync::mpsc;

use crate::connection::Flushes;
use crate::content_type::content_type;
use crate::encode::Compression;
use crate::engine::Stopper;
use crate::exception::Exception;
use crate::output::{Part, Summary};

/// A response of this server.
pub type Reply = Response<Either<Full<Bytes>, Rows>>;

/// What the headers of a query's response tell.
pub struct Head {
    /// The query's name.
    pub query_id: String,
    /// The format of the rows.
    pub format: String,
    /// The session's or the server's time zone.
    pub timezone: String,
    /// The compression of the rows.
    pub compression: Compression,
    /// The mark of an exception in the middle of rows.
    pub tag: String,
    /// The engine's version.
    pub version: String,
}

/// A short answer in plain text.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    *response.status_mut() = status;
    insert(&mut response, CONTENT_TYPE.as_str(), "text/plain; charset=UTF-8");
    response
}

/// An error, in ClickHouse's form.
pub fn failure(exception: &Exception, version: &str, query_id: Option<&str>) -> Reply {
    let mut response = text(exception.status(), exception.body(version));
    insert(
        &mut response,
        "X-ClickHouse-Exception-Code",
        &exception.code.to_string(),
    );
    if let Some(query_id) = query_id {
        insert(&mut response, "X-ClickHouse-Query-Id", query_id);
    }
    response
}

/// Asks for a name and password.
pub fn unauthorized(exception: &Exception, version: &str) -> Reply {
    let mut response = failure(exception, version, None);
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    insert(
        &mut response,
        WWW_AUTHENTICATE.as_str(),
        "Basic realm=\"ClickHouse server HTTP API\"",
    );
    response
}

/// Waits for the outcome or the first rows. `flushes` are those of the connection; `stopper` stops the query when the
/// client leaves.
pub async fn respond(
    head: Head,
    mut parts: mpsc::Receiver<Part>,
    flushes: Arc<Flushes>,
    stopper: Stopper,
) -> Reply {
    match parts.recv().await {
        Some(Part::Failed(exception)) => failure(&exception, &head.version, Some(&head.query_id)),
        Some(Part::Start(summary)) => {
            let rows = Rows {
                parts,
                flushes,
                broken_at: None,
                _stopper: stopper,
            };
            rows_response(&head, &summary, rows)
        }
        Some(Part::Piece(_) | Part::End | Part::Broken) | None => {
            let exception = Exception::from_engine("the query's thread ended without a result");
            failure(&exception, &head.version, Some(&head.query_id))
        }
    }
}

fn rows_response(head: &Head, summary: &Summary, rows: Rows) -> Reply {
    let mut response = Response::new(Either::Right(rows));
    insert(&mut response, CONTENT_TYPE.as_str(), content_type(&head.format));
    insert(
        &mut response,
        "X-ClickHouse-Server-Display-Name",
        "clickhouse-embedded",
    );
    insert(&mut response, "X-ClickHouse-Query-Id", &head.query_id);
    insert(&mut response, "X-ClickHouse-Format", &head.format);
    insert(&mut response, "X-ClickHouse-Timezone", &head.timezone);
    insert(&mut response, "X-ClickHouse-Exception-Tag", &head.tag);
    insert(&mut response, "X-ClickHouse-Summary", &summary.json());
    if let Some(encoding) = head.compression.content_encoding() {
        insert(&mut response, CONTENT_ENCODING.as_str(), encoding);
    }
    response
}

/// Leaves a header out when its value, which came from the client, cannot stand in one.
fn insert<B>(response: &mut Response<B>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The rows of a running query. Dropped early, they stop it.
pub struct Rows {
    parts: mpsc::Receiver<Part>,
    flushes: Arc<Flushes>,
    /// The connection's flushes when the last bytes had been handed over and the query had failed.
    broken_at: Option<u64>,
    _stopper: Stopper,
}

/// The query failed in the middle of its rows: the connection must close without the end of the body.
#[derive(Debug, thiserror::Error)]
#[error("the query failed after its first rows were sent")]
pub struct CutOff;

impl Body for Rows {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let Some(broken_at) = self.broken_at else {
            return match std::task::ready!(self.parts.poll_recv(context)) {
                Some(Part::Piece(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Part::End) => Poll::Ready(None),
                Some(Part::Broken) => {
                    self.broken_at = Some(self.flushes.count());
                    self.poll_frame(context)
                }
                Some(Part::Failed(_) | Part::Start(_)) | None => Poll::Ready(Some(Err(CutOff))),
            };
        };
        // An error now would also discard what is not yet written, the exception among it.
        std::task::ready!(self.flushes.poll_beyond(broken_at, context));
        Poll::Ready(Some(Err(CutOff)))
    }
}
