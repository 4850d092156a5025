//! The search for the slices of a cube in which something changed.

mod bulk;
mod cube;
mod deviations;
mod grid;
mod noise;
mod rates;
mod scatter;
mod search;
mod split;

pub use cube::{Cube, NotOfTheCube, OTHER};
pub use deviations::{DeviatingSlice, Measured, MeasuredRatio, find_deviating_ratios, find_deviating_slices};
pub use rates::{Culprit, SliceSearch, TwoPeriods, find_culprits};
pub use split::{Split, split_change};
