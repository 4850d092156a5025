//! How long the slice search takes on a cube of 6 dimensions of 20 values: `cargo run --release -p kaizen-stats --example
//! slice_speed -- 1000000`

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::time::Instant;

use kaizen_stats::{Cube, Moments, SliceSearch, TwoPeriods, find_culprits};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

fn main() {
    let cells: usize = std::env::args()
        .nth(1)
        .and_then(|cells| cells.parse().ok())
        .unwrap_or(1_000_000);
    let mut draws = ChaCha12Rng::seed_from_u64(1);
    let labels: Vec<String> = (0..20).map(|value| format!("v{value}")).collect();
    let mut cube = Cube::new((0..6).map(|at| format!("d{at}")));
    for _ in 0..cells {
        // Values are unequally frequent: the square crowds the first ones.
        let codes: Vec<usize> = (0..6)
            .map(|_| (20.0 * draws.random::<f64>().powi(2)) as usize)
            .collect();
        let rate = if codes[0] == 3 && codes[1] == 5 { 0.4 } else { 0.5 };
        let moments = |draws: &mut ChaCha12Rng, rate: f64| {
            let sum = f64::from(u8::from(draws.random::<f64>() < rate))
                + f64::from(u8::from(draws.random::<f64>() < rate));
            Moments {
                count: 2.0,
                sum,
                sum_of_squares: sum,
            }
        };
        let cell = TwoPeriods {
            baseline: moments(&mut draws, 0.5),
            current: moments(&mut draws, rate),
        };
        let values: Vec<&str> = codes.iter().map(|code| labels[*code].as_str()).collect();
        if cube.add(&values, cell).is_err() {
            return;
        }
    }
    let start = Instant::now();
    let found = find_culprits(&cube, &SliceSearch::default());
    println!("{cells} cells in {:.2} s", start.elapsed().as_secs_f64());
    for culprit in found {
        println!("{:?} {:.3}", culprit.slice, culprit.effect);
    }
}
