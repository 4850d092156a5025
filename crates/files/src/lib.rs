//! Files to records. A file is read once, whole ([`open`]), or followed as it grows and is rotated ([`Follower`]); a
//! [`Mapping`] turns records of any shape into events. Memory does not grow with files, and no bytes make it panic: what
//! cannot be read costs only its own line.

mod compression;
mod follow;
mod mapping;
mod records;

pub use follow::{FollowError, Followed, Follower, LONGEST_LINE, Options, Polled, Receipt, Taken, TooLong};
pub use mapping::{Mapping, MappingError};
pub use records::{Format, Line, json_of, open};
