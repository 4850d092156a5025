//! What a ticket is found by.

use std::collections::BTreeSet;

use crate::migrate::hexadecimal;
use crate::ticket::Ticket;

/// Longest word that is kept whole, in characters; of a longer one its beginning.
const LONGEST: usize = 64;

/// The terms of a ticket: its state, owner, category, rule, labels, links, and the words of its title and description.
pub(crate) fn of(ticket: &Ticket) -> BTreeSet<String> {
    let mut terms = BTreeSet::from([
        state(ticket.state.as_str()),
        owner(&ticket.owner),
        category(&ticket.category),
        rule(&ticket.rule),
    ]);
    terms.extend(ticket.labels.iter().map(|it| label(it)));
    terms.extend(ticket.links.iter().map(|it| link(&it.url)));
    terms.extend(words(&ticket.title));
    terms.extend(words(&ticket.description));
    terms
}

/// Whether an index has the tickets of the term in every order, not in that of their numbers alone.
pub(crate) fn is_ordered(term: &str) -> bool {
    !term.starts_with("word:") && !term.starts_with("link:")
}

/// The term of a state.
pub(crate) fn state(word: &str) -> String {
    format!("state:{word}")
}

/// The term of an owner; of nobody when empty.
pub(crate) fn owner(name: &str) -> String {
    format!("owner:{name}")
}

/// The term of a category.
pub(crate) fn category(name: &str) -> String {
    format!("category:{name}")
}

/// The term of a rule.
pub(crate) fn rule(name: &str) -> String {
    format!("rule:{name}")
}

/// The term of a label.
pub(crate) fn label(name: &str) -> String {
    format!("label:{name}")
}

/// The term of a link's address, which may be longer than an index takes.
pub(crate) fn link(url: &str) -> String {
    format!("link:{}", hexadecimal(url))
}

/// The terms of the words of a text, in lower case: runs of letters and digits.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text
        .split(|it: char| !it.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(|word| {
        let word: String = word.to_lowercase().chars().take(LONGEST).collect();
        format!("word:{word}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits_in_lower_case() {
        let found: Vec<_> = words("Timeout of gpt-4o, in Zürich: 30s; ÄÖ").collect();
        let expected = ["timeout", "of", "gpt", "4o", "in", "zürich", "30s", "äö"];
        assert_eq!(found, expected.map(|word| format!("word:{word}")));
        assert_eq!(words(" -_. ").count(), 0);
    }
}
