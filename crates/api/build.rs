//! Generates messages, clients and servers from `proto/`, and the descriptors that reflection serves.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message;

const FILES: [&str; 8] = [
    "kaizen/decisions/v1/decision.proto",
    "kaizen/decisions/v1/ingest.proto",
    "kaizen/decisions/v1/dead_letters.proto",
    "kaizen/analysis/v1/metrics.proto",
    "kaizen/analysis/v1/analysis.proto",
    "kaizen/tracker/v1/impact.proto",
    "kaizen/tracker/v1/tracker.proto",
    "kaizen/tracker/v1/webhooks.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../proto");
    let descriptors = protox::compile(FILES, ["../../proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
