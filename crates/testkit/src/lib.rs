//! The real stack for a test: Kafka, the ClickHouse engine, PostgreSQL and Kaizen's services, each a process of its own on free
//! ports and in a folder of its own. Nothing is ready by a guess: every start polls until the part answers, up to a
//! deadline. Nothing outlives the test: parts end when dropped, and if the test process dies, however it dies, a
//! watch ends them and removes their folders.
//!
//! Programs come from `target/release` (or `CARGO_TARGET_DIR`), the broker from the cache: `make setup build` first.

mod await_condition;
mod clickhouse;
mod clock;
mod decision;
mod disk;
mod folder;
mod kafka;
mod part;
mod place;
mod postgres;
mod proxy;
mod sandbox;
mod secured;
mod service;

pub use await_condition::eventually;
pub use clickhouse::ClickHouse;
pub use clock::Clock;
pub use decision::DecisionBuilder;
pub use disk::Disk;
pub use kafka::{Kafka, KafkaOptions, Record};
pub use part::{Part, be_quiet};
pub use place::{free_address, program, workspace};
pub use postgres::Postgres;
pub use proxy::{Exchange, Held, Moment, Proxy};
pub use sandbox::{Sandbox, Stack};
pub use secured::Secured;
pub use service::Service;
