//! What is simulated beside the fleet of `kaizen-simulator`: plain series.

mod ar1;

pub use ar1::ar1;
