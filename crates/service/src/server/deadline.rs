//! Deadlines: the client's `grpc-timeout`, or the service's own longest one. What a call still does then is dropped.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use tonic::Status;

/// The longest time until a response begins.
#[derive(Clone, Copy)]
pub struct Deadline(pub Duration);

/// Ends a call at its deadline with `DEADLINE_EXCEEDED`.
pub async fn enforce(State(longest): State<Deadline>, request: Request, next: Next) -> Response {
    let deadline = match asked(request.headers()) {
        Ok(asked) => asked.map_or(longest.0, |asked| asked.min(longest.0)),
        Err(status) => return status.into_http(),
    };
    tokio::time::timeout(deadline, next.run(request))
        .await
        .unwrap_or_else(|_| {
            let seconds = deadline.as_secs_f64();
            Status::deadline_exceeded(format!("no answer within {seconds} s")).into_http()
        })
}

/// The header `grpc-timeout`: at most eight digits and a unit.
fn asked(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(header) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    let wrong =
        || Status::invalid_argument("grpc-timeout must be at most eight digits and one of H, M, S, m, u, n");
    let text = header.to_str().map_err(|_| wrong())?;
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let duration = match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return Err(wrong()),
    };
    Ok(Some(duration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(text: &str) -> Result<Option<Duration>, Status> {
        let value = HeaderValue::from_str(text).unwrap();
        asked(&[("grpc-timeout".parse().unwrap(), value)].into_iter().collect())
    }

    #[test]
    fn the_clients_timeout_is_read_in_every_unit_and_refused_when_malformed() {
        assert_eq!(of("2S").unwrap(), Some(Duration::from_secs(2)));
        assert_eq!(
            of("99999999H").unwrap(),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        assert_eq!(of("15m").unwrap(), Some(Duration::from_millis(15)));
        assert_eq!(asked(&HeaderMap::new()).unwrap(), None);
        for text in ["", "S", "1", "1s", "-1S", "123456789S", "1.5S", "1 S", "ä"] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
