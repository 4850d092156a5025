//! How often the slice search names the right slice, and names one when nothing happened, over seeds 0 to 999:
//! `cargo run --release -p kaizen-stats --example slice_scores -- SEEDS [AROUND]`. `SHOW=1` lists what is not right.

#![expect(clippy::print_stdout, reason = "it prints a table")]

#[path = "../tests/slices/fleet.rs"]
mod fleet;

use fleet::{Conditions, Score, fleet};
use kaizen_stats::{SliceSearch, find_culprits};

/// How many conditions the culprit has, and the expected z from seed to seed.
const ROWS: [(usize, f64, f64); 6] = [
    (0, 0.0, 0.0),
    (1, 5.0, 8.0),
    (1, 8.0, 14.0),
    (2, 5.0, 8.0),
    (2, 8.0, 14.0),
    (3, 8.0, 14.0),
];

fn main() {
    let seeds: u64 = std::env::args()
        .nth(1)
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(200);
    let only = std::env::args().nth(2);
    let plain = Conditions::default();
    let around = [
        ("nothing else", plain),
        (
            "shared shift",
            Conditions {
                shared_shift: 0.3,
                ..plain
            },
        ),
        (
            "mix shift",
            Conditions {
                mix_shift: 0.5,
                ..plain
            },
        ),
        (
            "scatter",
            Conditions {
                scatter: 0.3,
                ..plain
            },
        ),
        (
            "all",
            Conditions {
                shared_shift: 0.3,
                mix_shift: 0.5,
                scatter: 0.3,
            },
        ),
    ];
    for (name, around) in around {
        if only.as_ref().is_some_and(|only| name != only) {
            continue;
        }
        for row in ROWS {
            let (conditions, low, high) = row;
            let Score {
                right,
                wrong,
                missed,
                named,
                fleets,
            } = score(seeds, row, around);
            let f1 = 2.0 * right as f64 / (2 * right + wrong + missed) as f64;
            println!(
                "{name:14} {conditions} conditions, z {low:>2}–{high:<2}  F1 {f1:.3}  right {right} wrong {wrong} \
                 missed {missed}  named in {named} of {fleets}"
            );
        }
    }
}

fn score(seeds: u64, (conditions, low, high): (usize, f64, f64), around: Conditions) -> Score {
    let show = std::env::var_os("SHOW").is_some();
    let mut score = Score::default();
    for seed in 0..seeds {
        let z = low + (high - low) * (seed as f64 + 0.5) / seeds as f64;
        let fleet = fleet(seed, conditions, z, around);
        let found = find_culprits(&fleet.cube, &SliceSearch::default());
        let found: Vec<_> = found.into_iter().map(|culprit| culprit.slice).collect();
        score.add(&found, &fleet.culprit);
        let right = if conditions == 0 {
            found.is_empty()
        } else {
            found == [fleet.culprit.clone()]
        };
        if show && !right {
            println!("{seed} z {z:.1} {:?} found {found:?}", fleet.culprit);
        }
    }
    score
}
