//! What keeps a collector that is open to the world in bounds: tokens, origins, limits, and a broker that is away.

use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use kaizen_api::decisions::v1::PublishRequest;
use kaizen_api::decisions::v1::ingest_service_client::IngestServiceClient;
use kaizen_testkit::eventually;
use tokio::sync::mpsc;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::stage::{SOON, Stage, answer, event, refused};

const JSON: &str = "application/json";
/// Of the token `open sesame`, by `printf 'open sesame' | sha256sum`.
const TOKEN: &str = "41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb";
const CONFIGURATION: &str = "
ingest:
  tokens: [TOKEN]
  max_body_bytes: 65536
  max_in_flight_requests: 2
  max_in_flight_bytes: 131072
  read_timeout: 20s
  publish_timeout: 1s
  http:
    allowed_origins: ['https://app.example']
";

fn sesame(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request.header("authorization", "Bearer open sesame")
}

#[tokio::test]
async fn an_open_collector_lets_in_who_has_a_token_and_no_more_than_it_can_hold() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("collector.yaml");
    std::fs::write(&file, CONFIGURATION.replace("TOKEN", TOKEN))?;
    let stage = Stage::start(&[("KAIZEN_CONFIG", file.to_str().context("a path")?)]).await?;
    only_a_token_opens(&stage).await?;
    only_listed_origins_may_ask(&stage).await?;
    what_is_over_a_bound_is_told_to_come_back(&stage).await?;
    a_broker_that_is_away_is_told_and_what_was_unacknowledged_comes_again(&stage).await?;
    let log = stage.collector.part().log()?;
    ensure!(
        !log.contains("Ada Example") && !log.contains("open sesame"),
        "a secret is logged"
    );
    Ok(())
}

async fn only_a_token_opens(stage: &Stage) -> Result<()> {
    let post = || stage.post(JSON).body(event("token").build());
    refused(post(), 401, "unauthorized").await?;
    refused(
        post().header("authorization", "Bearer sesame"),
        401,
        "unauthorized",
    )
    .await?;
    let (status, _, report) = answer(sesame(post())).await?;
    ensure!(status == 202, "{status} {report}");
    for token in [None, Some("Bearer sesame")] {
        let refused = publish(stage, token)
            .await
            .err()
            .context("let in without a token")?;
        ensure!(refused.code() == Code::Unauthenticated, "{refused:?}");
    }
    Ok(())
}

/// A decision over gRPC.
async fn publish(stage: &Stage, token: Option<&str>) -> Result<(), Status> {
    let url = stage.collector.grpc_url();
    let channel = IngestServiceClient::connect(url).await;
    let mut client = channel.map_err(|error| Status::unknown(error.to_string()))?;
    let decisions = vec![crate::grpc::decision("over grpc")];
    let mut request = Request::new(PublishRequest { decisions });
    if let Some(token) = token {
        let token = token
            .parse()
            .map_err(|_| Status::unknown("the token is no header"))?;
        request.metadata_mut().insert("authorization", token);
    }
    client.publish(request).await.map(drop)
}

async fn only_listed_origins_may_ask(stage: &Stage) -> Result<()> {
    let url = format!("{}/v1/decisions", stage.collector.url());
    for (origin, allowed) in [("https://app.example", true), ("https://evil.example", false)] {
        let ask = stage
            .client
            .request(reqwest::Method::OPTIONS, &url)
            .header("origin", origin);
        let ask = ask
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        let told = ask
            .send()
            .await?
            .headers()
            .get("access-control-allow-origin")
            .cloned();
        ensure!(told.is_some_and(|told| told == origin) == allowed, "{origin}");
    }
    Ok(())
}

/// A request whose body is still on its way.
struct Open {
    body: mpsc::Sender<Bytes>,
    answer: tokio::task::JoinHandle<Result<u16>>,
}

impl Open {
    async fn with(stage: &Stage, first: usize) -> Result<Self> {
        let (body, chunks) = mpsc::channel(4);
        body.send(Bytes::from(vec![b' '; first])).await?;
        let stream = futures::stream::unfold(chunks, async |mut chunks: mpsc::Receiver<Bytes>| {
            let chunk = chunks.recv().await?;
            Some((Ok::<_, std::io::Error>(chunk), chunks))
        });
        let request = sesame(stage.post(JSON)).body(reqwest::Body::wrap_stream(stream));
        let answer = tokio::spawn(async { Ok(request.send().await?.status().as_u16()) });
        Ok(Self { body, answer })
    }
}

async fn holds(stage: &Stage, sample: &str, at_least: u64) -> Result<()> {
    eventually(sample, SOON, async || {
        let held = stage.metric(sample).await?;
        ensure!(held >= at_least, "{held}");
        Ok(())
    })
    .await
}

async fn what_is_over_a_bound_is_told_to_come_back(stage: &Stage) -> Result<()> {
    let open = [Open::with(stage, 60_000).await?, Open::with(stage, 60_000).await?];
    holds(stage, "kaizen_collector_ingest_in_flight_bytes", 120_000).await?;
    let (status, retry, problem) = answer(sesame(stage.post(JSON).body("{}"))).await?;
    ensure!(
        status == 429 && retry.as_deref() == Some("1"),
        "{status} {retry:?} {problem}"
    );
    let [first, second] = open;
    drop(first.body);
    ensure!(first.answer.await?? == 400, "nothing but blanks");
    // Room for a request again, but not for this many bytes.
    let long = format!("{}{{}}", " ".repeat(65_534));
    let zipped = zstd::encode_all(long.as_bytes(), 1)?;
    let request = sesame(stage.post(JSON))
        .header("content-encoding", "zstd")
        .body(zipped);
    let (status, retry, problem) = answer(request).await?;
    ensure!(status == 429 && retry.is_some(), "{status} {retry:?} {problem}");
    second.body.send(Bytes::from(event("slow").build())).await?;
    drop(second.body);
    ensure!(second.answer.await?? == 202, "it was let in before");
    Ok(())
}

async fn a_broker_that_is_away_is_told_and_what_was_unacknowledged_comes_again(stage: &Stage) -> Result<()> {
    let broker = stage.stack.kafka().part();
    broker.pause()?;
    let (status, retry, problem) = answer(sesame(stage.post(JSON).body(event("away").build()))).await?;
    let over_grpc = publish(stage, Some("Bearer open sesame")).await;
    broker.resume()?;
    let unavailable = over_grpc.err().context("acknowledged by nobody")?;
    ensure!(unavailable.code() == Code::Unavailable, "{unavailable:?}");
    ensure!(unavailable.get_details_retry_info().is_some(), "{unavailable:?}");
    ensure!(
        status == 503 && retry.as_deref() == Some("5"),
        "{status} {retry:?} {problem}"
    );
    eventually("Kafka takes it", SOON, async || {
        let (status, _, report) = answer(sesame(stage.post(JSON).body(event("back").build()))).await?;
        ensure!(status == 202, "{status} {report}");
        Ok(())
    })
    .await
}
