//! One request, from its head to its response: authenticate, parse, receive, execute, respond.

use std::io;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio::task::spawn_blocking;
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::auth::Credentials;
use crate::connection::Flushes;
use crate::exception::Exception;
use crate::execute::execute;
use crate::form;
use crate::output::{Output, Plan};
use crate::receive::{Work, receive};
use crate::request::{Request, pairs};
use crate::respond::{Head, Reply, failure, respond, text, unauthorized};
use crate::serve::Server;
use crate::session::Seat;

/// Answers a request; `flushes` are those of its connection.
pub async fn handle(server: &Server, request: hyper::Request<Incoming>, flushes: Arc<Flushes>) -> Reply {
    let (parts, body) = request.into_parts();
    let pairs = pairs(&parts);
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    match parts.uri.path() {
        // No replicas, so none lags.
        "/ping" | "/replicas_status" => return text(StatusCode::OK, "Ok.\n"),
        "/" if reads && !pairs.iter().any(|(name, _)| name == "query") => {
            return text(StatusCode::OK, "Ok.\n");
        }
        "/" if reads || parts.method == Method::POST => {}
        "/" => return text(StatusCode::METHOD_NOT_ALLOWED, "Use GET or POST\n"),
        path => return text(StatusCode::NOT_FOUND, format!("There is no handle {path}\n")),
    }
    let version = &server.engine.version;
    let credentials = match Credentials::of(&parts.headers, &pairs) {
        Ok(credentials) => credentials,
        Err(exception) => return failure(&exception, version, None),
    };
    match server.account.check(&credentials) {
        Ok(()) => {}
        Err(exception) if credentials.given => return failure(&exception, version, None),
        Err(exception) => return unauthorized(&exception, version),
    }
    query(server, &parts, pairs, body, flushes)
        .await
        .unwrap_or_else(|exception| failure(&exception, version, None))
}

async fn query(
    server: &Server,
    parts: &Parts,
    mut pairs: Vec<(String, String)>,
    body: Incoming,
    flushes: Arc<Flushes>,
) -> Result<Reply, Exception> {
    let body = match form::boundary(&parts.headers) {
        Some(boundary) => {
            pairs.extend(form::fields(body, boundary).await?);
            None
        }
        None => Some(body),
    };
    let request = Arc::new(Request::parse(parts, pairs)?);
    let work = received(server, &request, body).await?;
    let running = server.engine.begin(&request.query_id)?;
    let session = match &request.session {
        Some(wish) => Some(server.sessions.take(&server.engine, wish)?),
        None => None,
    };
    let permit = server
        .permits
        .clone()
        .acquire_owned()
        .await
        .map_err(|_| lost("The server is stopping"))?;
    let plan = Plan {
        compression: request.compression,
        wait_for_end: request.wait_end_of_query,
        version: server.engine.version.clone(),
    };
    let (output, rows) = Output::new(plan, &server.allowance)?;
    let head = head(server, &request, &work, &output);
    let stopper = running.stopper();
    let engine = server.engine.clone();
    let spawned = spawn_blocking(move || {
        let _permit = permit;
        match session.map_or_else(|| Seat::fresh(&engine), Ok) {
            Ok(seat) => execute(&request, &work, seat, running, output),
            Err(exception) => output.end(Err(exception)),
        }
    });
    // The response follows the rows; the thread's end says nothing more.
    drop(spawned);
    Ok(respond(head, rows, flushes, stopper).await)
}

async fn received(
    server: &Server,
    request: &Arc<Request>,
    body: Option<Incoming>,
) -> Result<Work, Exception> {
    let pieces = futures::stream::iter(body)
        .flat_map(BodyDataStream::new)
        .map_err(io::Error::other);
    let body = SyncIoBridge::new(StreamReader::new(pieces));
    let (request, allowance) = (request.clone(), server.allowance.clone());
    spawn_blocking(move || receive(&request, body, &allowance))
        .await
        .map_err(|_| lost("The thread that reads the body has failed"))?
}

fn head(server: &Server, request: &Request, work: &Work, output: &Output) -> Head {
    let format = match work {
        Work::Query(query) => query.format.as_ref(),
        Work::Insert(..) => None,
    };
    Head {
        query_id: request.query_id.clone(),
        format: format.unwrap_or(&request.format).clone(),
        timezone: request
            .setting("session_timezone")
            .unwrap_or(&server.engine.timezone)
            .to_owned(),
        compression: request.compression,
        tag: output.tag().to_owned(),
        version: server.engine.version.clone(),
    }
}

fn lost(why: &str) -> Exception {
    Exception::from_engine(why)
}
