//! What a ticket is.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::limits;
use crate::state::State;

/// A ticket as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// Counts tickets, from 1; [`ticket_id`] makes its identity of it.
    pub number: i64,
    /// Revision of the ledger at its last change: higher than that of any earlier change of any ticket. The etag.
    pub revision: i64,
    /// Where it stands.
    pub state: State,
    /// In one line, 1 to 200 characters.
    pub title: String,
    /// In a few sentences, at most 4,000 characters.
    pub description: String,
    /// What it is filed under, for example `enrichment`; at most 64 characters.
    pub category: String,
    /// Metric it is to improve, `COMPONENT.METRIC`; may be empty.
    pub metric: String,
    /// The rule that recommended it; empty when made by hand.
    pub rule: String,
    /// Who does it; empty while nobody does.
    pub owner: String,
    /// Sorted, each once; at most 20 of at most 64 characters.
    pub labels: Vec<String>,
    /// By when it is to be done.
    pub due_date: Option<Date>,
    /// Where to read more; at most 50.
    pub links: Vec<Link>,
    /// Number of the ticket it repeats, when it is a duplicate.
    pub duplicate_of: Option<i64>,
    /// The recommendation it was created from, as it was then.
    pub evidence: Option<Evidence>,
    /// What was done, from `implemented` on.
    pub implementation: Option<Implementation>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Ticket {
    /// Its identity, for example `T-17`.
    pub fn id(&self) -> String {
        ticket_id(self.number)
    }
}

/// The identity of the ticket of a number, for example `T-17`.
pub fn ticket_id(number: i64) -> String {
    format!("T-{number}")
}

/// The number of an identity; `17` and `t-17` are read too.
pub fn ticket_number(id: &str) -> Option<i64> {
    numbered(id, ["T-", "t-"])
}

/// The number above 0 behind one of two prefixes, or without.
pub(crate) fn numbered(id: &str, prefixes: [&str; 2]) -> Option<i64> {
    let digits = prefixes
        .iter()
        .find_map(|prefix| id.strip_prefix(prefix))
        .unwrap_or(id);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|number| *number > 0)
}

/// A recommendation frozen at the moment its ticket was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The same for the same finding in every analysis.
    pub recommendation_id: String,
    /// All of it, as JSON; the ledger does not read it.
    pub content: String,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The change under review.
    PullRequest,
    /// The change going live.
    Deploy,
    /// The same work in another tracker.
    Issue,
    /// Anything else.
    Other,
}

impl LinkKind {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PullRequest => "pull_request",
            Self::Deploy => "deploy",
            Self::Issue => "issue",
            Self::Other => "other",
        }
    }
}

/// Where to read more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it leads to.
    pub kind: LinkKind,
    /// `http` or `https`, at most 2,000 characters.
    pub url: String,
    /// At most 200 characters; may be empty.
    pub title: String,
}

impl Link {
    pub(crate) fn check_all(links: &[Self]) -> Result<(), LedgerError> {
        if links.len() > limits::LINKS {
            return Err(LedgerError::invalid(
                "links",
                format!("must be at most {}", limits::LINKS),
            ));
        }
        for (index, link) in links.iter().enumerate() {
            limits::address(&format!("links[{index}].url"), &link.url)?;
            limits::optional_line(&format!("links[{index}].title"), &link.title, limits::TITLE)?;
        }
        Ok(())
    }
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Implementation {
    /// From when it is live: what comes later is measured against what came before.
    pub at: Timestamp,
    /// What kind of thing was changed: `deploy`, `prompt`, `model` or `config`, as in the change ledger.
    pub kind: String,
    /// What was changed, for example a component of the catalogue, at most 128 characters; may be empty.
    pub component: String,
    /// What the changed thing is from then on, at most 128 characters; may be empty.
    pub version: String,
    /// In a few sentences, at most 4,000 characters; may be empty.
    pub description: String,
    /// Hours of work it took, up to 1,000,000.
    #[serde(default)]
    pub hours: Option<f64>,
    /// What running it costs more a day than before; below 0 where it costs less.
    #[serde(default)]
    pub running_cost_per_day: f64,
    /// Which decisions it applies to, as dimension and value, at most 10; empty for the slice of the recommendation.
    #[serde(default)]
    pub slice: Vec<(String, String)>,
    /// The experiment whose arms say which decisions it applies to; may be empty.
    #[serde(default)]
    pub experiment: String,
    /// The arm that has the change; empty without an experiment.
    #[serde(default)]
    pub arm: String,
}

impl Implementation {
    /// What is taken of a change of a ticket of which only the time is known: a deploy of the component of its metric.
    pub fn of(ticket: &Ticket, at: Timestamp) -> Self {
        let (component, _) = ticket.metric.split_once('.').unwrap_or_default();
        Self {
            at,
            kind: "deploy".to_owned(),
            component: component.to_owned(),
            ..Self::default()
        }
    }
}

/// What a ticket is created from.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTicket {
    /// Identity of the request, 1 to 64 letters, digits, `-` and `_`: the same request creates one ticket.
    pub request_id: String,
    /// Who creates it, 1 to 128 characters.
    pub actor: String,
    /// As in [`Ticket::title`].
    pub title: String,
    /// As in [`Ticket::description`].
    pub description: String,
    /// As in [`Ticket::category`].
    pub category: String,
    /// As in [`Ticket::metric`].
    pub metric: String,
    /// As in [`Ticket::rule`].
    pub rule: String,
    /// As in [`Ticket::owner`].
    pub owner: String,
    /// As in [`Ticket::labels`]; in any order.
    pub labels: Vec<String>,
    /// As in [`Ticket::due_date`].
    pub due_date: Option<Date>,
    /// As in [`Ticket::links`].
    pub links: Vec<Link>,
    /// As in [`Ticket::evidence`].
    pub evidence: Option<Evidence>,
}

impl NewTicket {
    pub(crate) fn check(&self) -> Result<(), LedgerError> {
        limits::request_id(&self.request_id)?;
        limits::line("actor", &self.actor, limits::NAME)?;
        limits::line("title", &self.title, limits::TITLE)?;
        limits::lines("description", &self.description)?;
        limits::optional_line("category", &self.category, limits::LABEL)?;
        limits::optional_line("metric", &self.metric, limits::NAME)?;
        limits::optional_line("rule", &self.rule, limits::NAME)?;
        limits::optional_line("owner", &self.owner, limits::NAME)?;
        check_due_date(self.due_date)?;
        Link::check_all(&self.links)
    }
}

/// A date that sorts before the absent one.
pub(crate) fn check_due_date(date: Option<Date>) -> Result<(), LedgerError> {
    match date {
        Some(date) if !(1970..9999).contains(&date.year()) => Err(LedgerError::invalid(
            "due_date",
            "must be between 1970-01-01 and 9998-12-31",
        )),
        _ => Ok(()),
    }
}

/// Labels in order, each once.
///
/// # Errors
/// One is empty or too long, or there are too many.
pub(crate) fn sorted_labels(labels: &[String]) -> Result<Vec<String>, LedgerError> {
    for (index, label) in labels.iter().enumerate() {
        limits::line(&format!("labels[{index}]"), label, limits::LABEL)?;
    }
    let mut labels: Vec<String> = labels.iter().map(|label| label.trim().to_owned()).collect();
    labels.sort();
    labels.dedup();
    if labels.len() > limits::LABELS {
        return Err(LedgerError::invalid(
            "labels",
            format!("must be at most {}", limits::LABELS),
        ));
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_back_as_its_number_and_anything_else_is_none() {
        for (id, number) in [("T-17", Some(17)), ("t-17", Some(17)), ("17", Some(17))] {
            assert_eq!(ticket_number(id), number);
        }
        for id in [
            "",
            "T-",
            "T-0",
            "0",
            "-1",
            "T--1",
            "+1",
            "T-1x",
            "T-99999999999999999999",
        ] {
            assert_eq!(ticket_number(id), None, "{id}");
        }
        assert_eq!(ticket_id(17), "T-17");
    }

    #[test]
    fn labels_are_sorted_and_each_is_there_once() {
        let labels = ["b", " a ", "b"].map(str::to_owned);
        assert_eq!(sorted_labels(&labels).unwrap(), ["a", "b"]);
        assert!(
            sorted_labels(&[String::new()])
                .unwrap_err()
                .to_string()
                .starts_with("labels[0] ")
        );
        let many: Vec<String> = (0..21).map(|it| it.to_string()).collect();
        assert_eq!(
            sorted_labels(&many).unwrap_err().to_string(),
            "labels must be at most 20"
        );
    }
}
