//! Who may use the server: one user, whose password may be empty on loopback.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use crate::exception::{Exception, code};

/// The only user.
#[derive(Clone)]
pub struct Account {
    /// The name.
    pub user: String,
    /// The password; empty: none is needed.
    pub password: String,
}

/// What a request says about its sender. ClickHouse takes it from exactly one place.
#[derive(Debug, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
    /// Whether the request named a user or a password at all.
    pub given: bool,
}

impl Credentials {
    /// Reads `X-ClickHouse-User`/`X-ClickHouse-Key`, or basic authentication, or the URL's `user`/`password`.
    ///
    /// # Errors
    /// They come from more than one of those places, or do not decode.
    pub fn of(headers: &HeaderMap, pairs: &[(String, String)]) -> Result<Self, Exception> {
        let header = |name: &str| headers.get(name).map(|value| text(value.as_bytes())).transpose();
        let pair = |name: &str| {
            pairs
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        let own = (header("x-clickhouse-user")?, header("x-clickhouse-key")?);
        let basic = headers
            .get(AUTHORIZATION)
            .map(|value| basic(value.as_bytes()))
            .transpose()?;
        let url = (pair("user"), pair("password"));
        let sources = [
            own.0.is_some() || own.1.is_some(),
            basic.is_some(),
            url.0.is_some() || url.1.is_some(),
        ];
        if sources.iter().filter(|given| **given).count() > 1 {
            return Err(refused(
                "credentials are given in more than one way: headers, basic authentication, URL",
            ));
        }
        let (user, password) = match basic {
            Some((user, password)) => (Some(user), Some(password)),
            None => (own.0.or(url.0), own.1.or(url.1)),
        };
        Ok(Self {
            user: user
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "default".to_owned()),
            password: password.unwrap_or_default(),
            given: sources.contains(&true),
        })
    }
}

impl Account {
    /// Lets the sender in or not.
    ///
    /// # Errors
    /// `AUTHENTICATION_FAILED`, without telling which of the two was wrong.
    pub fn check(&self, credentials: &Credentials) -> Result<(), Exception> {
        let user = same(self.user.as_bytes(), credentials.user.as_bytes());
        let password = same(self.password.as_bytes(), credentials.password.as_bytes());
        if user & password {
            return Ok(());
        }
        let name = &credentials.user;
        Err(refused(format_args!(
            "{name}: Authentication failed: password is incorrect, or there is no user with such name"
        )))
    }
}

/// Takes the same time wherever the first difference is.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let difference = expected
        .iter()
        .zip(given)
        .fold(0, |sum, (left, right)| sum | (left ^ right));
    std::hint::black_box(difference) == 0 && expected.len() == given.len()
}

fn basic(value: &[u8]) -> Result<(String, String), Exception> {
    let scheme = value
        .get(..6)
        .filter(|scheme| scheme.eq_ignore_ascii_case(b"basic "));
    let encoded = scheme.and_then(|_| value.get(6..)).map(<[u8]>::trim_ascii);
    let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    let pair = text(&decoded.ok_or_else(|| refused("only basic authentication is offered"))?)?;
    let (user, password) = pair.split_once(':').unwrap_or((&pair, ""));
    Ok((user.to_owned(), password.to_owned()))
}

fn text(bytes: &[u8]) -> Result<String, Exception> {
    String::from_utf8(bytes.to_vec()).map_err(|_| refused("the credentials are not UTF-8"))
}

fn refused(why: impl std::fmt::Display) -> Exception {
    Exception::raise(code::AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(
        headers: &[(&'static str, &str)],
        pairs: &[(&str, &str)],
    ) -> Result<Credentials, Exception> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        Credentials::of(&headers, &pairs)
    }

    #[test]
    fn each_way_of_giving_credentials_is_understood() {
        let account = Account {
            user: "ada".into(),
            password: "s:1".into(),
        };
        for (headers, pairs) in [
            (
                vec![("x-clickhouse-user", "ada"), ("x-clickhouse-key", "s:1")],
                vec![],
            ),
            (vec![("authorization", "Basic YWRhOnM6MQ==")], vec![]),
            (vec![], vec![("user", "ada"), ("password", "s:1")]),
        ] {
            account.check(&credentials(&headers, &pairs).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_wrong_name_a_wrong_password_or_none_is_refused() {
        let account = Account {
            user: "ada".into(),
            password: "secret".into(),
        };
        for pairs in [
            vec![],
            vec![("user", "ada")],
            vec![("user", "ada"), ("password", "secre")],
            vec![("user", "ada"), ("password", "secret2")],
            vec![("user", "bob"), ("password", "secret")],
        ] {
            assert_eq!(
                account
                    .check(&credentials(&[], &pairs).unwrap())
                    .unwrap_err()
                    .code,
                516,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn credentials_in_two_places_are_refused() {
        let twice = credentials(&[("x-clickhouse-user", "ada")], &[("password", "secret")]);
        assert_eq!(twice.unwrap_err().code, 516);
    }
}
