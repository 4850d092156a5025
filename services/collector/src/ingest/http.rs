//! `POST /v1/decisions`, `/v1/outcomes`, `/v1/changes`.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use kaizen_decision::Reason;
use kaizen_service::telemetry::{server_span, traceparent_of};
use serde::{Serialize, Serializer};
use serde_json::json;
use tower_http::cors::CorsLayer;
use tracing::Instrument;

use super::decode_body::{BodyType, split};
use super::publish::{Outcome, Records};
use super::read_body::{self, Compression};
use super::refuse::Refusal;
use super::{Ingest, Passage, otlp};
use crate::config::Kind;

const TRANSPORT: &str = "http";

/// What is served over HTTP; pages of those origins may use it from a browser.
pub fn router(ingest: Arc<Ingest>, allowed_origins: &[String]) -> Router {
    let of = |kind| {
        post(move |State(ingest): State<Arc<Ingest>>, request: Request| publish(ingest, kind, request))
    };
    let router = Router::new()
        .route("/v1/decisions", of(Kind::Decision))
        .route("/v1/outcomes", of(Kind::Outcome))
        .route("/v1/changes", of(Kind::Change))
        .merge(otlp::router())
        .fallback(missing)
        .with_state(ingest);
    if allowed_origins.is_empty() {
        return router;
    }
    let origins = allowed_origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    let cors = CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            HeaderName::from_static("traceparent"),
        ])
        .expose_headers([header::RETRY_AFTER]);
    router.layer(cors)
}

async fn missing() -> Response {
    let detail = "there are POST /v1/decisions, /v1/outcomes, /v1/changes, /v1/traces and /v1/logs";
    problem(StatusCode::NOT_FOUND, "not_found", detail)
}

async fn publish(ingest: Arc<Ingest>, kind: Kind, request: Request) -> Response {
    let name = match kind {
        Kind::Decision => "POST /v1/decisions",
        Kind::Outcome => "POST /v1/outcomes",
        Kind::Change => "POST /v1/changes",
    };
    let span = server_span(name, request.headers());
    let answered = answer(&ingest, kind, request).instrument(span).await;
    let (word, response) = match answered {
        Ok(outcomes) => (word(&outcomes), report(&outcomes)),
        Err(refusal) => (refusal.as_str(), refused(refusal)),
    };
    ingest.instruments().request(TRANSPORT, word);
    response
}

async fn answer(ingest: &Ingest, of: Kind, request: Request) -> Result<Vec<Outcome>, Refusal> {
    let (head, body) = request.into_parts();
    let admitted = admit(ingest, &head.headers);
    let (mut passage, kind, compression) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            read_body::discard(body).await;
            return Err(refusal);
        }
    };
    let body = ingest.read(body, compression, &mut passage).await?;
    let values = split(&body, kind, ingest.max_records())?;
    let traceparent = traceparent_of(&tracing::Span::current(), &head.headers);
    let records = Records {
        values: &values,
        content_type: kind.of_records(),
        traceparent: traceparent.as_deref(),
        transport: TRANSPORT,
    };
    ingest.intake(of).take(records).await
}

fn admit(ingest: &Ingest, headers: &HeaderMap) -> Result<(Passage, BodyType, Compression), Refusal> {
    ingest.authorize(headers)?;
    let kind = BodyType::of(headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes))?;
    let compression = Compression::of(headers)?;
    Ok((ingest.enter()?, kind, compression))
}

/// A record's outcome, as it is told.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Told<'a> {
    Accepted {
        event_id: &'a str,
    },
    Rejected {
        reason: &'static str,
        field: &'static str,
    },
}

#[derive(Serialize)]
struct Report<'a> {
    accepted: usize,
    rejected: usize,
    #[serde(serialize_with = "told")]
    results: &'a [Outcome],
}

fn told<S: Serializer>(outcomes: &[Outcome], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(outcomes.iter().map(|outcome| match outcome {
        Outcome::Accepted { event_id } => Told::Accepted { event_id },
        Outcome::Rejected(rejection) => Told::Rejected {
            reason: rejection.reason.as_str(),
            field: rejection.field,
        },
    }))
}

fn report(outcomes: &[Outcome]) -> Response {
    let accepted = outcomes.iter().filter(|outcome| outcome.is_accepted()).count();
    let report = Report {
        accepted,
        rejected: outcomes.len() - accepted,
        results: outcomes,
    };
    (status(outcomes), axum::Json(report)).into_response()
}

/// 202 when something was accepted; else what stands against all of it: 400 nothing could be read, 413 something was
/// too long, 422 something is no event of its kind.
fn status(outcomes: &[Outcome]) -> StatusCode {
    let unreadable = |reason| matches!(reason, Reason::NotJson | Reason::NotUtf8 | Reason::NotProtobuf);
    let reasons = || {
        outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Accepted { .. } => None,
            Outcome::Rejected(rejection) => Some(*rejection),
        })
    };
    if outcomes.iter().any(Outcome::is_accepted) {
        StatusCode::ACCEPTED
    } else if reasons().any(|it| it.reason == Reason::TooLarge && it.field.is_empty()) {
        StatusCode::PAYLOAD_TOO_LARGE
    } else if reasons().all(|it| unreadable(it.reason) && it.field.is_empty()) {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

/// The answer in one word, for the metrics.
fn word(outcomes: &[Outcome]) -> &'static str {
    match status(outcomes) {
        StatusCode::ACCEPTED if outcomes.iter().all(Outcome::is_accepted) => "accepted",
        StatusCode::ACCEPTED => "partly_accepted",
        _ => "rejected",
    }
}

/// A refusal, as RFC 9457 tells problems.
pub fn refused(refusal: Refusal) -> Response {
    let mut response = problem(refusal.status(), refusal.as_str(), &refusal.to_string());
    if let Some(wait) = refusal.retry_after() {
        let seconds = HeaderValue::from(wait.as_secs());
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    if refusal == Refusal::Unauthorized {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

fn problem(status: StatusCode, kind: &str, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let problem = json!({
        "type": format!("urn:kaizen:problem:{kind}"), "title": title, "status": status.as_u16(), "detail": detail,
    });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, Body::from(problem.to_string())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kaizen_decision::Rejection;

    fn accepted() -> Outcome {
        Outcome::Accepted {
            event_id: "e".to_owned(),
        }
    }

    fn whole(reason: Reason) -> Outcome {
        Outcome::Rejected(Rejection::whole(reason))
    }

    #[test]
    fn the_status_says_whether_anything_was_accepted_and_if_not_why() {
        let missing = Outcome::Rejected(Rejection::at("/session_id", Reason::MissingField));
        let long_input = Outcome::Rejected(Rejection::at("/input_data", Reason::TooLarge));
        for (outcomes, status, word) in [
            (vec![accepted()], 202, "accepted"),
            (vec![accepted(), missing.clone()], 202, "partly_accepted"),
            (vec![missing.clone(), whole(Reason::NotJson)], 422, "rejected"),
            (vec![long_input], 422, "rejected"),
            (vec![missing, whole(Reason::TooLarge)], 413, "rejected"),
            (
                vec![whole(Reason::NotJson), whole(Reason::NotUtf8)],
                400,
                "rejected",
            ),
        ] {
            assert_eq!(super::status(&outcomes).as_u16(), status, "{outcomes:?}");
            assert_eq!(super::word(&outcomes), word, "{outcomes:?}");
        }
    }

    #[test]
    fn a_refusal_says_when_to_try_again_where_that_helps() {
        for (refusal, status, retry) in [
            (Refusal::Unauthorized, 401, None),
            (Refusal::UnknownEncoding, 415, None),
            (Refusal::TooLarge(1), 413, None),
            (Refusal::Slow, 408, None),
            (Refusal::Busy("bytes"), 429, Some("1")),
            (Refusal::Unacknowledged, 503, Some("5")),
            (Refusal::QueueFull, 503, Some("5")),
        ] {
            let response = refused(refusal);
            assert_eq!(response.status().as_u16(), status);
            let told = response
                .headers()
                .get(header::RETRY_AFTER)
                .map(|value| value.to_str().unwrap());
            assert_eq!(told, retry, "{refusal:?}");
            assert_eq!(
                response.headers().contains_key(header::WWW_AUTHENTICATE),
                status == 401
            );
        }
    }
}
