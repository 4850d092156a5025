use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::{
    autocorrelation::autocorrelation,
    mann_kendall::{freedom, mann_kendall},
    robust,
    theil_sen::theil_sen,
};

/// Result of [`trend`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change a step.
    pub slope: f64,
    /// 95 % interval of the slope, neighbours' likeness counted.
    pub interval: (f64, f64),
    /// Two-sided p-value of no trend.
    pub p_value: f64,
    /// How alike neighbours are, 0..=0.98.
    pub phi: f64,
    /// Values that the result rests on.
    pub values: usize,
}

/// More values than this are summed up in blocks: pairs grow with the square, and what a trend is told by does not.
const MOST: usize = 1024;

/// Does a series without season rise or fall, by how much a step, and how sure is that? Mann-Kendall with the variance of
/// an autoregression of order one, the slope of Theil and Sen. NaN is missing. `None` with fewer than 8 values.
pub fn trend(values: &[f64]) -> Option<Trend> {
    let present = values.iter().filter(|value| value.is_finite()).count();
    if present < 8 {
        return None;
    }
    let block = values.len().div_ceil(MOST);
    let blocks: Vec<f64> = values.chunks(block).map(mean_if_half).collect();
    let line = theil_sen(&blocks, 0.0)?;
    let residuals: Vec<f64> = blocks
        .iter()
        .enumerate()
        .map(|(step, value)| value - line.intercept - line.slope * step as f64)
        .collect();
    let phi = autocorrelation(&residuals, 2);
    let test = mann_kendall(&blocks, phi)?;
    let used = robust::present(&blocks).len();
    let quantile = StudentsT::new(0.0, 1.0, freedom(used, phi))
        .ok()?
        .inverse_cdf(0.975);
    let line = theil_sen(&blocks, quantile * test.variance.sqrt())?;
    let per_step = 1.0 / block as f64;
    Some(Trend {
        slope: line.slope * per_step,
        interval: (line.interval.0 * per_step, line.interval.1 * per_step),
        p_value: test.p_value,
        phi,
        values: present,
    })
}

/// The mean of a block at least half of which is there.
fn mean_if_half(block: &[f64]) -> f64 {
    let present = robust::present(block);
    if 2 * present.len() < block.len() {
        return f64::NAN;
    }
    present.iter().sum::<f64>() / present.len() as f64
}
