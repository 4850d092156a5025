//! What other trackers tell of their issues: a ticket that has an issue's link goes along with it.
//!
//! A request is signed with a secret both sides know ([`verify`]), says what happened to an issue ([`github`], [`jira`]), and
//! moves the tickets that are linked to it ([`follow`]). Sent again, it finds them moved.

mod follow;
mod github;
mod jira;
mod told;
mod verify;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use kaizen_api::status::chain;
use kaizen_ledger::{Ledger, LedgerError};
use serde_json::json;

use crate::config::HooksConfig;
use told::{Malformed, Told};

/// Largest body in bytes. Issues are a few kilobytes.
const LARGEST: usize = 1 << 20;

/// Reads what happened to an issue; `None` where it is nothing that a ticket follows.
type Read = fn(&HeaderMap, &[u8]) -> Result<Option<Told>, Malformed>;

#[derive(Clone)]
struct Hook {
    ledger: Ledger,
    secret: String,
    header: &'static str,
    read: Read,
}

/// A path for each tracker that has a secret.
pub fn router(ledger: &Ledger, config: &HooksConfig) -> Router {
    let hooks: [(&str, &str, &'static str, Read); 2] = [
        (
            "/hooks/github",
            config.github_secret.reveal(),
            "x-hub-signature-256",
            github::read,
        ),
        (
            "/hooks/jira",
            config.jira_secret.reveal(),
            "x-hub-signature",
            jira::read,
        ),
    ];
    let mut router = Router::new();
    for (path, secret, header, read) in hooks {
        if !secret.is_empty() {
            let hook = Hook {
                ledger: ledger.clone(),
                secret: secret.to_owned(),
                header,
                read,
            };
            let of_path = Router::new().route(path, post(answer)).with_state(hook);
            router = router.merge(of_path);
        }
    }
    router.layer(DefaultBodyLimit::max(LARGEST))
}

async fn answer(State(hook): State<Hook>, headers: HeaderMap, body: Bytes) -> Response {
    if !verify::is_signed(headers.get(hook.header), hook.secret.as_bytes(), &body) {
        return refuse(StatusCode::UNAUTHORIZED, "the signature is missing or wrong");
    }
    let told = match (hook.read)(&headers, &body) {
        Ok(told) => told,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let moved = match told {
        Some(told) => follow::follow(&hook.ledger, &told).await,
        None => Ok(Vec::new()),
    };
    match moved {
        Ok(tickets) => axum::Json(json!({ "tickets": tickets })).into_response(),
        Err(error @ LedgerError::Invalid { .. }) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(error) => {
            tracing::warn!(error = chain(&error), "a ticket did not follow its issue");
            refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "the ledger gave no answer; send it again",
            )
        }
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, axum::Json(json!({ "error": why }))).into_response()
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use axum::body::Body;
    use axum::http::Request;
    use hmac::{Hmac, KeyInit, Mac};
    use kaizen_ledger::{Link, LinkKind, NewTicket, State as TicketState};
    use sha2::Sha256;
    use tower::ServiceExt;

    use super::*;

    const ISSUE: &str = "https://github.example/a/b/issues/7";

    fn new_ticket() -> NewTicket {
        NewTicket {
            request_id: "one".into(),
            actor: "anna".into(),
            title: "Mend it".into(),
            description: String::new(),
            category: String::new(),
            metric: "lead_enrichment.success_rate".into(),
            rule: String::new(),
            owner: String::new(),
            labels: Vec::new(),
            due_date: None,
            links: vec![Link {
                kind: LinkKind::Issue,
                url: ISSUE.into(),
                title: String::new(),
            }],
            evidence: None,
        }
    }

    fn request(action: &str, secret: &str) -> Result<Request<Body>> {
        let body = json!({
            "action": action, "sender": {"login": "octocat"},
            "issue": {"html_url": ISSUE, "closed_at": "2026-11-20T09:00:00Z", "state_reason": "completed"},
        });
        let body = body.to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
        mac.update(body.as_bytes());
        let signature: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let request = Request::post("/hooks/github")
            .header("x-github-event", "issues")
            .header("x-hub-signature-256", format!("sha256={signature}"));
        Ok(request.body(Body::from(body))?)
    }

    #[tokio::test]
    async fn a_ticket_goes_along_with_its_issue_and_nobody_else_can_move_it() -> Result<()> {
        let folder = tempfile::TempDir::new()?;
        let url = format!("sqlite://{}", folder.path().join("ledger.db").display());
        let ledger = Ledger::open(&url.parse().map_err(anyhow::Error::msg)?, "").await?;
        ledger.create(&new_ticket()).await?;
        let config: HooksConfig = serde_json::from_str(r#"{"github_secret": "s3cret", "jira_secret": ""}"#)?;
        let router = router(&ledger, &config);
        let send = async |request: Request<Body>| anyhow::Ok(router.clone().oneshot(request).await?.status());

        assert_eq!(
            send(request("closed", "guessed")?).await?,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(ledger.ticket(1).await?.state, TicketState::Proposed);
        assert_eq!(send(request("closed", "s3cret")?).await?, StatusCode::OK);
        let ticket = ledger.ticket(1).await?;
        assert_eq!(ticket.state, TicketState::Implemented);
        let change = ticket
            .implementation
            .as_ref()
            .map(|it| (it.at.to_string(), it.component.clone()));
        assert_eq!(
            change,
            Some(("2026-11-20T09:00:00Z".to_owned(), "lead_enrichment".to_owned()))
        );
        // Sent again, it changes nothing
        assert_eq!(send(request("closed", "s3cret")?).await?, StatusCode::OK);
        assert_eq!(ledger.ticket(1).await?, ticket);
        assert_eq!(send(request("reopened", "s3cret")?).await?, StatusCode::OK);
        assert_eq!(ledger.ticket(1).await?.state, TicketState::Reopened);
        // Without a secret there is no such path
        let jira = Request::post("/hooks/jira").body(Body::empty())?;
        assert_eq!(send(jira).await?, StatusCode::NOT_FOUND);
        Ok(())
    }
}
