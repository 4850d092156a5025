//! States and kinds of links as words.

use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use kaizen_api::tracker::v1::{LinkKind, TicketState};

/// What the names of states have in common.
const STATE: &str = "TICKET_STATE_";

/// Reads a state as it is typed: a word of those that the wire has.
pub fn states() -> impl TypedValueParser<Value = TicketState> {
    static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let all = (1..).map_while(|number| TicketState::try_from(number).ok());
        all.map(state).collect()
    });
    PossibleValuesParser::new(WORDS.iter().map(String::as_str)).map(|word| {
        let name = format!("{STATE}{}", word.to_uppercase());
        // One of these words; the rest is refused before
        TicketState::from_str_name(&name).unwrap_or_default()
    })
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
    short(state.as_str_name(), STATE)
}

/// The word of a kind of link.
pub fn kind(kind: LinkKind) -> String {
    short(kind.as_str_name(), "LINK_KIND_")
}

fn short(name: &str, common: &str) -> String {
    name.trim_start_matches(common).to_lowercase()
}
