//! The oracle of ingestion: what must hold of the stored records of each partition, and of the rollup beside its table.

mod kept;
mod offsets;
mod rollup;
mod spans;

pub use kept::whole_since;
pub use offsets::{BLOCK, Block, Span, Stored, stored_spans};
pub use rollup::{HourCount, RollupAudit, audit_rollup, compare_rollup, rollup_hours};
pub use spans::{SpanAudit, audit_spans};
