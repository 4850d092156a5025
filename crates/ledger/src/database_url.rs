//! Which database.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

/// Where the ledger is kept: `sqlite://PATH` or `postgres://USER@HOST:PORT/DATABASE`. It holds no password, so it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerUrl(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Sqlite(PathBuf),
    Postgres(Url),
}

impl LedgerUrl {
    /// The file, of SQLite.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Place::Sqlite(path) => Some(path),
            Place::Postgres(_) => None,
        }
    }

    /// What the driver connects to. SQLite's file is created when it is not there.
    pub(crate) fn connect(&self, password: &str) -> Result<String, String> {
        match &self.0 {
            Place::Sqlite(path) => sqlite(path),
            Place::Postgres(url) => {
                let mut url = url.clone();
                if !password.is_empty() {
                    let set = url.set_password(Some(password));
                    set.map_err(|()| "has no place for a password".to_owned())?;
                }
                Ok(url.into())
            }
        }
    }
}

/// Absolute: a URL would take the first part of a relative path for a host.
fn sqlite(path: &Path) -> Result<String, String> {
    let path = std::path::absolute(path).map_err(|error| format!("is no path: {error}"))?;
    let path = path.to_str().ok_or("must be a path in UTF-8")?;
    let mut url = Url::parse("sqlite:///").map_err(|error| error.to_string())?;
    url.set_path(&path.replace('%', "%25"));
    url.set_query(Some("mode=rwc"));
    Ok(url.into())
}

impl FromStr for LedgerUrl {
    type Err = String;

    /// The error completes the sentence that the key begins.
    fn from_str(text: &str) -> Result<Self, String> {
        let rule = "must be sqlite://PATH or postgres://USER@HOST:PORT/DATABASE";
        if let Some(path) = text.strip_prefix("sqlite://") {
            let is_path = !path.is_empty() && !path.starts_with(":memory:");
            return match is_path {
                true => Ok(Self(Place::Sqlite(path.into()))),
                false => Err(rule.to_owned()),
            };
        }
        let url = Url::parse(text).ok();
        let url = url.filter(|it| matches!(it.scheme(), "postgres" | "postgresql") && it.path().len() > 1);
        let url = url.ok_or(rule)?;
        if url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password") {
            return Err("must be without a password: that is a key of its own".to_owned());
        }
        Ok(Self(Place::Postgres(url)))
    }
}

impl fmt::Display for LedgerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Place::Postgres(url) => url.fmt(f),
        }
    }
}

/// A URL as it may be shown, also when it is wrong: without what stands between the user's name and the host.
pub fn without_password(url: &str) -> String {
    let (told, host) = url
        .rsplit_once('@')
        .map_or(("", url), |(told, host)| (told, host));
    let host = host.split_once("password=").map_or(host, |(before, _)| before);
    let user = match told.split_once("://") {
        Some((scheme, user)) => format!("{scheme}://{}@", user.split(':').next().unwrap_or_default()),
        None => String::new(),
    };
    format!("{user}{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_anything_else_is_refused_with_the_rule() {
        for text in [
            "sqlite://data/ledger.db",
            "sqlite:///var/lib/kaizen/ledger.db",
            "postgres://kaizen@127.0.0.1:5432/ledger",
            "postgresql://kaizen@db.example/ledger?sslmode=verify-full",
        ] {
            assert_eq!(text.parse::<LedgerUrl>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "sqlite://",
            "sqlite://:memory:",
            "mysql://a/b",
            "postgres://host",
            "x",
        ] {
            assert!(
                text.parse::<LedgerUrl>()
                    .unwrap_err()
                    .starts_with("must be sqlite://PATH"),
                "{text}"
            );
        }
        for text in ["postgres://u:secret@h/db", "postgres://u@h/db?password=secret"] {
            let rule = text.parse::<LedgerUrl>().unwrap_err();
            assert!(
                rule.contains("without a password") && !rule.contains("secret"),
                "{rule}"
            );
        }
    }

    #[test]
    fn the_driver_is_told_the_password_and_to_create_the_file() {
        let connect = |text: &str| text.parse::<LedgerUrl>().unwrap().connect("p:w").unwrap();
        assert_eq!(connect("postgres://u@h:1/db"), "postgres://u:p%3Aw@h:1/db");
        assert_eq!(
            connect("sqlite:///x/a%b c?.db"),
            "sqlite:///x/a%25b%20c%3F.db?mode=rwc"
        );
    }

    #[test]
    fn a_password_in_the_wrong_place_is_not_shown() {
        for (url, shown) in [
            ("postgres://u:s3cret@h/db", "postgres://u@h/db"),
            ("postgres://u:s3@cret@h/db", "postgres://u@h/db"),
            ("postgres://u@h/db?password=s3cret", "postgres://u@h/db?"),
            ("mysql://h/db", "mysql://h/db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
