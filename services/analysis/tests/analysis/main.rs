//! The service as a process on the real engine, asked over gRPC.

mod cancellations;
mod fixture;
mod gaps;
mod interruptions;
mod requests;
mod results;
