//! Rows as ClickHouse's `RowBinary` has them, appended to a buffer, and the columns that they are.

mod binary;
pub mod change;
mod column;
pub mod decision;
pub mod outcome;
pub mod rejection;
pub mod replay;

pub(crate) use binary::length;
pub use column::{Column, Kind};
