use anyhow::{Context, Result};
use kaizen_logger::{Decision, DecisionLogger};
use kaizen_testkit::Kafka;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;

use crate::setting::SOON;

#[tokio::test]
async fn the_current_span_is_the_parent_unless_another_is_given() -> Result<()> {
    let kafka = Kafka::shared().await?;
    let topic = kafka.new_topic("decisions", 1).await?;
    let logger = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(&topic)
        .build()?;
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let decision = || Decision::new("website_analysis", "s", "m");
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let span = tracing::info_span!("work");
        let recording = span.in_scope(|| {
            logger.log(decision());
            logger.log(decision().traceparent(given));
            logger.decision("website_analysis", "s", "m")
        });
        // Ends outside of the span it began in.
        recording.succeed();
        logger.log(decision());
    });
    logger.shutdown(SOON);

    let records = kafka.records(&topic).await?;
    let parents: Vec<_> = records
        .iter()
        .map(|record| record.header("traceparent"))
        .collect();
    let own = parents[0].context("the span's")?;
    assert!(
        own.starts_with("00-") && own.ends_with("-01") && own.len() == 55,
        "{own}"
    );
    assert_eq!(parents, [Some(own), Some(given), Some(own), None]);
    Ok(())
}
