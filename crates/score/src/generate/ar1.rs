use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// `n` values of an autoregression of order one with mean 0, standard deviation 1 and correlation `phi` from one to the next.
/// `stream` tells series of one seed apart.
pub fn ar1(seed: u64, stream: u64, n: usize, phi: f64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let innovation = (1.0 - phi * phi).sqrt();
    let mut value = normal();
    (0..n)
        .map(|_| {
            let now = value;
            value = phi * value + innovation * normal();
            now
        })
        .collect()
}
