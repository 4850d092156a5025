//! How often the causes in cubes of actual and expected values are named, over seeds 0–999:
//! `cargo run --release -p kaizen-stats --example cube_scores -- 50`

#![expect(clippy::print_stdout, reason = "it prints a table")]

#[path = "../tests/slices/cubes.rs"]
mod cubes;

use cubes::{CELLS, COUNTS, FORECASTS, Kind, MIXED, SHALLOW, Slice, cube, ratios};
use kaizen_stats::{DeviatingSlice, find_deviating_ratios, find_deviating_slices};

#[derive(Default)]
struct Score {
    right: usize,
    wrong: usize,
    missed: usize,
    exact: usize,
}

impl Score {
    fn add(&mut self, seed: u64, found: &[DeviatingSlice], causes: &[Slice]) {
        let right = found.iter().filter(|found| causes.contains(&found.slice)).count();
        self.right += right;
        self.wrong += found.len() - right;
        self.missed += causes.len() - right.min(causes.len());
        let exact = right == causes.len() && right == found.len();
        self.exact += usize::from(exact);
        if std::env::var_os("SHOW").is_some() && !exact {
            println!("seed {seed} causes {causes:?}");
            for found in found {
                let mark = if causes.contains(&found.slice) { "+" } else { "-" };
                println!(
                    "  {mark} {:?} {:.3} [{:.3}, {:.3}] p {:.1e}",
                    found.slice, found.effect, found.interval.0, found.interval.1, found.adjusted_p_value
                );
            }
        }
    }

    fn print(&self, name: &str, cubes: u64) {
        let f1 = 2.0 * self.right as f64 / (2 * self.right + self.wrong + self.missed).max(1) as f64;
        println!(
            "{name:16} F1 {f1:.3}  right {} wrong {} missed {}  exact {} of {cubes}",
            self.right, self.wrong, self.missed, self.exact
        );
    }
}

fn main() {
    let seeds: u64 = std::env::args()
        .nth(1)
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(50);
    let only = std::env::args().nth(2);
    let kinds: [(&str, &Kind, bool); 8] = [
        ("forecasts", &FORECASTS, true),
        ("forecasts, none", &FORECASTS, false),
        ("mixed", &MIXED, true),
        ("shallow", &SHALLOW, true),
        ("cells", &CELLS, true),
        ("counts", &COUNTS, true),
        ("mixed, none", &MIXED, false),
        ("counts, none", &COUNTS, false),
    ];
    let wanted = |name: &str| only.as_ref().is_none_or(|only| name.starts_with(only));
    for (name, kind, faulty) in kinds {
        if wanted(name) {
            let mut score = Score::default();
            for seed in 0..seeds {
                let (cube, causes) = cube(seed, kind, faulty);
                score.add(seed, &find_deviating_slices(&cube), &causes);
            }
            score.print(name, seeds);
        }
    }
    for (name, faulty) in [("ratios", true), ("ratios, none", false)] {
        if wanted(name) {
            let mut score = Score::default();
            for seed in 0..seeds {
                let (cube, causes) = ratios(seed, faulty);
                score.add(seed, &find_deviating_ratios(&cube), &causes);
            }
            score.print(name, seeds);
        }
    }
}
