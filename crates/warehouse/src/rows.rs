//! Rows as ClickHouse's `RowBinary` has them, appended to a buffer that is sent as it is.

mod binary;
pub mod change;
pub mod decision;
pub mod outcome;
pub mod rejection;
pub mod replay;
