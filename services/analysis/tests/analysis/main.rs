//! The service as a process on the real engine, asked over gRPC.

mod fixture;
mod interruptions;
mod requests;
mod results;
