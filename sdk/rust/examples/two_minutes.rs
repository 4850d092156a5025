//! Publishes a few decisions to the broker of `make up`: `cargo run --release -p kaizen-logger --example two_minutes`.

#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::collections::HashMap;
use std::time::Duration;

use kaizen_logger::{Decision, DecisionLogger, Level};
use serde::Serialize;

#[derive(Serialize)]
struct Message {
    subject: String,
    tokens: u32,
}

fn main() -> Result<(), kaizen_logger::ConfigError> {
    // KAIZEN_BROKERS, KAIZEN_SPILL_DIR and so on; without any, 127.0.0.1:9092 and no spill folder.
    let logger = DecisionLogger::from_env()?;

    // A decision that is timed, and logged however it ends.
    let mut decision = logger.decision("campaign_generation", "session-42", "template-b");
    decision.input(&HashMap::from([("template", "b"), ("model", "large")]));
    let message = Message {
        subject: "Engines for Engineers".to_owned(),
        tokens: 312,
    };
    decision.output(&message).confidence(Level::High);
    decision.succeed();

    // Work that returns a result: a failure is logged by the type of its error.
    let looked_up = logger.record(
        Decision::new("enrichment_decision", "session-42", "lookup").lead_company("Engines"),
        |_| "not a number".parse::<u32>(),
    );
    println!("the caller has its own result: {looked_up:?}");

    // Something that is known already.
    logger.log(
        Decision::new("website_analysis", "session-42", "scraper")
            .processing_time(Duration::from_millis(840))
            .quality_score(81.7),
    );

    println!("{:#?}", logger.shutdown(Duration::from_secs(5)));
    Ok(())
}
