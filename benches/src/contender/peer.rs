//! Consumers that others' libraries make: the programs in `benches/peers`, built by `benches/run.sh`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use kaizen_testkit::{Part, workspace};

use super::process;
use crate::meter::{Measurement, Meter};
use crate::stage::{Stage, TOPIC};

/// A program and its own arguments.
pub struct Peer {
    program: PathBuf,
    arguments: Vec<&'static str>,
}

/// `sentry_arroyo`, with a decoder.
pub fn arroyo(decoder: &'static str) -> Peer {
    Peer {
        program: Path::new("target/release/peer-arroyo").to_owned(),
        arguments: vec!["--decoder", decoder],
    }
}

/// `spate`, from the folder that it was built into.
pub fn spate(target: &str) -> Peer {
    Peer {
        program: Path::new(target).join("release/peer-spate"),
        arguments: Vec::new(),
    }
}

/// Python.
pub fn python() -> Peer {
    Peer {
        program: Path::new("python/run.sh").to_owned(),
        arguments: Vec::new(),
    }
}

/// Ingests every event.
pub async fn ingest(stage: &mut Stage, peer: Peer) -> Result<Measurement> {
    let program = workspace().join("benches/peers").join(&peer.program);
    ensure!(
        program.is_file(),
        "{} is missing: run `make bench`",
        program.display()
    );
    let (kafka, clickhouse) = (stage.stack.kafka(), stage.stack.clickhouse());
    let places = [
        ("--brokers", kafka.brokers().to_owned()),
        ("--clickhouse", clickhouse.url().to_owned()),
    ];
    let group = stage.new_group();
    let part = Part::new("peer", |_| {
        let mut command = Command::new(program);
        command
            .args(peer.arguments)
            .args(["--topic", TOPIC, "--group", &group]);
        for (name, value) in &places {
            command.args([name, value.as_str()]);
        }
        Ok(command)
    })?;
    let meter = Meter::start(&stage.stack)?;
    // When it is ready shows by what it stores.
    part.start(async || Ok(())).await?;
    process::measure(stage, &meter, &part).await
}
