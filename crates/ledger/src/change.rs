//! What may be done to a ticket, and what comes of it. Pure: the clock is the caller's.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::error::LedgerError;
use crate::limits;
use crate::state::State;
use crate::ticket::{Implementation, Link, Ticket, check_due_date, sorted_labels};

/// What may be changed, as the change ledger has it.
const KINDS: [&str; 4] = ["deploy", "prompt", "model", "config"];
/// How far an implementation may lie ahead: clocks differ.
const AHEAD: Duration = Duration::from_secs(600);

/// A change of a ticket: what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Who changes it, 1 to 128 characters.
    pub actor: String,
    /// What whoever changes it says, at most 4,000 characters; alone it is a comment.
    pub comment: String,
    /// As in [`Ticket::title`].
    pub title: Option<String>,
    /// As in [`Ticket::description`].
    pub description: Option<String>,
    /// As in [`Ticket::owner`].
    pub owner: Option<String>,
    /// As in [`Ticket::labels`]; in any order.
    pub labels: Option<Vec<String>>,
    /// As in [`Ticket::due_date`].
    pub due_date: Option<Option<Date>>,
    /// As in [`Ticket::links`].
    pub links: Option<Vec<Link>>,
    /// Where it goes.
    pub state: Option<State>,
    /// Number of the ticket it repeats: with [`State::Duplicate`], and only then.
    pub duplicate_of: Option<i64>,
    /// What was done: with [`State::Implemented`], and only then.
    pub implementation: Option<Implementation>,
}

impl Change {
    /// The ticket after the change, its revision and times as before.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] or [`LedgerError::Illegal`].
    pub fn apply(&self, ticket: &Ticket, now: Timestamp) -> Result<Ticket, LedgerError> {
        self.check(now)?;
        let mut after = ticket.clone();
        if let Some(title) = &self.title {
            after.title.clone_from(title);
        }
        if let Some(description) = &self.description {
            after.description.clone_from(description);
        }
        if let Some(owner) = &self.owner {
            after.owner.clone_from(owner);
        }
        if let Some(labels) = &self.labels {
            after.labels = sorted_labels(labels)?;
        }
        if let Some(due_date) = self.due_date {
            after.due_date = due_date;
        }
        if let Some(links) = &self.links {
            after.links.clone_from(links);
        }
        if let Some(to) = self.state {
            self.transition(&mut after, to)?;
        }
        Ok(after)
    }

    fn check(&self, now: Timestamp) -> Result<(), LedgerError> {
        limits::line("actor", &self.actor, limits::NAME)?;
        limits::lines("comment", &self.comment)?;
        if let Some(title) = &self.title {
            limits::line("title", title, limits::TITLE)?;
        }
        limits::lines("description", self.description.as_deref().unwrap_or_default())?;
        limits::optional_line("owner", self.owner.as_deref().unwrap_or_default(), limits::NAME)?;
        check_due_date(self.due_date.flatten())?;
        Link::check_all(self.links.as_deref().unwrap_or_default())?;
        if (self.state == Some(State::Duplicate)) != self.duplicate_of.is_some() {
            return Err(LedgerError::invalid(
                "duplicate_of",
                "is required to make a ticket a duplicate, and only then",
            ));
        }
        if (self.state == Some(State::Implemented)) != self.implementation.is_some() {
            return Err(LedgerError::invalid(
                "implementation",
                "is required to make a ticket implemented, and only then",
            ));
        }
        match &self.implementation {
            Some(implementation) => check_implementation(implementation, now),
            None => Ok(()),
        }
    }

    fn transition(&self, ticket: &mut Ticket, to: State) -> Result<(), LedgerError> {
        let from = ticket.state;
        if !from.may_become(to) {
            return Err(LedgerError::Illegal { from, to });
        }
        if to.needs_reason() && self.comment.trim().is_empty() {
            return Err(LedgerError::invalid(
                "comment",
                format!("is required to say why the ticket is {to}"),
            ));
        }
        if self.duplicate_of == Some(ticket.number) {
            return Err(LedgerError::invalid("duplicate_of", "must be another ticket"));
        }
        ticket.state = to;
        ticket.duplicate_of = self.duplicate_of;
        match to {
            State::Implemented => ticket.implementation.clone_from(&self.implementation),
            State::Reopened => ticket.implementation = None,
            _ => {}
        }
        Ok(())
    }
}

fn check_implementation(implementation: &Implementation, now: Timestamp) -> Result<(), LedgerError> {
    if !KINDS.contains(&implementation.kind.as_str()) {
        let rule = format!("must be one of {}", KINDS.join(", "));
        return Err(LedgerError::invalid("implementation.kind", rule));
    }
    limits::optional_line(
        "implementation.component",
        &implementation.component,
        limits::NAME,
    )?;
    limits::optional_line("implementation.version", &implementation.version, limits::NAME)?;
    limits::lines("implementation.description", &implementation.description)?;
    check_extent(implementation)?;
    let is_ahead =
        implementation.at.duration_since(now) > jiff::SignedDuration::try_from(AHEAD).unwrap_or_default();
    if is_ahead || implementation.at < Timestamp::UNIX_EPOCH {
        return Err(LedgerError::invalid(
            "implementation.implement_time",
            "must be between 1970 and now, at most 10 minutes ahead",
        ));
    }
    Ok(())
}

/// Which decisions it applies to, and what it costs.
fn check_extent(implementation: &Implementation) -> Result<(), LedgerError> {
    let invalid =
        |field: &str, rule: &str| Err(LedgerError::invalid(format!("implementation.{field}"), rule));
    if !(0.0..=limits::HOURS).contains(&implementation.hours.unwrap_or_default()) {
        return invalid("hours", "must be 0 to 1000000");
    }
    if !(-limits::COST..=limits::COST).contains(&implementation.running_cost_per_day) {
        return invalid("running_cost_per_day", "must be -1000000000 to 1000000000");
    }
    if implementation.slice.len() > limits::CONDITIONS {
        return invalid("slice", "must be at most 10 conditions");
    }
    for (index, (dimension, value)) in implementation.slice.iter().enumerate() {
        let field = format!("implementation.slice[{index}]");
        limits::line(&format!("{field}.dimension"), dimension, limits::NAME)?;
        limits::optional_line(&format!("{field}.value"), value, limits::VALUE)?;
        if implementation.slice[..index]
            .iter()
            .any(|(other, _)| other == dimension)
        {
            return invalid(
                &format!("slice[{index}].dimension"),
                "must be another one than those before it",
            );
        }
    }
    limits::optional_line(
        "implementation.experiment",
        &implementation.experiment,
        limits::NAME,
    )?;
    limits::optional_line("implementation.arm", &implementation.arm, limits::LABEL)?;
    if implementation.experiment.is_empty() != implementation.arm.is_empty() {
        return invalid("arm", "is required with an experiment, and only then");
    }
    Ok(())
}
