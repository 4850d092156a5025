//! How often the methods for series are wrong, on seeds 0 to 999, the ones that may be tuned on:
//! `cargo run --release -p kaizen-stats --example series` for trends, with `changes`, `watched` (online) or `seasons` for the
//! rest.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use kaizen_stats::{Direction, Times, analyse, change_points, online, trend};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Seeds 0 to 999, with so many series each.
const SEEDS: u64 = 1000 * 4;

fn ar1(seed: u64, n: usize, phi: f64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed % 1000);
    random.set_stream(seed / 1000);
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

fn changes() {
    for phi in [0.0, 0.5, 0.8] {
        for n in [168, 672, 1344] {
            let found: usize = (0..1000)
                .map(|seed| change_points(&ar1(seed, n, phi)).len())
                .sum();
            println!(
                "change points phi {phi}, {n} h: {:.4} false a week",
                found as f64 / 1000.0 / (n as f64 / 168.0)
            );
        }
    }
    for height in [0.5, 1.0, 2.0] {
        for (n, at) in [(1344, 900), (2112, 1440)] {
            let hit = |seed: &u64| {
                let mut values = ar1(*seed, n, 0.5);
                values[at..].iter_mut().for_each(|value| *value += height);
                change_points(&values)
                    .iter()
                    .any(|change| change.index.abs_diff(at) <= 24)
            };
            let located = (0..1000).filter(hit).count() as f64 / 1000.0;
            println!("change points: {height} sd at {at} of {n} h located within a day: {located:.3}");
        }
    }
}

fn seasons() {
    for (n, period, step) in [
        (28, 7, 86_400.0),
        (90, 7, 86_400.0),
        (168, 7, 86_400.0),
        (672, 24, 3600.0),
        (1344, 24, 3600.0),
    ] {
        let times: Vec<f64> = (0..n).map(|t| t as f64 * step).collect();
        for (phi, after) in [
            (0.0, 1.0),
            (0.6, 1.0),
            (0.0, 3.0),
            (0.6, 3.0),
            (0.6, 0.3),
            (0.6, 0.0),
            (0.6, -1.0),
        ] {
            let called = |seed: u64| {
                let mut values = ar1(seed, n, phi);
                for (t, value) in values.iter_mut().enumerate() {
                    let height = if t < n / 2 { 1.0 } else { after };
                    *value += 2.0 * height * (std::f64::consts::TAU * t as f64 / period as f64).sin();
                }
                analyse(Times::Seconds(&times), &values, false).direction() != Direction::Stable
            };
            let called = (0..500).filter(|seed| called(*seed)).count() as f64 / 500.0;
            println!(
                "season of {period} in {n} steps, phi {phi}, {after} times as high after half: trend called {called:.3}"
            );
        }
    }
}

fn watched() {
    for phi in [0.0, 0.5, 0.8] {
        let told = |seed: u64| {
            let found = online(&ar1(seed, 1344, phi), &[24, 168], 24);
            [found.change_points.len(), found.anomalies.len()]
        };
        let told = (0..500)
            .map(told)
            .fold([0, 0], |sum, told| [sum[0] + told[0], sum[1] + told[1]]);
        let [changes, far] = told.map(|told| told as f64 / 500.0 / 8.0);
        println!("online phi {phi}: {changes:.4} changes and {far:.4} anomalies false a week");
    }
    for (phi, height) in [
        (0.0, 1.0),
        (0.5, 0.5),
        (0.5, 1.0),
        (0.5, 2.0),
        (0.8, 1.0),
        (0.8, 2.0),
    ] {
        let bound = 2.0 * 8400_f64.ln() * (1.0 + phi) / (1.0 - phi) / (height * height);
        let mut delays = Vec::new();
        for seed in 0..300 {
            let mut values = ar1(seed, 2112, phi);
            values[1440..].iter_mut().for_each(|value| *value += height);
            let found = online(&values, &[24, 168], 24).change_points;
            delays.extend(
                found
                    .iter()
                    .find(|c| c.index >= 1440 && c.effect > 0.0)
                    .map(|c| (c.index - 1440) as f64),
            );
        }
        delays.sort_by(f64::total_cmp);
        let within = delays
            .iter()
            .filter(|delay| **delay <= (1.5 * bound).max(24.0))
            .count() as f64
            / 300.0;
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        let (middle, bound) = (delays[delays.len() / 2], bound);
        println!(
            "online phi {phi} {height} sd: median {middle} h, mean {mean:.0} h, bound {bound:.0} h, within 1.5 times {within:.3}"
        );
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "seasons") {
        return seasons();
    }
    if std::env::args().any(|argument| argument == "watched") {
        return watched();
    }
    if std::env::args().any(|argument| argument == "changes") {
        return changes();
    }
    for n in [28, 90, 168] {
        for phi in [0.0, 0.3, 0.6] {
            let called = |rise: f64| {
                share(|seed| {
                    let mut values = ar1(seed, n, phi);
                    for (step, value) in values.iter_mut().enumerate() {
                        *value += rise * step as f64 / (n - 1) as f64;
                    }
                    trend(&values).is_some_and(|trend| trend.p_value < 0.05)
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
