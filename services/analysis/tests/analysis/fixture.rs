//! An engine with two weeks of decisions, and the service on it.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use kaizen_api::analysis::v1::analysis_service_client::AnalysisServiceClient;
use kaizen_api::analysis::v1::{RunAnalysisRequest, Window};
use kaizen_testkit::{ClickHouse, Exchange, Held, Moment, Part, Proxy, eventually, free_address, workspace};
use kaizen_warehouse::{ClickHouseConfig, Client, migrate};
use tonic::transport::Channel;

pub const WEEK: [&str; 2] = ["2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z"];

/// How long a change of state may take to show.
pub const SOON: Duration = Duration::from_secs(60);

/// A decision of each kind every five minutes from Monday, 2026-01-05. Of the enrichments one in ten fails, and in the
/// second week one in two by method `b`.
const DECISIONS: &str = "INSERT INTO kaizen.decisions (_offset, event_id, log_type, timestamp, _ingested_at, method_used, \
     processing_time, success, quality_score, success_indicator, dims, measures) \
     SELECT number, toString(number), \
     ['campaign_generation', 'enrichment_decision', 'website_analysis', 'airtable_operation'][1 + number % 4] AS kind, \
     toDateTime64('2026-01-05 00:00:00', 3, 'UTC') + intDiv(number, 4) * 300 AS time, time, \
     ['a', 'b'][1 + intDiv(number, 4) % 2] AS method, 1 + (number * 7919 % 1009) / 1009, \
     if(kind = 'enrichment_decision' AND method = 'b' AND time >= '2026-01-12 00:00:00', \
        number * 7919 % 1009 > 504, number * 7919 % 1009 > 100) AS ok, \
     50 + number * 104729 % 49, number % 3 > 0, \
     if(ok, map('template', 't1'), map('template', 't2', 'error_kind', 'timeout')), map('content_chars', number % 5000) \
     FROM numbers(2 * 7 * 288 * 4)";

/// Ended and removed when dropped, the service first.
pub struct Fixture {
    pub service: Replica,
    /// Between the service and the engine.
    pub network: Proxy,
    engine: ClickHouse,
}

/// A process of the service.
pub struct Replica {
    pub process: Part,
    address: SocketAddr,
    operations: SocketAddr,
}

impl Fixture {
    /// Starts both; returns when the service is ready.
    pub async fn start() -> Result<Self> {
        Self::with(DECISIONS).await
    }

    /// Starts both on decisions that this statement inserts.
    pub async fn with(decisions: &str) -> Result<Self> {
        let engine = ClickHouse::start().await?;
        let config = ClickHouseConfig {
            url: engine.url().to_owned(),
            ..ClickHouseConfig::default()
        };
        migrate::apply(&Client::new(&config)).await?;
        engine.query(decisions).await?;
        let network = Proxy::start(engine.url().trim_start_matches("http://").parse()?).await?;
        Ok(Self {
            service: Replica::start(&network.url()).await?,
            network,
            engine,
        })
    }

    /// Another process of the service, with a network of its own.
    pub async fn replica(&self) -> Result<Replica> {
        Replica::start(self.engine.url()).await
    }

    /// The engine, for what is read of it.
    pub fn engine(&self) -> Client {
        Client::new(&ClickHouseConfig {
            url: self.engine.url().to_owned(),
            ..ClickHouseConfig::default()
        })
    }

    /// Waits until a run of the service begins this stage; it stands still there.
    pub async fn hold(&self, stage: &'static str) -> Result<Held> {
        self.network
            .hold(Exchange::Commented(stage), Moment::Begins)
            .await
    }

    /// Runs a statement on the engine; its rows as tab-separated text.
    pub async fn sql(&self, statement: &str) -> Result<String> {
        self.engine.query(statement).await
    }

    /// All that is on record of what a request's run found, in bytes.
    pub async fn bytes(&self, request_id: &str) -> Result<String> {
        let run =
            format!("(SELECT analysis_id FROM kaizen.analyses FINAL WHERE request_id = '{request_id}')");
        let mut all = self
            .sql(&format!(
                "SELECT state, decisions, rejections FROM kaizen.analyses FINAL WHERE analysis_id = {run}"
            ))
            .await?;
        for (table, order) in [
            ("metric_points", "position, start"),
            ("trends", "position"),
            ("culprits", "position, rank"),
            ("findings", "position"),
            ("recommendations", "position"),
        ] {
            let rows = format!(
                "SELECT * EXCEPT (analysis_id, created_at) FROM kaizen.{table} FINAL WHERE analysis_id = {run} ORDER BY {order}"
            );
            all += &format!("\n{table}\n{}", self.sql(&rows).await?);
        }
        Ok(all)
    }

    /// What is on record of a request: identity, state and error.
    pub async fn recorded(&self, request_id: &str) -> Result<[String; 3]> {
        let statement = format!(
            "SELECT analysis_id, state, error FROM kaizen.analyses FINAL WHERE request_id = '{request_id}'"
        );
        let row = self.sql(&statement).await?;
        let fields: Vec<_> = row.split('\t').map(str::to_owned).collect();
        fields.try_into().ok().context("nothing on record")
    }

    /// The attempt that is on record of a request.
    pub async fn attempt(&self, request_id: &str) -> Result<String> {
        let statement =
            format!("SELECT attempt FROM kaizen.analyses FINAL WHERE request_id = '{request_id}'");
        self.sql(&statement).await
    }

    /// Waits until a request's run is on record in that state.
    pub async fn reaches(&self, request_id: &str, state: &str) -> Result<[String; 3]> {
        eventually(&format!("{request_id} is {state}"), SOON, async || {
            let recorded = self.recorded(request_id).await?;
            ensure!(recorded[1] == state, "{recorded:?}");
            Ok(recorded)
        })
        .await
    }

    /// Makes the first stage of every run fail.
    pub async fn hide_rejections(&self) -> Result<()> {
        self.sql("RENAME TABLE kaizen.rejections TO kaizen.hidden")
            .await?;
        Ok(())
    }

    /// Makes the first stage of every run take that long.
    pub async fn slow_down(&self, seconds: u32) -> Result<()> {
        self.hide_rejections().await?;
        self.sql(&format!(
            "CREATE VIEW kaizen.rejections AS SELECT now64(3) AS _ingested_at, '' AS reason FROM numbers({seconds}) \
             WHERE sleepEachRow(1) = 0 SETTINGS max_block_size = 1"
        ))
        .await?;
        Ok(())
    }

    /// Undoes either.
    pub async fn restore(&self) -> Result<()> {
        self.sql("DROP VIEW IF EXISTS kaizen.rejections").await?;
        self.sql("RENAME TABLE kaizen.hidden TO kaizen.rejections")
            .await?;
        Ok(())
    }
}

impl Replica {
    async fn start(engine: &str) -> Result<Self> {
        let (address, operations) = (free_address()?, free_address()?);
        let process = Part::new("analysis", |folder| {
            let ledger = folder.join("ledger.db");
            let mut command = Command::new(env!("CARGO_BIN_EXE_kaizen-analysis"));
            command
                .current_dir(workspace())
                .env("KAIZEN__CLICKHOUSE__URL", engine)
                .env("KAIZEN__LEDGER__URL", format!("sqlite://{}", ledger.display()))
                .env("KAIZEN__SERVER__ADDRESS", address.to_string())
                .env("KAIZEN__OPERATIONS__ADDRESS", operations.to_string())
                .env("KAIZEN__RUNS__LEASE", "1s")
                .env("KAIZEN__RUNS__ATTEMPTS", "2");
            Ok(command)
        })?;
        let replica = Self {
            process,
            address,
            operations,
        };
        replica.restart().await?;
        Ok(replica)
    }

    /// Starts it again after it was ended.
    pub async fn restart(&self) -> Result<()> {
        let ready = async || self.operation("readyz").await.map(drop);
        self.process.start(ready).await
    }

    /// A client of it.
    pub async fn runs(&self) -> Result<AnalysisServiceClient<Channel>> {
        Ok(AnalysisServiceClient::connect(format!("http://{}", self.address)).await?)
    }

    /// What its operations server answers.
    pub async fn operation(&self, path: &str) -> Result<String> {
        let response = reqwest::get(format!("http://{}/{path}", self.operations)).await?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(text)
    }
}

/// A request for the second week.
pub fn request(request_id: &str) -> Result<RunAnalysisRequest> {
    Ok(RunAnalysisRequest {
        request_id: request_id.to_owned(),
        period: Some(window(WEEK)?),
        time_zone: String::new(),
    })
}

pub fn window([start, end]: [&str; 2]) -> Result<Window> {
    let time = |text: &str| -> Result<_> {
        let timestamp: Timestamp = text.parse()?;
        Ok(Some(prost_types::Timestamp {
            seconds: timestamp.as_second(),
            nanos: timestamp.subsec_nanosecond(),
        }))
    };
    Ok(Window {
        start_time: time(start)?,
        end_time: time(end)?,
    })
}
