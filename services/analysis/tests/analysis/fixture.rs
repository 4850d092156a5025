//! An engine with two weeks of decisions, and the service on it.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use kaizen_api::analysis::v1::analysis_service_client::AnalysisServiceClient;
use kaizen_api::analysis::v1::{RunAnalysisRequest, Window};
use kaizen_testkit::{ClickHouse, Part, eventually, free_address, workspace};
use kaizen_warehouse::{ClickHouseConfig, Client, migrate};
use tonic::transport::Channel;

pub const WEEK: [&str; 2] = ["2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z"];

/// How long a change of state may take to show.
pub const SOON: Duration = Duration::from_secs(20);

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
    pub service: Part,
    engine: ClickHouse,
    address: SocketAddr,
    operations: SocketAddr,
}

impl Fixture {
    /// Starts both; returns when the service is ready.
    pub async fn start() -> Result<Self> {
        let engine = ClickHouse::start().await?;
        let config = ClickHouseConfig {
            url: engine.url().to_owned(),
            ..ClickHouseConfig::default()
        };
        migrate::apply(&Client::new(&config)).await?;
        engine.query(DECISIONS).await?;
        let (address, operations) = (free_address()?, free_address()?);
        let service = Part::new("analysis", |folder| {
            let ledger = folder.join("ledger.db");
            let mut command = Command::new(env!("CARGO_BIN_EXE_kaizen-analysis"));
            command
                .current_dir(workspace())
                .env("KAIZEN__CLICKHOUSE__URL", engine.url())
                .env("KAIZEN__LEDGER__URL", format!("sqlite://{}", ledger.display()))
                .env("KAIZEN__SERVER__ADDRESS", address.to_string())
                .env("KAIZEN__OPERATIONS__ADDRESS", operations.to_string());
            Ok(command)
        })?;
        let fixture = Self {
            service,
            engine,
            address,
            operations,
        };
        fixture.restart().await?;
        Ok(fixture)
    }

    /// Starts the service again after it was ended.
    pub async fn restart(&self) -> Result<()> {
        let ready = async || self.operation("readyz").await.map(drop);
        self.service.start(ready).await
    }

    /// A client of the service.
    pub async fn runs(&self) -> Result<AnalysisServiceClient<Channel>> {
        Ok(AnalysisServiceClient::connect(format!("http://{}", self.address)).await?)
    }

    /// What the operations server answers.
    pub async fn operation(&self, path: &str) -> Result<String> {
        let response = reqwest::get(format!("http://{}/{path}", self.operations)).await?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(text)
    }

    /// Runs a statement on the engine; its rows as tab-separated text.
    pub async fn sql(&self, statement: &str) -> Result<String> {
        self.engine.query(statement).await
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
