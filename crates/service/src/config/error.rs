use std::fmt;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A layer cannot be read.
    #[error("configuration: {0}")]
    Unreadable(String),
    /// Values break rules.
    #[error("configuration: {0}")]
    Invalid(Problems),
}

/// Broken rules, each with the key, the value and what is allowed.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Adds a broken rule: `rule` says what is allowed. The value is shown, so it must be no secret.
    pub fn add(&mut self, key: &str, value: impl fmt::Display, rule: impl fmt::Display) {
        self.0.push(format!("{key} = {value}: {rule}"));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}
