//! Kaizen's gRPC interface: generated messages, clients and servers, conversions of time, and the errors that name the
//! field at fault.

pub mod convert;
pub mod status;
pub mod time;

/// `kaizen.decisions.v1`: the decision event.
#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::too_many_lines,
    clippy::allow_attributes_without_reason,
    reason = "generated: the comments stand in the .proto files"
)]
pub mod decisions {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("kaizen.decisions.v1");
    }
}

/// `kaizen.analysis.v1`: metrics, decisions and analyses.
#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::too_many_lines,
    clippy::allow_attributes_without_reason,
    reason = "generated: the comments stand in the .proto files"
)]
pub mod analysis {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("kaizen.analysis.v1");
    }
}

/// `kaizen.tracker.v1`: tickets.
#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::too_many_lines,
    clippy::allow_attributes_without_reason,
    reason = "generated: the comments stand in the .proto files"
)]
pub mod tracker {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("kaizen.tracker.v1");
    }
}

/// The descriptors of every file, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
