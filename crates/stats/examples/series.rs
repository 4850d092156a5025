//! How often the methods for series are wrong, on seeds 0 to 999, the ones that may be tuned on:
//! `cargo run --release -p kaizen-stats --example series`.

use kaizen_stats::trend;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const SEEDS: u64 = 1000;

fn ar1(seed: u64, n: usize, phi: f64) -> Vec<f64> {
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

fn share(hit: impl Fn(u64) -> bool) -> f64 {
    (0..SEEDS).filter(|seed| hit(*seed)).count() as f64 / SEEDS as f64
}

fn main() {
    for n in [28, 90, 168] {
        for phi in [0.0, 0.3, 0.6] {
            let called = |rise: f64| {
                share(|seed| {
                    let mut values = ar1(seed, n, phi);
                    for (step, value) in values.iter_mut().enumerate() {
                        *value += rise * step as f64 / (n - 1) as f64;
                    }
                    trend(&values).unwrap().p_value < 0.05
                })
            };
            println!(
                "trend n {n} phi {phi}: size {:.3}, power at 2 sd {:.3}",
                called(0.0),
                called(2.0)
            );
        }
    }
}
