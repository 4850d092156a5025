//! Ground truth by arithmetic that a database cannot bend: the sums and quantiles here are computed from single values,
//! in integers, independently of any SQL, and do not depend on the order in which the values come. They follow the
//! roundings of the hourly rollup, so that the warehouse's numbers can be required to equal them to the last bit.

mod quantile;
mod sum;

pub use quantile::Quantiles;
pub use sum::{ExactSum, UnrepresentableValue};
