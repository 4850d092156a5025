use kaizen_ledger::{Event, LinkKind, Ticket};
use serde::Serialize;

/// An entry of the change ledger, as `docs/api/change.schema.json` has it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    event_id: String,
    kind: String,
    component: String,
    version: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// What the event says was done; the link is the ticket's first deploy, or its first at all. Where a text is required and none
/// was told, it is the ticket's identity.
pub fn entry(event: &Event, ticket: &Ticket) -> Entry {
    let id = ticket.id();
    let told = |field: &str| {
        let change = event.changes.iter().find(|it| it.field == field);
        change.map(|it| it.after.clone()).filter(|it| !it.is_empty())
    };
    let deploy = ticket.links.iter().find(|it| it.kind == LinkKind::Deploy);
    let link = deploy.or(ticket.links.first());
    Entry {
        event_id: format!("ticket-{}-{}", ticket.number, event.revision),
        kind: told("change_kind").unwrap_or_else(|| "deploy".to_owned()),
        component: told("component").unwrap_or_else(|| id.clone()),
        version: told("version").unwrap_or(id),
        at: told("implement_time").unwrap_or_else(|| event.at.to_string()),
        link: link.map(|it| it.url.clone()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kaizen_ledger::{FieldChange, Link, State};

    use super::*;

    fn ticket() -> Ticket {
        let link = |kind, url: &str| Link {
            kind,
            url: url.into(),
            title: String::new(),
        };
        Ticket {
            number: 7,
            revision: 31,
            state: State::Implemented,
            title: "Mend it".into(),
            description: String::new(),
            category: String::new(),
            metric: String::new(),
            rule: String::new(),
            owner: String::new(),
            labels: Vec::new(),
            due_date: None,
            links: vec![
                link(LinkKind::PullRequest, "https://code.example/1"),
                link(LinkKind::Deploy, "https://deploy.example/2"),
            ],
            duplicate_of: None,
            evidence: None,
            implementation: None,
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "anna".into(),
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn event(changes: &[(&str, &str)]) -> Event {
        let change = |(field, after): &(&str, &str)| FieldChange {
            field: (*field).into(),
            before: String::new(),
            after: (*after).into(),
        };
        Event {
            revision: 31,
            number: 7,
            at: Timestamp::UNIX_EPOCH,
            actor: "anna".into(),
            comment: String::new(),
            changes: changes.iter().map(change).collect(),
            measured: None,
        }
    }

    #[test]
    fn an_entry_says_what_was_done_and_where_to_read_of_it() {
        let told = event(&[
            ("state", "implemented"),
            ("implement_time", "2026-11-20T09:00:00Z"),
            ("change_kind", "prompt"),
            ("component", "lead_enrichment"),
            ("version", "v13"),
        ]);
        let json = serde_json::to_value(entry(&told, &ticket())).unwrap();
        let expected = serde_json::json!({
            "event_id": "ticket-7-31", "kind": "prompt", "component": "lead_enrichment", "version": "v13",
            "at": "2026-11-20T09:00:00Z", "link": "https://deploy.example/2",
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn what_was_not_told_is_the_ticket_itself() {
        let mut ticket = ticket();
        ticket.links.clear();
        let found = entry(&event(&[("state", "implemented")]), &ticket);
        assert_eq!((found.component.as_str(), found.version.as_str()), ("T-7", "T-7"));
        assert_eq!((found.at.as_str(), found.link), ("1970-01-01T00:00:00Z", None));
    }
}
