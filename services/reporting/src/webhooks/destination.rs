use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use kaizen_ledger::{Event, State, Ticket};
use url::Url;

use crate::config::DestinationConfig;

/// What secrets begin with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET: std::ops::RangeInclusive<usize> = 24..=64;
/// Longest name, in characters.
const NAME: usize = 40;

/// Who is told, of what, and with which secret.
#[derive(Clone)]
pub struct Destination {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: Uri,
    /// Scheme and host alone: the rest of an address may be a secret.
    pub host: String,
    /// What messages are signed with.
    pub key: Vec<u8>,
    /// Tickets that go to one of these; empty: to any.
    pub states: Vec<State>,
    /// Tickets of one of these categories; empty: of any.
    pub categories: Vec<String>,
    /// Whether it is told of measurements too, whatever the state.
    pub measurements: bool,
}

/// A key of the section that is wrong, and the rule it breaks.
pub type Wrong = (&'static str, String);

impl Destination {
    /// What the configuration says.
    ///
    /// # Errors
    /// The first key that breaks a rule.
    pub fn read(name: &str, section: &DestinationConfig) -> Result<Self, Wrong> {
        let fits = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
        if !(1..=NAME).contains(&name.len()) || !name.chars().all(fits) {
            let rule = format!("must have a name of 1 to {NAME} lower-case letters, digits and _");
            return Err(("name", rule));
        }
        let (address, host) = address(section)?;
        let states = section.states.iter().map(|word| word.parse::<State>());
        Ok(Self {
            name: name.to_owned(),
            address,
            host,
            key: key(section.secret.reveal())?,
            states: states
                .collect::<Result<_, _>>()
                .map_err(|rule| ("states", rule))?,
            categories: section.categories.clone(),
            measurements: section.measurements,
        })
    }

    /// Whether it is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.address.scheme_str() == Some("https")
    }

    /// Whether it is to be told of an event, as far as that can be seen without the ticket.
    pub fn wants(&self, event: &Event) -> bool {
        if event.measured.is_some() {
            return self.measurements;
        }
        let to = event.changes.iter().find(|it| it.field == "state");
        to.is_some_and(|to| self.states.is_empty() || self.states.iter().any(|it| it.as_str() == to.after))
    }

    /// Whether it is to be told of a ticket.
    pub fn wants_of(&self, ticket: &Ticket) -> bool {
        self.categories.is_empty() || self.categories.contains(&ticket.category)
    }
}

/// Where it is: over TLS, on this machine, or where somebody has said that neither is needed.
fn address(section: &DestinationConfig) -> Result<(Uri, String), Wrong> {
    let wrong = |rule: &str| ("url", rule.to_owned());
    let url: Url = section.url.reveal().parse().map_err(|_| wrong("must be a URL"))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong("must be without a user, a password and a fragment"));
    }
    let is_local = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return Err(wrong("must name a host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if is_local || section.plain_http => {}
        "http" => {
            return Err(wrong(
                "must begin with https:// unless it is on loopback or plain_http is true",
            ));
        }
        _ => return Err(wrong("must begin with https://")),
    }
    let address = url.as_str().parse().map_err(|_| wrong("must be a URL"))?;
    Ok((address, url.origin().ascii_serialization()))
}

/// The bytes of a secret.
fn key(secret: &str) -> Result<Vec<u8>, Wrong> {
    let bytes = secret
        .strip_prefix(PREFIX)
        .and_then(|it| STANDARD.decode(it).ok());
    bytes.filter(|it| SECRET.contains(&it.len())).ok_or_else(|| {
        let rule = format!(
            "must be {PREFIX} and {} to {} bytes in base64",
            SECRET.start(),
            SECRET.end()
        );
        ("secret", rule)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(name: &str, more: &[(&str, serde_json::Value)]) -> Result<Destination, Wrong> {
        let mut section =
            serde_json::json!({"url": "https://chat.example/hooks/7?token=t", "secret": SECRET});
        for (key, value) in more {
            section[key] = value.clone();
        }
        Destination::read(name, &serde_json::from_value(section).unwrap())
    }

    #[test]
    fn what_is_wrong_is_named_with_its_rule() {
        let url = |url: &str| [("url", serde_json::Value::from(url))];
        for address in [
            "https://chat.example/x",
            "http://127.0.0.1:9/x",
            "http://[::1]/x",
            "http://localhost/x",
        ] {
            assert!(read("chat", &url(address)).is_ok(), "{address}");
        }
        for address in [
            "",
            "x",
            "ftp://chat.example",
            "http://chat.example",
            "https://u:p@chat.example",
            "https://u@chat.example",
        ] {
            assert_eq!(
                read("chat", &url(address)).err().map(|it| it.0),
                Some("url"),
                "{address}"
            );
        }
        let plain = [("url", "http://chat.example".into()), ("plain_http", true.into())];
        assert!(read("chat", &plain).is_ok());
        for secret in ["", "x", "whsec_", "whsec_!", "whsec_c2hvcnQ="] {
            let error = read("chat", &[("secret", secret.into())]).err().unwrap();
            assert_eq!(
                error,
                ("secret", "must be whsec_ and 24 to 64 bytes in base64".to_owned())
            );
        }
        let error = read("chat", &[("states", serde_json::json!(["done"]))])
            .err()
            .unwrap();
        assert!(
            error.0 == "states" && error.1.contains("proposed, accepted"),
            "{error:?}"
        );
        for name in ["", "Chat", "a-b", &"x".repeat(41)] {
            assert_eq!(read(name, &[]).err().map(|it| it.0), Some("name"), "{name}");
        }
    }

    #[test]
    fn of_an_address_only_the_host_is_shown() {
        let destination = read("chat", &[]).unwrap();
        assert_eq!(destination.host, "https://chat.example");
        assert_eq!(
            destination.address.to_string(),
            "https://chat.example/hooks/7?token=t"
        );
        assert_eq!(destination.key.len(), 24);
    }
}
