//! GitHub's `issues` event.

use axum::http::HeaderMap;
use serde::Deserialize;

use super::told::{Event, Malformed, Told, time};

#[derive(Deserialize)]
struct Payload {
    action: String,
    issue: Issue,
    sender: User,
}

#[derive(Deserialize)]
struct Issue {
    html_url: String,
    state_reason: Option<String>,
    closed_at: Option<String>,
    assignee: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

/// Reads an event; of other things than issues, nothing.
pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Option<Told>, Malformed> {
    if headers
        .get("x-github-event")
        .is_none_or(|event| event != "issues")
    {
        return Ok(None);
    }
    let it: Payload = serde_json::from_slice(body)?;
    let closed = || {
        let closed_at = it.issue.closed_at.as_deref().unwrap_or_default();
        Ok::<_, Malformed>(match it.issue.state_reason.as_deref() {
            Some("not_planned" | "duplicate") => Event::Declined,
            _ => Event::Done(time("issue.closed_at", closed_at)?),
        })
    };
    let event = match it.action.as_str() {
        "closed" => closed()?,
        "reopened" => Event::Reopened,
        "assigned" | "unassigned" => {
            Event::Owner(it.issue.assignee.map(|user| user.login).unwrap_or_default())
        }
        _ => return Ok(None),
    };
    Ok(Some(Told {
        url: it.issue.html_url,
        actor: format!("github:{}", it.sender.login),
        event,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_issue(action: &str, more: &str) -> Result<Option<Told>, Malformed> {
        let headers = HeaderMap::from_iter([("x-github-event".parse().unwrap(), "issues".parse().unwrap())]);
        let body = format!(
            r#"{{"action": "{action}", "sender": {{"login": "octocat", "id": 1}}, "repository": {{}},
                "issue": {{"html_url": "https://github.example/a/b/issues/7", "number": 7 {more}}}}}"#
        );
        read(&headers, body.as_bytes())
    }

    #[test]
    fn an_issue_that_is_closed_is_done_or_declined_by_its_reason() {
        let closed = r#", "closed_at": "2026-11-20T09:00:00Z", "state_reason": "completed""#;
        let told = read_issue("closed", closed).unwrap().unwrap();
        assert_eq!(told.url, "https://github.example/a/b/issues/7");
        assert_eq!(told.actor, "github:octocat");
        assert_eq!(told.event, Event::Done("2026-11-20T09:00:00Z".parse().unwrap()));
        let declined = r#", "closed_at": "2026-11-20T09:00:00Z", "state_reason": "not_planned""#;
        assert_eq!(
            read_issue("closed", declined).unwrap().unwrap().event,
            Event::Declined
        );
        let error = read_issue("closed", "").unwrap_err().to_string();
        assert!(error.starts_with("issue.closed_at must be a time"), "{error}");
    }

    #[test]
    fn other_actions_are_followed_or_left_alone() {
        assert_eq!(
            read_issue("reopened", "").unwrap().unwrap().event,
            Event::Reopened
        );
        let assigned = r#", "assignee": {"login": "anna"}"#;
        let told = read_issue("assigned", assigned).unwrap().unwrap();
        assert_eq!(told.event, Event::Owner("anna".to_owned()));
        assert_eq!(read_issue("labeled", "").unwrap(), None);
        assert_eq!(read(&HeaderMap::new(), b"{}").unwrap(), None);
    }
}
