//! States and kinds of links as words.

use clap::ValueEnum;
use kaizen_api::tracker::v1::{LinkKind, TicketState};

/// A state, as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum State {
    /// Somebody or a rule says that something should be done
    Proposed,
    /// It will be done
    Accepted,
    /// It is being done
    InProgress,
    /// It is done and live
    Implemented,
    /// What it changed is being measured
    Measuring,
    /// It made things better
    Verified,
    /// It made no difference that could be seen
    NoEffect,
    /// It made things worse
    Worse,
    /// The data cannot tell
    Inconclusive,
    /// It will not be done
    Cancelled,
    /// Another ticket says the same
    Duplicate,
    /// It is to be looked at again
    Reopened,
}

impl State {
    /// As the wire has it.
    pub const fn state(self) -> TicketState {
        match self {
            Self::Proposed => TicketState::Proposed,
            Self::Accepted => TicketState::Accepted,
            Self::InProgress => TicketState::InProgress,
            Self::Implemented => TicketState::Implemented,
            Self::Measuring => TicketState::Measuring,
            Self::Verified => TicketState::Verified,
            Self::NoEffect => TicketState::NoEffect,
            Self::Worse => TicketState::Worse,
            Self::Inconclusive => TicketState::Inconclusive,
            Self::Cancelled => TicketState::Cancelled,
            Self::Duplicate => TicketState::Duplicate,
            Self::Reopened => TicketState::Reopened,
        }
    }
}

/// What a measurement has shown.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Verdict {
    /// It made things better
    Verified,
    /// It made no difference that could be seen
    NoEffect,
    /// It made things worse
    Worse,
    /// The data cannot tell
    Inconclusive,
}

impl Verdict {
    /// As the wire has it.
    pub const fn state(self) -> TicketState {
        match self {
            Self::Verified => TicketState::Verified,
            Self::NoEffect => TicketState::NoEffect,
            Self::Worse => TicketState::Worse,
            Self::Inconclusive => TicketState::Inconclusive,
        }
    }
}

/// What a link leads to, as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Kind {
    /// The change under review
    PullRequest,
    /// The change going live
    Deploy,
    /// The same work in another tracker
    Issue,
    /// Anything else
    Other,
}

impl Kind {
    /// As the wire has it.
    pub const fn kind(self) -> LinkKind {
        match self {
            Self::PullRequest => LinkKind::PullRequest,
            Self::Deploy => LinkKind::Deploy,
            Self::Issue => LinkKind::Issue,
            Self::Other => LinkKind::Other,
        }
    }
}

/// The word of a state: its name in the proto, without what all have in common.
pub fn state(state: TicketState) -> String {
    short(state.as_str_name(), "TICKET_STATE_")
}

/// The word of a kind of link.
pub fn kind(kind: LinkKind) -> String {
    short(kind.as_str_name(), "LINK_KIND_")
}

fn short(name: &str, common: &str) -> String {
    name.trim_start_matches(common).to_lowercase()
}
