//! ClickHouse as Kaizen uses it: the connection, the migrations that make its tables, the rows that go in and the
//! queries that come out. Each table has one writer; every query binds its parameters; every failure says which
//! ClickHouse error it was.

pub mod client;
pub mod migrate;
pub mod queries;
pub mod rollup;
pub mod rows;
mod transpose;
pub mod write;

pub use client::{ClickHouseConfig, Client, WarehouseError};
pub use write::{BatchWriter, Insert};
