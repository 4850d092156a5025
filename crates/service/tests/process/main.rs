//! What surrounds every service, seen from outside: the fixture is started as a process.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; clippy knows only the functions marked as tests"
)]

mod running;
mod traces;

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use running::{Running, fixture};
use tokio_stream::StreamExt;
use tonic::Request;
use tonic::transport::Channel;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

const GRPC_WEB: &str = "application/grpc-web+proto";
/// An empty gRPC message: no compression, no bytes.
const EMPTY: [u8; 5] = [0; 5];

#[test]
fn wrong_configuration_ends_the_process_before_a_port_opens() {
    for (variable, value, words) in [
        ("KAIZEN__WORK__ROWS", "0", ["work.rows", "\"0\"", "1 to 1000"]),
        ("KAIZEN__WORK__ROWS", "13", ["work.rows", "13", "unlucky"]),
        (
            "KAIZEN__WORK__COLOUR",
            "blue",
            ["work.colour", "\"blue\"", "unknown field"],
        ),
        (
            "KAIZEN__TELEMETRY__LOG_LEVEL",
            "kaizen=loud",
            ["telemetry.log_level", "kaizen=loud", "level"],
        ),
        (
            "KAIZEN__SERVER__ADDRESS",
            "localhost:1",
            ["server.address", "\"localhost:1\"", "IP address"],
        ),
        (
            "KAIZEN_CONFIG",
            "/no/such.yaml",
            ["KAIZEN_CONFIG", "/no/such.yaml", "No such file"],
        ),
    ] {
        let output = fixture().env(variable, value).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!said.contains("listening"), "{said}");
    }
}

#[test]
fn check_config_prints_what_holds_with_secrets_masked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kaizen.yaml");
    std::fs::write(&file, "work: {rows: 5, max_silence: 3s}").unwrap();
    let output = fixture()
        .arg("--check-config")
        .env("KAIZEN_CONFIG", &file)
        .env("KAIZEN__WORK__ROWS", "6")
        .env("KAIZEN__WORK__PASSWORD", "hunter2")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    for line in ["  rows: 6\n", "  max_silence: 3s\n", "  password: '********'"] {
        assert!(printed.contains(line), "{printed}");
    }
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn instruments_are_listed_with_type_labels_and_meaning() {
    let output = fixture().arg("--instruments").output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let row = "| `kaizen_fixture_grpc_request_duration_seconds` | histogram | `method`, `code` | Time of gRPC calls";
    assert!(table.contains(row), "{table}");
}

#[test]
fn a_port_in_use_is_told_with_key_and_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = fixture()
        .env("KAIZEN__OPERATIONS__ADDRESS", &address)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let words = ["operations.address", &address, "in use"];
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_open_metrics_and_count_calls_by_method_and_code() {
    let running = Running::start(&[]);
    grpc_health(&running).await;
    let response = running.get("operations.address", "/metrics").await;
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = response.text().await.unwrap();
    let sample = "kaizen_fixture_grpc_request_duration_seconds_count{method=\"grpc.health.v1.Health/Check\",code=\"Ok\"} 1";
    assert!(text.contains(sample) && text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_fails_when_a_loop_with_work_is_silent_and_names_it() {
    let running = Running::start(&[]);
    assert_eq!(running.status("operations.address", "/healthz").await, 200);
    running.get("server.address", "/stall").await;
    let failed = running.until("operations.address", "/healthz", 503).await;
    assert!(failed.starts_with("work: no progress for"), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_what_is_needed_over_http_and_grpc() {
    let running = Running::start(&[]);
    running.until("operations.address", "/readyz", 200).await;
    assert_eq!(grpc_health(&running).await, ServingStatus::Serving as i32);
    let mut watch = watch(&running).await;
    assert_eq!(
        watch.next().await.unwrap().unwrap().status,
        ServingStatus::Serving as i32
    );
    running.get("server.address", "/lose").await;
    let refused = running.until("operations.address", "/readyz", 503).await;
    assert_eq!(refused, "broker: is away\n");
    assert_eq!(
        watch.next().await.unwrap().unwrap().status,
        ServingStatus::NotServing as i32
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_web_reflection_and_errors_share_the_port_with_http() {
    let running = Running::start(&[]);
    let web = running.post("/grpc.health.v1.Health/Check", "5S").await;
    assert_eq!(
        (web.status().as_u16(), &web.headers()["content-type"]),
        (200, &GRPC_WEB.parse().unwrap())
    );
    let body = web.bytes().await.unwrap();
    assert!(
        body.windows(13).any(|window| window == b"grpc-status:0"),
        "{body:?}"
    );

    let unknown = running.post("/kaizen.nowhere.v1.Nothing/Get", "5S").await;
    assert_eq!(unknown.headers()["grpc-status"], "12");
    let late = running
        .post("/kaizen.fixture.v1.FixtureService/Never", "50m")
        .await;
    assert_eq!(late.headers()["grpc-status"], "4");
    let malformed = running
        .post("/kaizen.fixture.v1.FixtureService/Never", "soon")
        .await;
    assert_eq!(malformed.headers()["grpc-status"], "3");

    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel(&running).await);
    let answers = client.server_reflection_info(tokio_stream::once(request)).await;
    let answer = answers.unwrap().into_inner().next().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(services)) = answer.message_response else {
        panic!("{answer:?}");
    };
    assert!(
        services
            .service
            .iter()
            .any(|service| service.name == "grpc.health.v1.Health")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_above_the_limit_wait_no_longer_than_their_deadline() {
    let running = Running::start(&[("KAIZEN__SERVER__MAX_CONCURRENT_CALLS", "1")]);
    let never = running
        .call("/kaizen.fixture.v1.FixtureService/Never", "5S")
        .send();
    let check = async {
        // Until the first call holds the only place, this one is answered.
        while running
            .post("/grpc.health.v1.Health/Check", "50m")
            .await
            .headers()
            .get("grpc-status")
            .is_none()
        {}
    };
    let (answer, ()) = tokio::join!(never, check);
    assert_eq!(answer.unwrap().headers()["grpc-status"], "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_still_starting_ends_when_asked() {
    let running = Running::spawn(&[("KAIZEN__WORK__STARTS", "false")]);
    running.line(|line| line["message"] == "building");
    running.signal("TERM");
    let (status, lines) = running.end();
    assert!(status.success(), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_what_is_under_way_and_ends_well() {
    let running = Running::start(&[]);
    let mut watch = watch(&running).await;
    assert!(watch.next().await.unwrap().is_ok());
    let waiting = tokio::spawn(running.request("server.address", "/wait").send());
    running.line(|line| line["message"] == "waiting");
    running.signal("TERM");
    assert_eq!(waiting.await.unwrap().unwrap().text().await.unwrap(), "finished");
    assert_eq!(
        watch.next().await.unwrap().unwrap().status,
        ServingStatus::NotServing as i32
    );
    assert!(
        watch.next().await.is_none(),
        "a stream that stays open holds the end"
    );
    let (status, lines) = running.end();
    assert!(status.success(), "{lines:?}");
    assert!(lines.iter().any(|line| line["message"] == "ended"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_drain_is_ended_and_named() {
    let running = Running::start(&[]);
    running.get("server.address", "/stall").await;
    running.get("server.address", "/hang").await;
    running.signal("INT");
    running.line(|line| line["message"] == "finishing");
    running.signal("INT");
    let (status, lines) = running.end();
    assert_eq!(status.code(), Some(1));
    let named = |line: &serde_json::Value| {
        line["error"]
            .as_str()
            .is_some_and(|error| error.contains("[\"work\"]"))
    };
    assert!(lines.iter().any(named), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_takes_ten_seconds_at_most() {
    let running = Running::start(&[]);
    running.get("server.address", "/hang").await;
    running.signal("TERM");
    let (status, lines) = running.end();
    assert_eq!(status.code(), Some(1));
    let named = |line: &serde_json::Value| {
        let error = line["error"].as_str();
        error.is_some_and(|error| error.starts_with("did not drain within 10 s"))
    };
    assert!(lines.iter().any(named), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_logged_with_its_place_and_aborts_the_process() {
    let running = Running::start(&[]);
    let cut = running.request("server.address", "/panic").send().await;
    assert!(cut.is_err());
    let (status, lines) = running.end();
    assert_eq!(status.signal(), Some(6), "SIGABRT");
    let logged = lines.iter().find(|line| line["level"] == "ERROR").unwrap();
    assert!(
        logged["place"].as_str().unwrap().contains("fixture.rs:"),
        "{logged}"
    );
    assert_eq!(logged["payload"], "the fixture fails");
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_the_otlp_endpoint_as_children_of_their_caller() {
    let mut received = traces::receive().await;
    let running = Running::start(&[("KAIZEN__TELEMETRY__OTLP_ENDPOINT", &received.endpoint)]);
    let mut request = Request::new(HealthCheckRequest::default());
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request
        .metadata_mut()
        .insert("traceparent", parent.parse().unwrap());
    let mut client = HealthClient::new(channel(&running).await);
    client.check(request).await.unwrap();
    drop(client);
    running.signal("TERM");
    assert!(running.end().0.success());
    let span = received.span("grpc.health.v1.Health/Check").await;
    assert_eq!(
        span.trace_id,
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()
    );
    assert_eq!(span.parent_span_id, 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes());
}

async fn channel(running: &Running) -> Channel {
    let endpoint = Channel::from_shared(running.url("server.address", "")).unwrap();
    endpoint
        .connect_timeout(Duration::from_secs(5))
        .connect()
        .await
        .unwrap()
}

async fn grpc_health(running: &Running) -> i32 {
    let mut client = HealthClient::new(channel(running).await);
    let answer = client.check(HealthCheckRequest::default()).await.unwrap();
    answer.into_inner().status
}

async fn watch(running: &Running) -> tonic::Streaming<tonic_health::pb::HealthCheckResponse> {
    let mut client = HealthClient::new(channel(running).await);
    client
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner()
}
