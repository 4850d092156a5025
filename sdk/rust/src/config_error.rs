//! What is wrong with the options.

/// An option that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {rule}")]
pub struct ConfigError {
    /// The option, as the builder or the environment names it.
    pub field: String,
    /// What it must be.
    pub rule: String,
}

impl ConfigError {
    pub(crate) fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        let (field, rule) = (field.into(), rule.into());
        Self { field, rule }
    }
}
