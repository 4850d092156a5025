//! `IngestService` as a client sees it.

use anyhow::{Context, Result, ensure};
use kaizen_api::decisions::v1::ingest_service_client::IngestServiceClient;
use kaizen_api::decisions::v1::publish_result::Outcome;
use kaizen_api::decisions::v1::{Decision, DecisionReasoning, PublishRequest, PublishStreamRequest};
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::stage::Stage;

/// A good decision of that identity.
pub fn decision(id: &str) -> Decision {
    Decision {
        event_id: Some(id.to_owned()),
        log_type: "enrichment_decision".to_owned(),
        session_id: format!("session of {id}"),
        timestamp: Some(std::time::SystemTime::now().into()),
        decision_reasoning: Some(DecisionReasoning {
            method_used: "lookup".to_owned(),
            success: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn without_session(id: &str) -> Decision {
    Decision {
        session_id: String::new(),
        ..decision(id)
    }
}

#[tokio::test]
async fn what_is_published_over_grpc_is_acknowledged_by_kafka_and_ends_in_the_table() -> Result<()> {
    let stage = Stage::start(&[]).await?;
    let mut client = IngestServiceClient::connect(stage.collector.grpc_url()).await?;
    let mut accepted = a_batch_has_a_result_for_each(&mut client).await?;
    accepted.extend(a_stream_is_answered_at_its_end(&mut client).await?);
    wrong_batches_name_their_field(&mut client).await?;
    let records = stage.records().await?;
    ensure!(
        records.len() == accepted.len(),
        "{} of {} are published",
        records.len(),
        accepted.len()
    );
    for record in &records {
        ensure!(
            record.header("content-type") == Some("application/x-protobuf"),
            "{record:?}"
        );
        ensure!(
            record
                .header("event-id")
                .is_some_and(|id| accepted.iter().any(|it| it == id)),
            "{record:?}"
        );
    }
    let channel = Channel::from_shared(stage.collector.grpc_url())?
        .connect()
        .await?;
    let mut health = HealthClient::new(channel);
    let serving = health.check(HealthCheckRequest::default()).await?.into_inner();
    ensure!(serving.status() == ServingStatus::Serving, "{serving:?}");
    stage.stored(accepted).await
}

async fn a_batch_has_a_result_for_each(client: &mut IngestServiceClient<Channel>) -> Result<Vec<String>> {
    let decisions = vec![decision("batch-0"), without_session("bad"), decision("batch-2")];
    let answer = client.publish(PublishRequest { decisions }).await?.into_inner();
    ensure!(
        (answer.accepted_count, answer.rejected_count) == (2, 1),
        "{answer:?}"
    );
    let outcomes: Vec<_> = answer
        .results
        .iter()
        .filter_map(|result| result.outcome.as_ref())
        .collect();
    let [
        Outcome::Accepted(first),
        Outcome::Rejected(second),
        Outcome::Accepted(third),
    ] = outcomes[..]
    else {
        anyhow::bail!("{outcomes:?}");
    };
    ensure!(
        (second.reason.as_str(), second.field.as_str()) == ("missing_field", "/session_id"),
        "{second:?}"
    );
    Ok(vec![first.event_id.clone(), third.event_id.clone()])
}

async fn a_stream_is_answered_at_its_end(client: &mut IngestServiceClient<Channel>) -> Result<Vec<String>> {
    let identity = |batch: usize, n: usize| format!("stream-{batch}-{n}");
    let batches = (0..10).map(move |batch| {
        let mut decisions: Vec<_> = (0..20).map(|n| decision(&identity(batch, n))).collect();
        decisions.push(without_session("bad"));
        PublishStreamRequest { decisions }
    });
    let answer = client
        .publish_stream(futures::stream::iter(batches))
        .await?
        .into_inner();
    ensure!(
        (answer.accepted_count, answer.rejected_count) == (200, 10),
        "{answer:?}"
    );
    let places: Vec<_> = answer.rejected.iter().map(|rejected| rejected.index).collect();
    ensure!(
        places == (0..10).map(|batch| batch * 21 + 20).collect::<Vec<_>>(),
        "{places:?}"
    );
    Ok((0..200).map(|n| identity(n / 20, n % 20)).collect())
}

async fn wrong_batches_name_their_field(client: &mut IngestServiceClient<Channel>) -> Result<()> {
    for count in [0, 10_001] {
        let decisions = vec![Decision::default(); count];
        let refused = client.publish(PublishRequest { decisions }).await.err();
        let status = refused.with_context(|| format!("{count} were taken"))?;
        ensure!(status.code() == Code::InvalidArgument, "{status:?}");
        ensure!(
            status.message().starts_with("decisions must hold 1 to 10000"),
            "{status:?}"
        );
    }
    Ok(())
}
