use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::part::Part;
use crate::place::{free_address, program, workspace};
use crate::sandbox::Stack;

/// One of Kaizen's services.
pub struct Service {
    part: Part,
    operations: SocketAddr,
    address: SocketAddr,
    grpc: SocketAddr,
}

impl Service {
    /// Starts `kaizen-NAME` on the stack, with further variables of its environment; returns when it is ready.
    ///
    /// # Errors
    /// If it is not built or does not become ready; with the end of its log.
    pub async fn start(name: &str, serves: bool, stack: &Stack, overrides: &[(&str, &str)]) -> Result<Self> {
        let (operations, address, grpc) = (free_address()?, free_address()?, free_address()?);
        let part = Part::new(name, |folder| {
            let mut command = Command::new(program(&format!("kaizen-{name}"))?);
            command
                .current_dir(workspace())
                .env("KAIZEN__CLICKHOUSE__URL", stack.clickhouse().url());
            command.env("KAIZEN__OPERATIONS__ADDRESS", operations.to_string());
            if serves {
                let ledger = folder.join("ledger.db");
                command.env("KAIZEN__LEDGER__URL", format!("sqlite://{}", ledger.display()));
            }
            if name == "reporting" {
                // Told where when there is a collector
                command.env("KAIZEN__CHANGES__URL", "");
            }
            if serves {
                command.env("KAIZEN__SERVER__ADDRESS", address.to_string());
            } else {
                command
                    .env("KAIZEN__KAFKA__BROKERS", stack.kafka().brokers())
                    .env("KAIZEN__INGEST__HTTP__ADDRESS", address.to_string())
                    .env("KAIZEN__INGEST__GRPC__ADDRESS", grpc.to_string());
            }
            command.envs(overrides.iter().copied());
            Ok(command)
        })?;
        let service = Self {
            part,
            operations,
            address,
            grpc,
        };
        service.restart().await?;
        Ok(service)
    }

    /// The process, to kill, pause or inspect.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// Starts it again after its process was ended, on the same ports.
    ///
    /// # Errors
    /// If it runs, or does not become ready.
    pub async fn restart(&self) -> Result<()> {
        self.part
            .start(async || self.operation("readyz").await.map(drop))
            .await
    }

    /// Where it serves gRPC and the web; of the collector, where it takes decisions over HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the collector takes decisions over gRPC.
    pub fn grpc_url(&self) -> String {
        format!("http://{}", self.grpc)
    }

    /// Asks its operations server for `metrics`, `healthz` or `readyz`.
    ///
    /// # Errors
    /// If the answer is not a success; with its text.
    pub async fn operation(&self, path: &str) -> Result<String> {
        let response = reqwest::get(format!("http://{}/{path}", self.operations)).await?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(text)
    }
}
