//! The collector: decisions from Kafka, validated, into ClickHouse; bad ones to the dead letters.

use std::process::ExitCode;

use kaizen_collector::Collector;

fn main() -> ExitCode {
    kaizen_service::launch::<Collector>("collector", include_str!("../config/base.yaml"))
}
