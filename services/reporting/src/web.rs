//! The dashboard's files, embedded when the service is built.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Files;

const PAGE: &str = "index.html";
/// Names of files below this folder hold a hash of their content.
const HASHED: &str = "assets/";
const MISSING: &str = "The dashboard was not built into this service. Run `make web` and build it again.\n";

/// Headers of every file: nothing is loaded from elsewhere, framed or guessed at.
const HEADERS: [(header::HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Serves the files; a path without one is a page of the dashboard's own.
pub fn router() -> Router {
    Router::new().fallback(serve)
}

async fn serve(request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let is_file = path.contains('.') || path.starts_with(HASHED);
    let name = if is_file { path } else { PAGE };
    let mut response = match Files::get(name) {
        Some(file) => {
            let kind = mime_guess::from_path(name).first_or_octet_stream();
            ([(header::CONTENT_TYPE, kind.as_ref().to_owned())], file.data).into_response()
        }
        None if is_file => StatusCode::NOT_FOUND.into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, MISSING).into_response(),
    };
    let forever = response.status().is_success() && name.starts_with(HASHED);
    let caching = if forever {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
