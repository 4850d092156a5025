//! What is simulated: plain series, and the fleet of `kaizen-simulator`, each as the services would see it.

mod ar1;
pub mod change;
pub mod fleet;
pub mod history;
pub mod labels;

use std::f64::consts::TAU;

pub use ar1::ar1;

/// Adds a sine of this length in steps and this height to each value; the height is told by the step.
pub fn add_season(values: &mut [f64], period: usize, height: impl Fn(usize) -> f64) {
    for (step, value) in values.iter_mut().enumerate() {
        *value += height(step) * (TAU * step as f64 / period as f64).sin();
    }
}
