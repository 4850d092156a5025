//! Generates the Protobuf encoding of the event.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../proto/kaizen/decisions/v1/decision.proto");
    let files = protox::compile(["kaizen/decisions/v1/decision.proto"], ["../../proto"])?;
    prost_build::compile_fds(files)?;
    Ok(())
}
