//! Jira's `jira:issue_updated` event.

use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;

use super::told::{Event, Malformed, Told, time};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    webhook_event: String,
    timestamp: i64,
    user: Option<User>,
    issue: Issue,
    #[serde(default)]
    changelog: Changelog,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    display_name: String,
}

#[derive(Deserialize)]
struct Issue {
    #[serde(rename = "self")]
    address: String,
    key: String,
    fields: Fields,
}

#[derive(Deserialize)]
struct Fields {
    status: Status,
    resolution: Option<Named>,
    resolutiondate: Option<String>,
    assignee: Option<User>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    status_category: Category,
}

#[derive(Deserialize)]
struct Category {
    key: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize, Default)]
struct Changelog {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    field: String,
}

/// Resolutions that say that nothing was done.
const DECLINED: [&str; 5] = [
    "won't do",
    "won't fix",
    "duplicate",
    "declined",
    "cannot reproduce",
];

/// Reads an event: of the status if that changed, else of the assignee; of other changes, nothing.
pub fn read(_headers: &HeaderMap, body: &[u8]) -> Result<Option<Told>, Malformed> {
    let it: Payload = serde_json::from_slice(body)?;
    if it.webhook_event != "jira:issue_updated" {
        return Ok(None);
    }
    let has_changed = |field: &str| it.changelog.items.iter().any(|item| item.field == field);
    let event = if has_changed("status") {
        status(&it)?
    } else if has_changed("assignee") {
        let assignee = it.issue.fields.assignee.as_ref();
        Event::Owner(assignee.map(|user| user.display_name.clone()).unwrap_or_default())
    } else {
        return Ok(None);
    };
    let (site, _) = it.issue.address.split_once("/rest/").ok_or(Malformed::Field {
        field: "issue.self",
        rule: "must be the address of an issue in Jira's REST API",
    })?;
    let actor = it
        .user
        .map_or_else(|| "jira".to_owned(), |user| format!("jira:{}", user.display_name));
    Ok(Some(Told {
        url: format!("{site}/browse/{}", it.issue.key),
        actor,
        event,
    }))
}

fn status(it: &Payload) -> Result<Event, Malformed> {
    let fields = &it.issue.fields;
    let resolution = fields.resolution.as_ref().map(|it| it.name.to_lowercase());
    match fields.status.status_category.key.as_str() {
        "done" if resolution.is_some_and(|it| DECLINED.contains(&it.as_str())) => Ok(Event::Declined),
        "done" => {
            let at = match &fields.resolutiondate {
                Some(text) => time("issue.fields.resolutiondate", text)?,
                None => Timestamp::from_millisecond(it.timestamp).map_err(|_| Malformed::Field {
                    field: "timestamp",
                    rule: "must be milliseconds since 1970",
                })?,
            };
            Ok(Event::Done(at))
        }
        "indeterminate" => Ok(Event::Started),
        _ => Ok(Event::Reopened),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_issue(field: &str, category: &str, resolution: &str) -> Told {
        let body = format!(
            r#"{{"timestamp": 1763629200000, "webhookEvent": "jira:issue_updated", "user": {{"displayName": "Anna B."}},
                "issue": {{"id": "10002", "self": "https://x.example/rest/api/2/issue/10002", "key": "OPS-7",
                  "fields": {{"status": {{"name": "S", "statusCategory": {{"key": "{category}"}}}},
                    "resolution": {resolution}, "resolutiondate": null, "assignee": {{"displayName": "Bert"}}}}}},
                "changelog": {{"id": "1", "items": [{{"field": "{field}", "toString": "S"}}]}}}}"#
        );
        read(&HeaderMap::new(), body.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn the_category_of_a_status_says_where_the_issue_stands() {
        let told = read_issue("status", "done", r#"{"name": "Done"}"#);
        assert_eq!(told.url, "https://x.example/browse/OPS-7");
        assert_eq!(told.actor, "jira:Anna B.");
        assert_eq!(told.event, Event::Done("2025-11-20T09:00:00Z".parse().unwrap()));
        assert_eq!(
            read_issue("status", "done", r#"{"name": "Won't Do"}"#).event,
            Event::Declined
        );
        assert_eq!(
            read_issue("status", "indeterminate", "null").event,
            Event::Started
        );
        assert_eq!(read_issue("status", "new", "null").event, Event::Reopened);
        assert_eq!(
            read_issue("assignee", "new", "null").event,
            Event::Owner("Bert".to_owned())
        );
    }

    #[test]
    fn jiras_times_are_read_and_what_is_missing_is_named() {
        assert_eq!(
            time("t", "2026-11-20T10:00:00.000+0100").unwrap(),
            "2026-11-20T09:00:00Z".parse::<Timestamp>().unwrap()
        );
        let error = read(&HeaderMap::new(), br#"{"webhookEvent": "jira:issue_updated"}"#);
        assert!(error.unwrap_err().to_string().contains("timestamp"));
    }
}
