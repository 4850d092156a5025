//! ClickHouse's own engine behind ClickHouse's HTTP interface, for one machine.
//!
//! What is acknowledged is in the engine, what is refused is told with ClickHouse's code and status, and a client written
//! for a ClickHouse server works unchanged. Modules in the order a request travels: [`serve`] → [`connection`] →
//! [`handle`]: [`auth`] → [`form`] → [`request`] → [`receive`] ([`decode`], [`statement`], [`spool`]) → [`execute`] ([`session`],
//! [`assemble`], [`engine`], [`library`], [`pieces`]) → [`output`] ([`encode`]) → [`respond`].
//! Queries wait for one of `--max-concurrent-queries` permits; [`output::QUEUE`] pieces lie between engine and client.

pub mod assemble;
pub mod auth;
pub mod connection;
pub mod content_type;
pub mod decode;
pub mod deduplication_log;
pub mod encode;
pub mod engine;
pub mod exception;
pub mod execute;
pub mod folder;
pub mod form;
pub mod handle;
pub mod lex;
pub mod library;
pub mod native_block;
pub mod output;
pub mod pieces;
pub mod port;
pub mod receive;
pub mod request;
pub mod respond;
pub mod serve;
pub mod session;
pub mod spool;
pub mod statement;

mod start;

pub use start::{Options, run};
