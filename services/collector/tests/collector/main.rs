//! The collector without a broker or an engine: records in, batches out, offsets back.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy knows only the functions marked as tests"
)]

mod engine;
mod fixture;
mod pipeline;
mod protocol;
