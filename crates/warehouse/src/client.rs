//! The connection to ClickHouse's HTTP interface.

use std::fmt;
use std::time::Duration;

use clickhouse::query::Query;
use clickhouse::{RowOwned, RowRead};
use serde::{Deserialize, Serialize, Serializer};

/// Longest a request may take before it is given up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Where ClickHouse is: the section `clickhouse` of a service's configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClickHouseConfig {
    /// HTTP interface. Default `http://127.0.0.1:8123`.
    pub url: String,
    /// Database: letters, digits and `_`. Default `kaizen`.
    pub database: String,
    /// User. Default `default`.
    pub user: String,
    /// Password. Default empty.
    pub password: Password,
}

impl Default for ClickHouseConfig {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8123".to_owned(),
            database: "kaizen".to_owned(),
            user: "default".to_owned(),
            password: Password::default(),
        }
    }
}

impl ClickHouseConfig {
    /// Checks the values against each other and their rules.
    ///
    /// # Errors
    /// The key at fault below `clickhouse`, and what is allowed.
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        if !self.url.starts_with("http://") && !self.url.starts_with("https://") {
            return Err((
                "url",
                format!("`{}` must begin with http:// or https://", self.url),
            ));
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.database.is_empty() || !self.database.chars().all(is_word) {
            return Err((
                "database",
                format!("`{}` must be letters, digits and `_`", self.database),
            ));
        }
        Ok(())
    }
}

/// A password, masked wherever it is printed.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// The password itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// Why ClickHouse gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// ClickHouse refused or failed the request.
    #[error("ClickHouse error {code}: {message}")]
    Exception {
        /// ClickHouse's own error code, for example 60 for an unknown table.
        code: u32,
        /// ClickHouse's own words.
        message: String,
    },
    /// ClickHouse cannot be reached, or the connection broke.
    #[error("ClickHouse cannot be reached")]
    Unreachable(#[source] clickhouse::error::Error),
    /// ClickHouse did not answer in time.
    #[error("ClickHouse did not answer within {} s", REQUEST_TIMEOUT.as_secs())]
    TimedOut,
    /// An earlier insert of the same records has not ended.
    #[error("an earlier insert of the same partition is still under way in ClickHouse")]
    UnderWay,
    /// The answer is not what was asked for.
    #[error("ClickHouse's answer cannot be read")]
    Unreadable(#[source] clickhouse::error::Error),
    /// Rows are not what their columns say: the two were not made for each other.
    #[error("rows of {table} cannot be taken apart at the column {column}")]
    Rows {
        /// The table.
        table: &'static str,
        /// The first column whose value is none.
        column: &'static str,
    },
}

impl WarehouseError {
    /// ClickHouse's error code, when it gave one.
    pub fn code(&self) -> Option<u32> {
        if let Self::Exception { code, .. } = self {
            Some(*code)
        } else {
            None
        }
    }
}

impl From<clickhouse::error::Error> for WarehouseError {
    fn from(error: clickhouse::error::Error) -> Self {
        use clickhouse::error::Error;
        match error {
            Error::BadResponse(message) => match exception_code(&message) {
                Some(code) => Self::Exception { code, message },
                None => Self::Unreadable(Error::BadResponse(message)),
            },
            Error::TimedOut => Self::TimedOut,
            Error::Network(_) => Self::Unreachable(error),
            _ => Self::Unreadable(error),
        }
    }
}

/// The number in `Code: 60. DB::Exception: …`.
fn exception_code(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("Code: ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A connection to one database. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: clickhouse::Client,
    database: String,
}

impl Client {
    /// A client for the configured database. Opens no connection yet.
    pub fn new(config: &ClickHouseConfig) -> Self {
        let inner = clickhouse::Client::default()
            .with_url(&config.url)
            .with_user(&config.user)
            .with_password(config.password.reveal())
            .with_database(&config.database);
        Self {
            inner,
            database: config.database.clone(),
        }
    }

    /// The same connection; its queries carry a comment, which ClickHouse keeps in its log of queries (`log_comment`).
    pub fn commented(&self, comment: &str) -> Self {
        Self {
            inner: self.inner.clone().with_setting("log_comment", comment),
            database: self.database.clone(),
        }
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The client of the `clickhouse` crate, for inserts and cursors.
    pub fn inner(&self) -> &clickhouse::Client {
        &self.inner
    }

    /// A query; values take the place of `?` by [`Query::bind`].
    pub fn query(&self, sql: &str) -> Query {
        self.inner.query(sql)
    }

    /// Runs a query for its rows.
    ///
    /// # Errors
    /// Any [`WarehouseError`].
    pub async fn rows<T: RowOwned + RowRead>(&self, query: Query) -> Result<Vec<T>, WarehouseError> {
        within_time(query.fetch_all()).await
    }

    /// Runs a query for its first row.
    ///
    /// # Errors
    /// Any [`WarehouseError`].
    pub async fn row<T: RowOwned + RowRead>(&self, query: Query) -> Result<Option<T>, WarehouseError> {
        within_time(query.fetch_optional()).await
    }

    /// Runs a statement for its effect.
    ///
    /// # Errors
    /// Any [`WarehouseError`].
    pub async fn execute(&self, query: Query) -> Result<(), WarehouseError> {
        within_time(query.execute()).await
    }

    /// Succeeds when ClickHouse answers a query as the configured user, whether or not the database exists.
    ///
    /// # Errors
    /// Any [`WarehouseError`].
    pub async fn ping(&self) -> Result<(), WarehouseError> {
        self.execute(self.without_database().query_raw("SELECT 1")).await
    }

    /// The same server and user in its `default` database, for statements that must not need ours to exist.
    pub(crate) fn without_database(&self) -> clickhouse::Client {
        self.inner.clone().with_database("default")
    }
}

pub(crate) async fn within_time<T>(
    answer: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, WarehouseError> {
    match tokio::time::timeout(REQUEST_TIMEOUT, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(WarehouseError::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let config = ClickHouseConfig {
            password: "hunter2".to_owned().into(),
            ..Default::default()
        };
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&config).unwrap().contains("hunter2"));
    }

    #[test]
    fn the_code_of_an_exception_is_read() {
        assert_eq!(
            exception_code("Code: 60. DB::Exception: Table k.t does not exist."),
            Some(60)
        );
        assert_eq!(exception_code("404 Not Found"), None);
    }
}
