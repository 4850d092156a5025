//! `kaizen tickets export`: a ticket as an issue of another tracker, in the JSON that its interface creates issues from.

use clap::{Args, ValueEnum};
use kaizen_api::tracker::v1::Ticket;
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::output;

/// Which ticket, and as an issue of what.
#[derive(Debug, Args)]
pub struct Export {
    /// Ticket, such as T-17
    id: String,
    /// Whose issue it is to be
    #[arg(long, value_enum)]
    format: Format,
    /// Project of Jira, such as OPS
    #[arg(long, value_name = "KEY", required_if_eq("format", "jira"))]
    project: Option<String>,
    /// Kind of Jira's issue
    #[arg(long, value_name = "NAME", default_value = "Task")]
    issue_type: String,
}

/// Another tracker.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// The body of `POST /repos/OWNER/REPO/issues`
    Github,
    /// The body of `POST /rest/api/2/issue`
    Jira,
}

/// Runs it.
pub async fn run(export: &Export, client: &mut TrackerServiceClient<Channel>) -> anyhow::Result<()> {
    output::json(&export.issue(&super::get(&export.id, client).await?))
}

impl Export {
    /// <https://docs.github.com/en/rest/issues/issues#create-an-issue>,
    /// <https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-post>. The owner is no account of
    /// theirs, so that nobody is assigned.
    fn issue(&self, ticket: &Ticket) -> Value {
        match self.format {
            Format::Github => json!({
                "title": ticket.title,
                "body": body(ticket, "1. "),
                "labels": ticket.labels,
            }),
            Format::Jira => {
                // Jira refuses labels with spaces.
                let label = |label: &String| label.split_whitespace().collect::<Vec<_>>().join("_");
                let mut fields = json!({
                    "project": { "key": self.project },
                    "issuetype": { "name": self.issue_type },
                    "summary": ticket.title,
                    "description": body(ticket, "# "),
                    "labels": ticket.labels.iter().map(label).collect::<Vec<_>>(),
                });
                if !ticket.due_date.is_empty() {
                    fields["duedate"] = json!(ticket.due_date);
                }
                json!({ "fields": fields })
            }
        }
    }
}

/// What it is about, what to do, and where it comes from; `item` begins a line of a numbered list.
fn body(ticket: &Ticket, item: &str) -> String {
    let recommended = ticket.recommendation.as_ref();
    let recommended = recommended.and_then(|it| it.recommendation.as_ref());
    let steps = recommended.map_or(&[][..], |it| &it.action_items);
    let list: Vec<String> = steps.iter().map(|step| format!("{item}{step}")).collect();
    let facts = [
        ("Metric", &ticket.metric),
        ("Owner", &ticket.owner),
        ("Due", &ticket.due_date),
        ("Recommended by", &ticket.rule),
        ("Ticket of Kaizen", &ticket.ticket_id),
    ];
    let facts = facts.iter().filter(|(_, value)| !value.is_empty());
    let facts: Vec<String> = facts.map(|(name, value)| format!("{name}: {value}")).collect();
    let parts = [ticket.description.clone(), list.join("\n"), facts.join("\n")];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kaizen_api::analysis::v1::Recommendation;
    use kaizen_api::tracker::v1::FrozenRecommendation;

    fn ticket() -> Ticket {
        let recommendation = Recommendation {
            action_items: vec!["Look".to_owned(), "Mend".to_owned()],
            ..Recommendation::default()
        };
        Ticket {
            ticket_id: "T-17".to_owned(),
            title: "Mend the crawler".to_owned(),
            description: "It fails.".to_owned(),
            metric: "website_scraping.success_rate".to_owned(),
            labels: vec!["data quality".to_owned(), "urgent".to_owned()],
            due_date: "2026-12-24".to_owned(),
            recommendation: Some(FrozenRecommendation {
                recommendation: Some(recommendation),
                ..FrozenRecommendation::default()
            }),
            ..Ticket::default()
        }
    }

    fn export(format: Format) -> Export {
        Export {
            id: "T-17".to_owned(),
            format,
            project: Some("OPS".to_owned()),
            issue_type: "Task".to_owned(),
        }
    }

    #[test]
    fn an_issue_of_github_has_what_to_do_and_where_it_comes_from() {
        assert_eq!(
            export(Format::Github).issue(&ticket()),
            json!({
                "title": "Mend the crawler",
                "body": "It fails.\n\n1. Look\n1. Mend\n\nMetric: website_scraping.success_rate\nDue: 2026-12-24\nTicket of Kaizen: T-17",
                "labels": ["data quality", "urgent"],
            })
        );
    }

    #[test]
    fn an_issue_of_jira_is_in_a_project_and_has_labels_without_spaces() {
        let issue = export(Format::Jira).issue(&ticket());
        let fields = &issue["fields"];
        assert_eq!(fields["project"]["key"], "OPS");
        assert_eq!(fields["issuetype"]["name"], "Task");
        assert_eq!(fields["labels"], json!(["data_quality", "urgent"]));
        assert_eq!(fields["duedate"], "2026-12-24");
        let bare = Ticket {
            due_date: String::new(),
            ..ticket()
        };
        assert!(
            export(Format::Jira).issue(&bare)["fields"]
                .get("duedate")
                .is_none()
        );
    }
}
