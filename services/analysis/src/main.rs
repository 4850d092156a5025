//! The analysis service: runs analyses on request.

use std::process::ExitCode;

use kaizen_analysis::AnalysisApplication;

fn main() -> ExitCode {
    kaizen_service::launch::<AnalysisApplication>("analysis", include_str!("../config/base.yaml"))
}
