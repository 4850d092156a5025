//! The life of a ticket: which state may follow which. Pure.

use std::fmt;
use std::str::FromStr;

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Somebody or a rule says that something should be done.
    Proposed,
    /// It will be done.
    Accepted,
    /// It is being done.
    InProgress,
    /// It is done and live.
    Implemented,
    /// What it changed is being measured.
    Measuring,
    /// It made things better.
    Verified,
    /// It made no difference that could be seen.
    NoEffect,
    /// It made things worse.
    Worse,
    /// The data cannot tell.
    Inconclusive,
    /// It will not be done.
    Cancelled,
    /// Another ticket says the same.
    Duplicate,
    /// It was ended or done, and is to be looked at again.
    Reopened,
}

use State::{
    Accepted, Cancelled, Duplicate, Implemented, InProgress, Inconclusive, Measuring, NoEffect, Proposed,
    Reopened, Verified, Worse,
};

impl State {
    /// All of them, in the order of a ticket's life.
    pub const ALL: [Self; 12] = [
        Proposed,
        Accepted,
        InProgress,
        Implemented,
        Measuring,
        Verified,
        NoEffect,
        Worse,
        Inconclusive,
        Cancelled,
        Duplicate,
        Reopened,
    ];

    /// What may follow. Nothing follows itself: of two people who accept one ticket, one is told that it is accepted.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Proposed => &[Accepted, Cancelled, Duplicate],
            Accepted => &[InProgress, Cancelled, Duplicate],
            // Back to `accepted` when whoever began it lets it go.
            InProgress => &[Implemented, Accepted, Cancelled, Duplicate],
            Implemented => &[Measuring, Reopened],
            Measuring => &[Verified, NoEffect, Worse, Inconclusive, Reopened],
            // A longer measurement may follow a shorter one.
            Verified | NoEffect | Worse | Inconclusive => &[Measuring, Reopened],
            Cancelled | Duplicate => &[Reopened],
            Reopened => &[Accepted, InProgress, Cancelled, Duplicate],
        }
    }

    /// Whether `to` may follow.
    pub fn may_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }

    /// Whether the ticket is not at an end: a recommendation has at most one such ticket.
    pub const fn is_open(self) -> bool {
        !matches!(
            self,
            Verified | NoEffect | Worse | Inconclusive | Cancelled | Duplicate
        )
    }

    /// Whether whoever moves a ticket here must say why.
    pub const fn needs_reason(self) -> bool {
        matches!(
            self,
            Verified | NoEffect | Worse | Inconclusive | Cancelled | Reopened
        )
    }

    /// Its word, as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Proposed => "proposed",
            Accepted => "accepted",
            InProgress => "in_progress",
            Implemented => "implemented",
            Measuring => "measuring",
            Verified => "verified",
            NoEffect => "no_effect",
            Worse => "worse",
            Inconclusive => "inconclusive",
            Cancelled => "cancelled",
            Duplicate => "duplicate",
            Reopened => "reopened",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    /// The state of a word; the error names all words.
    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| format!("must be one of {}", words(&Self::ALL)))
    }
}

/// The words of some states, for people.
pub(crate) fn words(states: &[State]) -> String {
    states
        .iter()
        .map(|state| state.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_word_is_read_back_as_its_state_and_other_words_are_refused() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!(
            "done"
                .parse::<State>()
                .unwrap_err()
                .contains("proposed, accepted, in_progress")
        );
    }

    #[test]
    fn every_state_can_be_reached_and_none_is_a_trap_or_follows_itself() {
        let mut reached = BTreeSet::from([Proposed]);
        let mut edge = vec![Proposed];
        while let Some(state) = edge.pop() {
            assert!(!state.may_become(state), "{state} follows itself");
            assert!(!state.next().is_empty(), "{state} is a trap");
            for next in state.next() {
                assert_ne!(*next, Proposed, "a ticket is proposed once");
                if reached.insert(*next) {
                    edge.push(*next);
                }
            }
        }
        assert_eq!(reached.len(), State::ALL.len());
    }

    #[test]
    fn what_is_at_an_end_is_taken_up_again_only_as_reopened_or_to_be_measured_for_longer() {
        for state in State::ALL.into_iter().filter(|state| !state.is_open()) {
            for next in state.next() {
                assert!(matches!(next, Reopened | Measuring), "{state} to {next}");
            }
        }
    }

    #[test]
    fn a_verdict_comes_only_of_a_measurement() {
        for state in State::ALL {
            for verdict in [Verified, NoEffect, Worse, Inconclusive] {
                assert_eq!(
                    state.may_become(verdict),
                    state == Measuring,
                    "{state} to {verdict}"
                );
            }
        }
    }
}
