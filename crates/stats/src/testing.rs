//! Series with known truth, for tests.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// An autoregression of order one with standard deviation 1.
pub(crate) fn ar1(seed: u64, n: usize, phi: f64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let innovation = (1.0 - phi * phi).sqrt();
    let mut value: f64 = normal();
    (0..n)
        .map(|_| {
            let now = value;
            value = phi * value + innovation * normal();
            now
        })
        .collect()
}
