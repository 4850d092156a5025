//! Estimates with their 95 % interval, and which way of them is better.

use kaizen_api::analysis::v1::{Direction, Estimate, Metric};
use kaizen_api::convert::ends;

/// Half a 95 % interval in standard errors.
pub const Z95: f64 = 1.959_963_984_540_054;

/// An estimate and the ends of its interval.
pub fn estimate(value: f64, interval: (f64, f64)) -> Estimate {
    Estimate {
        value,
        interval: Some(ends(interval)),
    }
}

/// An estimate by its standard error.
pub fn of_error(value: f64, error: f64) -> Estimate {
    estimate(value, (value - Z95 * error, value + Z95 * error))
}

/// 1 where more of a metric is better, -1 where less is.
pub fn sign_of(metric: &Metric) -> f64 {
    match metric.direction() {
        Direction::LowerIsBetter => -1.0,
        Direction::HigherIsBetter | Direction::Unspecified => 1.0,
    }
}
