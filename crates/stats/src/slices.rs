//! The search for the slices of a cube in which something changed.

mod cube;
mod grid;
mod rates;
mod scatter;
mod search;
mod split;

pub use cube::{Cube, OTHER, WrongNumberOfValues};
pub use rates::{Culprit, SliceSearch, TwoPeriods, find_culprits};
pub use split::{Split, split_change};
