use jiff::Timestamp;

/// What happened to an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Where the issue is, as a ticket links to it.
    pub url: String,
    /// Who did it, with the tracker's name before: `github:octocat`.
    pub actor: String,
    /// What happened.
    pub event: Event,
}

/// What a ticket follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody works on it.
    Started,
    /// It is done, since when.
    Done(Timestamp),
    /// It will not be done.
    Declined,
    /// It is open again.
    Reopened,
    /// It has another owner; nobody when empty.
    Owner(String),
}

/// A body that does not have the tracker's shape.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// A field is missing or of another kind.
    #[error("the body is no such event: {0}")]
    Shape(#[from] serde_json::Error),
    /// A field does not say what it should.
    #[error("{field} {rule}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

/// A time as trackers write it: RFC 3339, or with an offset without its colon.
pub fn time(field: &'static str, text: &str) -> Result<Timestamp, Malformed> {
    let read = text
        .parse()
        .or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text));
    read.map_err(|_| Malformed::Field {
        field,
        rule: "must be a time such as 2026-11-20T09:00:00Z",
    })
}
