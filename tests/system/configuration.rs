//! A service with a wrong configuration ends before it opens a port, and says which key, which value and what is allowed.

use std::net::TcpListener;
use std::process::{Command, Output};

use anyhow::Result;
use kaizen_testkit::{program, workspace};

struct Case {
    service: &'static str,
    key: &'static str,
    value: &'static str,
    /// What the message must say beside key and value.
    allowed: &'static str,
}

const CASES: &[Case] = &[
    case("collector", "batch.max_rows", "0", "1"),
    case("collector", "batch.max_age", "soon", "duration"),
    case("collector", "batch.max_bytes", "many", "integer"),
    case("collector", "kafka.brokers", "", "host:port"),
    case("collector", "privacy.lead_name", "publish", "drop"),
    case(
        "collector",
        "ingest.http.address",
        "0.0.0.0:8081",
        "ingest.tokens",
    ),
    case("collector", "ingest.grpc.address", "[::]:50051", "ingest.tokens"),
    case("collector", "ingest.max_records", "0", "1 to"),
    case(
        "collector",
        "ingest.topic",
        "kaizen.outcomes",
        "another kind than decision",
    ),
    case("collector", "ingest.colour", "blue", "unknown"),
    case("collector", "audit.interval", "10ms", "100ms"),
    case("collector", "audit.look_back", "721h", "720h"),
    case("collector", "audit.max_offsets", "0", "1000"),
    case("collector", "audit.max_rollup_rows", "all", "integer"),
    case("analysis", "catalogue.path", "config/no-such.yaml", "catalogue"),
    case("analysis", "clickhouse.url", "ftp://127.0.0.1", "http"),
    case("analysis", "telemetry.log_format", "xml", "json"),
    case(
        "analysis",
        "ledger.url",
        "mysql://127.0.0.1/kaizen",
        "sqlite://PATH or postgres://",
    ),
    case("reporting", "server.address", "localhost", "address"),
    case("reporting", "operations.address", "127.0.0.1:99999", "address"),
    case("reporting", "server.colour", "blue", "unknown"),
    case(
        "reporting",
        "ledger.url",
        "mysql://127.0.0.1/kaizen",
        "sqlite://PATH or postgres://",
    ),
    case("reporting", "ledger.url", "sqlite://", "sqlite://PATH"),
    case("reporting", "dead_letters.retention", "forever", "duration"),
];

const fn case(service: &'static str, key: &'static str, value: &'static str, allowed: &'static str) -> Case {
    Case {
        service,
        key,
        value,
        allowed,
    }
}

/// The variable that sets a key.
fn variable(key: &str) -> String {
    format!("KAIZEN__{}", key.replace('.', "__").to_uppercase())
}

/// Runs a service until it ends by itself.
fn run(case: &Case, held: &TcpListener) -> Result<Output> {
    // Ports that are taken already: had the service tried to open one, it would say so.
    let taken = held.local_addr()?.to_string();
    let mut command = Command::new(program(&format!("kaizen-{}", case.service))?);
    command
        .current_dir(workspace())
        .env("KAIZEN__OPERATIONS__ADDRESS", &taken);
    if case.service != "collector" {
        command.env("KAIZEN__SERVER__ADDRESS", &taken);
    }
    Ok(command.env(variable(case.key), case.value).output()?)
}

#[test]
fn a_wrong_value_stops_a_service_before_a_port_opens_and_the_message_names_key_value_and_rule() -> Result<()>
{
    let held = TcpListener::bind("127.0.0.1:0")?;
    for case in CASES {
        let output = run(case, &held)?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(
            !output.status.success(),
            "{}: accepted {:?}:\n{said}",
            case.key,
            case.value
        );
        for word in [case.key, case.value, case.allowed] {
            assert!(
                said.contains(word),
                "{}={:?}: no word of {word:?} in:\n{said}",
                case.key,
                case.value
            );
        }
        assert!(
            !said.contains("in use"),
            "{}: a port was tried:\n{said}",
            case.key
        );
    }
    Ok(())
}

#[test]
fn a_configuration_is_checked_and_printed_with_secrets_masked() -> Result<()> {
    for service in ["collector", "analysis", "reporting"] {
        let output = Command::new(program(&format!("kaizen-{service}"))?)
            .current_dir(workspace())
            .arg("--check-config")
            .env("KAIZEN__CLICKHOUSE__PASSWORD", "s3cret-word")
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{service}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            said.contains("clickhouse") && said.contains("operations"),
            "{service}: {said}"
        );
        assert!(!said.contains("s3cret-word"), "{service} shows a secret");
    }
    Ok(())
}
