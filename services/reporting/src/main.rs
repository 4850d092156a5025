//! The reporting service: metrics, decisions and analyses over gRPC and gRPC-Web, and the dashboard.

use std::process::ExitCode;

use kaizen_reporting::Reporting;

fn main() -> ExitCode {
    kaizen_service::launch::<Reporting>("reporting", include_str!("../config/base.yaml"))
}
