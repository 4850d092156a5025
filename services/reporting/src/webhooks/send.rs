use std::time::Duration;

use anyhow::Context;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;

use super::destination::Destination;
use super::message::Message;
use super::sign::signature;

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Taken,
    /// It may be taken later: why not now, and how long to wait at least.
    Later(String, Duration),
    /// It will never be taken, sent again as it is.
    Refused(String),
    /// Nobody takes messages there any more.
    Gone(String),
}

/// Sends messages. Follows no redirect. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Sender {
    /// Over TLS with the roots of this machine, where it `is_secure`. An answer is waited for as long as `timeout`.
    ///
    /// # Errors
    /// This machine has no root certificates, and needs some.
    pub fn new(is_secure: bool, timeout: Duration) -> anyhow::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let roots = if is_secure {
            HttpsConnectorBuilder::new()
                .with_provider_and_native_roots(provider)
                .context("the root certificates of this machine")?
        } else {
            let tls = rustls::ClientConfig::builder_with_provider(provider.into())
                .with_safe_default_protocol_versions()?
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(tls)
        };
        let connector = roots.https_or_http().enable_http1().build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            timeout,
        })
    }

    /// Sends a message once.
    pub async fn send(&self, destination: &Destination, message: &Message, now: Timestamp) -> Answer {
        let seconds = now.as_second();
        let Some(signature) = signature(&destination.key, &message.id, seconds, &message.body) else {
            return Answer::Later("it cannot be signed".to_owned(), Duration::ZERO);
        };
        let request = Request::post(destination.address.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("kaizen/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(Full::new(message.body.clone()));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Answer::Later(error.to_string(), Duration::ZERO),
        };
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Ok(Ok(response)) => answer(response.status(), response.headers()),
            Ok(Err(error)) => Answer::Later(kaizen_api::status::chain(&error), Duration::ZERO),
            Err(_) => Answer::Later(format!("no answer within {:?}", self.timeout), Duration::ZERO),
        }
    }
}

/// What a status means for the message.
fn answer(status: StatusCode, headers: &HeaderMap) -> Answer {
    let why = format!("HTTP {}", status.as_u16());
    match status.as_u16() {
        200..=299 => Answer::Taken,
        410 => Answer::Gone(why),
        // The message itself is refused, not the one who sends it
        400 | 413 | 415 | 422 => Answer::Refused(why),
        _ => {
            let told = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok());
            let wait = told
                .and_then(|it| it.parse().ok())
                .map_or(Duration::ZERO, Duration::from_secs);
            Answer::Later(why, wait)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_the_message_is_sent_again() {
        let of = |status: u16| answer(StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
        assert_eq!(of(204), Answer::Taken);
        assert_eq!(of(410), Answer::Gone("HTTP 410".into()));
        assert_eq!(of(422), Answer::Refused("HTTP 422".into()));
        for status in [302, 401, 404, 408, 429, 500, 503] {
            assert!(matches!(of(status), Answer::Later(..)), "{status}");
        }
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "120".parse().unwrap())]);
        let wait = answer(StatusCode::TOO_MANY_REQUESTS, &headers);
        assert_eq!(wait, Answer::Later("HTTP 429".into(), Duration::from_secs(120)));
    }
}
