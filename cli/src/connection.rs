//! Where the parts of Kaizen are.

use anyhow::Context;
use clap::Args;
use kaizen_api::analysis::v1::analysis_service_client::AnalysisServiceClient;
use kaizen_api::analysis::v1::metric_service_client::MetricServiceClient;
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::webhook_service_client::WebhookServiceClient;
use kaizen_stream::{GroupProtocol, KafkaConfig};
use kaizen_warehouse::{ClickHouseConfig, Client};
use rdkafka::ClientConfig;
use tonic::transport::{Channel, Endpoint};

use crate::kafka_properties::KafkaProperties;

/// Addresses, from flags or from the variables that configure the services too.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Kafka brokers, host:port, separated by commas
    #[arg(
        long,
        global = true,
        env = "KAIZEN__KAFKA__BROKERS",
        default_value = "127.0.0.1:9092",
        value_name = "BROKERS"
    )]
    pub brokers: String,
    /// Consumer group of the collector
    #[arg(
        long,
        global = true,
        env = "KAIZEN__KAFKA__GROUP_ID",
        default_value = "kaizen-collector",
        value_name = "GROUP"
    )]
    pub group: String,
    /// The collector's configuration file; its kafka.properties (security.protocol, sasl.username, ...) are used for Kafka
    #[arg(
        long,
        global = true,
        env = "KAIZEN_CONFIG",
        value_name = "FILE",
        value_parser = KafkaProperties::read
    )]
    pub collector_config: Option<KafkaProperties>,
    /// ClickHouse's HTTP interface
    #[arg(
        long,
        global = true,
        env = "KAIZEN__CLICKHOUSE__URL",
        default_value = "http://127.0.0.1:8123",
        value_name = "URL"
    )]
    pub clickhouse: String,
    /// Database in ClickHouse
    #[arg(
        long,
        global = true,
        env = "KAIZEN__CLICKHOUSE__DATABASE",
        default_value = "kaizen",
        value_name = "NAME"
    )]
    pub database: String,
    /// User of ClickHouse; the password is read from KAIZEN__CLICKHOUSE__PASSWORD
    #[arg(
        long,
        global = true,
        env = "KAIZEN__CLICKHOUSE__USER",
        default_value = "default",
        value_name = "NAME"
    )]
    pub user: String,
    /// The reporting service
    #[arg(
        long,
        global = true,
        env = "KAIZEN_REPORTING",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub reporting: String,
    /// The analysis service
    #[arg(
        long,
        global = true,
        env = "KAIZEN_ANALYSIS",
        default_value = "http://127.0.0.1:50052",
        value_name = "URL"
    )]
    pub analysis: String,
}

impl Connection {
    /// Settings of a Kafka client.
    pub fn kafka(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "kaizen-cli");
        for (name, value) in self.properties() {
            config.set(name, value);
        }
        config.set("allow.auto.create.topics", "false");
        config
    }

    fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.collector_config.iter().flat_map(KafkaProperties::iter)
    }

    /// The collector's group, to look at its offsets from outside.
    pub fn stream(&self) -> KafkaConfig {
        KafkaConfig {
            brokers: self.brokers.clone(),
            group_id: self.group.clone(),
            group_protocol: GroupProtocol::Classic,
            instance_id: String::new(),
            skip_deleted: false,
            properties: (self.properties())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    /// A connection to ClickHouse.
    ///
    /// # Errors
    /// The address or the database's name is none.
    pub fn warehouse(&self) -> anyhow::Result<Client> {
        let config = ClickHouseConfig {
            url: self.clickhouse.clone(),
            database: self.database.clone(),
            user: self.user.clone(),
            password: std::env::var("KAIZEN__CLICKHOUSE__PASSWORD")
                .unwrap_or_default()
                .into(),
        };
        config
            .validate()
            .map_err(|(key, rule)| anyhow::anyhow!("clickhouse.{key}: {rule}"))?;
        Ok(Client::new(&config))
    }

    /// The metrics of `reporting`.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn metrics(&self) -> anyhow::Result<MetricServiceClient<Channel>> {
        Ok(MetricServiceClient::new(
            channel("reporting", &self.reporting).await?,
        ))
    }

    /// What analyses found, read from `reporting`.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn readings(&self) -> anyhow::Result<AnalysisServiceClient<Channel>> {
        Ok(AnalysisServiceClient::new(
            channel("reporting", &self.reporting).await?,
        ))
    }

    /// The tickets of `reporting`.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn tracker(&self) -> anyhow::Result<TrackerServiceClient<Channel>> {
        Ok(TrackerServiceClient::new(
            channel("reporting", &self.reporting).await?,
        ))
    }

    /// The webhooks of `reporting`.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn webhooks(&self) -> anyhow::Result<WebhookServiceClient<Channel>> {
        Ok(WebhookServiceClient::new(
            channel("reporting", &self.reporting).await?,
        ))
    }

    /// The runs of `analysis`.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn analyses(&self) -> anyhow::Result<AnalysisServiceClient<Channel>> {
        Ok(AnalysisServiceClient::new(
            channel("analysis", &self.analysis).await?,
        ))
    }
}

/// A connection to a service by its URL.
///
/// # Errors
/// The URL is none, or nothing answers there.
pub async fn channel(service: &str, url: &str) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned()).with_context(|| format!("--{service} {url}"))?;
    endpoint
        .connect()
        .await
        .with_context(|| format!("{service} cannot be reached at {url}; is it running (`make up`)?"))
}

/// What a service refused, in its own words.
pub fn refused(status: tonic::Status) -> anyhow::Error {
    anyhow::anyhow!("{:?}: {}", status.code(), status.message())
}
