//! Dead letters from the rejection to the replay: found, told of, replayed once, and never lost.

mod refused;
mod replay;
mod story;
mod twice;

/// The topics.
const DECISIONS: &str = "kaizen.decisions";
const LETTERS: &str = "kaizen.decisions.dlq";
const MARKS: &str = "kaizen.decisions.dlq.replayed";
