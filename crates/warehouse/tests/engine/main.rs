//! The warehouse on the real engine: `clickhouse-embedded`, started on a free port over a temporary folder.

mod analyses;
mod arms;
mod attempts;
mod audit;
mod catalogue;
mod dead_letters;
mod examples;
mod inserts;
mod metrics;
mod migrations;
mod outcomes;
mod rebuild;
mod reliability;
mod rollup;
mod sandbox;
mod spans;
