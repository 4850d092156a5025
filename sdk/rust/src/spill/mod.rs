//! Events on disk, from the moment Kafka cannot take them until it has.
//!
//! A process has a folder of its own in the spill folder, locked for as long as it lives. In it are segments: files of
//! framed events, appended to and never changed, deleted when Kafka has acknowledged every event in them. A folder whose
//! lock is free belongs to a process that died; the first logger that finds it adopts it.

mod backlog;
mod folder;
mod frame;
mod segment;

pub(crate) use backlog::{Backlog, Bounds};
