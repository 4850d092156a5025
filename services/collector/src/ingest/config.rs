//! The section `ingest`.

use std::net::SocketAddr;

use kaizen_service::{Address, Bounded, Period, Problems, Secret, ServerConfig};
use serde::{Deserialize, Serialize};

use crate::config::Kind;

/// The section `ingest`: the ways in for those who do not speak Kafka. All end in the topic.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IngestConfig {
    /// The topic that accepted decisions are published to; its policy in `kafka.topics` judges their timestamps.
    pub topic: String,
    /// The topic that accepted outcomes are published to, judged likewise.
    pub outcomes_topic: String,
    /// The topic that accepted changes are published to, judged likewise.
    pub changes_topic: String,
    /// SHA-256 hashes of the bearer tokens that may publish, each 64 hexadecimal digits. Empty: anyone may, and then
    /// every address must be loopback.
    pub tokens: Vec<Secret>,
    /// Longest body of a request, in bytes, both as it is sent and decompressed: 64 KiB to 64 MiB.
    pub max_body_bytes: Bounded<65_536, 67_108_864>,
    /// Longest record, in bytes; what the topic takes, less headers and key: 1 KiB to 2,000,000.
    pub max_record_bytes: Bounded<1024, 2_000_000>,
    /// Most records of a request: 1 to 100,000.
    pub max_records: Bounded<1, 100_000>,
    /// Requests under way at once; one more is told to come back later. 1 to 10,000.
    pub max_in_flight_requests: Bounded<1, 10_000>,
    /// Bytes of the bodies of requests under way, as sent and decompressed; at least two of `max_body_bytes`, up to 1 GiB.
    pub max_in_flight_bytes: Bounded<131_072, 1_073_741_824>,
    /// Longest time for a request's body to arrive: 100 ms to 1 min.
    pub read_timeout: Period<100, 60_000>,
    /// Longest time for Kafka to acknowledge a request's records: 100 ms to 7 s, so that a service that is asked to end
    /// can finish what it has taken in.
    pub publish_timeout: Period<100, 7000>,
    /// HTTP.
    pub http: HttpConfig,
    /// gRPC.
    pub grpc: ServerConfig,
    /// OpenTelemetry.
    pub otlp: OtlpConfig,
}

/// The section `ingest.otlp`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OtlpConfig {
    /// The `log_type` of spans and log records without an attribute `kaizen.log_type`.
    pub log_type: String,
}

/// The section `ingest.http`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Address of `POST /v1/decisions` and its like: an IP address and a port.
    pub address: Address,
    /// Origins whose pages may publish from a browser, such as `https://app.example`. Empty: none.
    pub allowed_origins: Vec<String>,
}

impl IngestConfig {
    /// Rules that a type cannot state.
    pub fn validate(&self, problems: &mut Problems) {
        for (key, topic, _) in self.topics() {
            if topic.is_empty() || topic.starts_with('^') {
                problems.add(key, format_args!("{topic:?}"), "must be the name of one topic");
            }
        }
        for (index, token) in self.tokens.iter().enumerate() {
            if hash(token).is_none() {
                let key = format!("ingest.tokens[{index}]");
                problems.add(
                    &key,
                    "(hidden)",
                    "must be a SHA-256 hash of 64 hexadecimal digits",
                );
            }
        }
        if self.otlp.log_type.is_empty() {
            problems.add(
                "ingest.otlp.log_type",
                "\"\"",
                "must be a log type of the catalogue",
            );
        }
        let (one, all) = (self.max_body_bytes.get(), self.max_in_flight_bytes.get());
        if all < 2 * one {
            let rule = format!("must be at least two of ingest.max_body_bytes, {}", 2 * one);
            problems.add("ingest.max_in_flight_bytes", all, rule);
        }
        for (key, address) in self.addresses() {
            if self.tokens.is_empty() && !address.ip().is_loopback() {
                let rule = "must be a loopback address while ingest.tokens is empty: anyone could publish";
                problems.add(key, address, rule);
            }
        }
        for (index, origin) in self.http.allowed_origins.iter().enumerate() {
            if !is_origin(origin) {
                let key = format!("ingest.http.allowed_origins[{index}]");
                problems.add(
                    &key,
                    origin,
                    "must be an origin such as https://app.example, without a path",
                );
            }
        }
    }

    /// The topics that accepted events are published to: the key, the name, and what they hold.
    pub fn topics(&self) -> [(&'static str, &str, Kind); 3] {
        [
            ("ingest.topic", &self.topic, Kind::Decision),
            ("ingest.outcomes_topic", &self.outcomes_topic, Kind::Outcome),
            ("ingest.changes_topic", &self.changes_topic, Kind::Change),
        ]
    }

    fn addresses(&self) -> [(&'static str, SocketAddr); 2] {
        [
            ("ingest.http.address", self.http.address.get()),
            ("ingest.grpc.address", self.grpc.address.get()),
        ]
    }

    /// The tokens' hashes.
    pub fn hashes(&self) -> Vec<[u8; 32]> {
        self.tokens.iter().filter_map(hash).collect()
    }
}

fn hash(token: &Secret) -> Option<[u8; 32]> {
    let text = token.reveal();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        // It would take a sign for a digit.
        if digits.starts_with('+') {
            return None;
        }
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(hash)
}

/// `*` is none: who allows every origin has to say each.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn base() -> Value {
        json!({
            "topic": "kaizen.decisions", "outcomes_topic": "kaizen.outcomes",
            "changes_topic": "kaizen.changes", "tokens": [], "max_body_bytes": 65536, "max_record_bytes": 1024,
            "max_records": 10, "max_in_flight_requests": 1, "max_in_flight_bytes": 131_072, "read_timeout": "1s",
            "publish_timeout": "1s", "http": {"address": "127.0.0.1:1", "allowed_origins": []},
            "grpc": {"address": "[::1]:1", "longest_deadline": "1s", "max_concurrent_calls": 1},
            "otlp": {"log_type": "campaign_generation"},
        })
    }

    fn problems_of(changes: &[(&str, Value)]) -> String {
        let mut config = base();
        for (pointer, value) in changes {
            *config.pointer_mut(pointer).unwrap() = value.clone();
        }
        let config: IngestConfig = serde_json::from_value(config).unwrap();
        let mut problems = Problems::default();
        config.validate(&mut problems);
        problems.to_string()
    }

    #[test]
    fn only_loopback_is_open_to_those_without_a_token() {
        let hash = json!(["a".repeat(64)]);
        assert_eq!(problems_of(&[]), "");
        for (pointer, key) in [
            ("/http/address", "ingest.http.address"),
            ("/grpc/address", "ingest.grpc.address"),
        ] {
            let said = problems_of(&[(pointer, json!("0.0.0.0:1"))]);
            assert!(
                said.starts_with(&format!("{key} = 0.0.0.0:1: ")) && said.contains("ingest.tokens"),
                "{said}"
            );
            assert_eq!(
                problems_of(&[(pointer, json!("0.0.0.0:1")), ("/tokens", hash.clone())]),
                ""
            );
        }
    }

    #[test]
    fn wrong_values_are_refused_by_name_and_a_token_is_not_shown() {
        for (pointer, value, key) in [
            ("/topic", json!("^kaizen"), "ingest.topic"),
            ("/changes_topic", json!(""), "ingest.changes_topic"),
            ("/otlp/log_type", json!(""), "ingest.otlp.log_type"),
            ("/tokens", json!(["hunter2"]), "ingest.tokens[0]"),
            ("/tokens", json!(["+f".repeat(32)]), "ingest.tokens[0]"),
            ("/max_in_flight_bytes", json!(131_072 + 65_536), ""),
            ("/max_body_bytes", json!(65_537), "ingest.max_in_flight_bytes"),
            (
                "/http/allowed_origins",
                json!(["*"]),
                "ingest.http.allowed_origins[0]",
            ),
            (
                "/http/allowed_origins",
                json!(["https://a.example/"]),
                "ingest.http.allowed_origins[0]",
            ),
        ] {
            let said = problems_of(&[(pointer, value)]);
            assert!(
                said.starts_with(key) && said.is_empty() == key.is_empty(),
                "{pointer}: {said}"
            );
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
