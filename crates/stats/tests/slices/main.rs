//! The slice searches on simulated cubes whose culprits are known. Bounds are binomial: a search at its published rate fails
//! them once in a thousand runs of other seeds. `examples/slice_scores.rs` and `examples/cube_scores.rs` print the whole
//! tables.

mod cubes;
mod fleet;

use cubes::{CELLS, COUNTS, FORECASTS, Kind, MIXED, SHALLOW, cube, ratios};
use fleet::{Conditions, Score, fleet};
use kaizen_stats::{
    Cube, Culprit, Measured, Moments, SliceSearch, TwoPeriods, find_culprits, find_deviating_ratios,
    find_deviating_slices,
};

const AROUND: Conditions = Conditions {
    shared_shift: 0.3,
    mix_shift: 0.5,
    scatter: 0.0,
};

fn score(seeds: std::ops::Range<u64>, conditions: usize, z: f64, around: Conditions) -> Score {
    let mut score = Score::default();
    for seed in seeds {
        let fleet = fleet(seed, conditions, z, around);
        let found = find_culprits(&fleet.cube, &SliceSearch::default());
        score.add(
            &found.into_iter().map(|found| found.slice).collect::<Vec<_>>(),
            &fleet.culprit,
        );
    }
    score
}

#[test]
fn a_slice_far_beyond_chance_is_named_exactly_and_alone() {
    for (conditions, around) in [
        (1, Conditions::default()),
        (2, Conditions::default()),
        (1, AROUND),
        (2, AROUND),
    ] {
        let score = score(0..12, conditions, 11.0, around);
        assert!(
            score.right >= 10 && score.wrong <= 2,
            "{conditions} {around:?} {score:?}"
        );
    }
}

#[test]
fn a_slice_just_beyond_chance_is_mostly_named_exactly() {
    for conditions in [1, 2] {
        let score = score(0..12, conditions, 6.5, Conditions::default());
        assert!(score.right >= 8 && score.wrong <= 2, "{conditions} {score:?}");
    }
}

#[test]
fn none_is_named_when_nothing_happened_or_all_shift_together_or_the_mix_alone_does() {
    for around in [
        Conditions::default(),
        Conditions {
            shared_shift: 0.5,
            ..Conditions::default()
        },
        Conditions {
            mix_shift: 0.8,
            ..Conditions::default()
        },
        Conditions {
            scatter: 0.3,
            ..AROUND
        },
    ] {
        let score = score(0..12, 0, 0.0, around);
        assert!(score.named <= 1, "{around:?} {score:?}");
    }
}

fn moments(count: f64, rate: f64) -> Moments {
    Moments {
        count,
        sum: count * rate,
        sum_of_squares: count * rate,
    }
}

/// 3 dimensions of 3 values, alike but for `change`.
#[expect(clippy::unwrap_used, reason = "a cell has all its values")]
fn small(change: impl Fn(usize, usize, usize) -> (f64, f64)) -> Vec<Culprit> {
    let mut cube = Cube::new(["model", "region", "channel"]);
    for cell in 0..27 {
        let (a, b, c) = (cell % 3, cell / 3 % 3, cell / 9);
        let (count, rate) = change(a, b, c);
        let cell = TwoPeriods {
            baseline: moments(1_000.0, 0.5),
            current: moments(count, rate),
        };
        cube.add(&[format!("m{a}"), format!("r{b}"), format!("c{c}")], cell)
            .unwrap();
    }
    find_culprits(&cube, &SliceSearch::default())
}

#[test]
fn effects_are_told_with_their_sign_and_split_into_mix_and_rate() {
    let found = small(|a, b, _| {
        if a == 1 && b == 2 {
            (2_000.0, 0.3)
        } else {
            (1_000.0, 0.5)
        }
    });
    assert_eq!(found.len(), 1);
    let culprit = &found[0];
    let wanted =
        [("model", "m1"), ("region", "r2")].map(|(dimension, value)| (dimension.into(), value.into()));
    assert_eq!(culprit.slice, wanted);
    assert!(culprit.interval.0 < -0.2 && -0.2 < culprit.interval.1 && (culprit.effect + 0.2).abs() < 0.01);
    let split = culprit.split.unwrap();
    assert!(split.rate < -0.02 && split.mix.abs() < split.rate.abs());

    let turned = small(|a, b, _| {
        if a == 1 && b == 2 {
            (2_000.0, 0.7)
        } else {
            (1_000.0, 0.5)
        }
    });
    assert_eq!(turned[0].slice, culprit.slice);
    assert!((turned[0].effect + culprit.effect).abs() < 1e-6);
}

/// A slice with nine tenths of its decisions on one model; those on the other fail rarely.
#[test]
fn a_condition_that_hardly_narrows_a_slice_is_named_where_what_it_leaves_out_did_not_change() {
    let named = |of_large: f64| -> Vec<Vec<(String, String)>> {
        let mut cube = Cube::new(["region", "channel", "model"]);
        for cell in 0..24 {
            let (region, channel, large) = (cell % 4, cell / 4 % 3, cell >= 12);
            let (count, rate) = if large { (500.0, 0.97) } else { (4_500.0, 0.75) };
            let fall = match (region, large) {
                (1, true) => of_large,
                (1, false) => 0.05,
                _ => 0.0,
            };
            let cell = TwoPeriods {
                baseline: moments(count, rate),
                current: moments(count, rate - fall),
            };
            let model = if large { "large" } else { "small" };
            cube.add(&[&format!("r{region}"), &format!("c{channel}"), model], cell)
                .unwrap();
        }
        let found = find_culprits(&cube, &SliceSearch::default());
        found.into_iter().map(|culprit| culprit.slice).collect()
    };
    let of = |conditions: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = conditions
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        owned.collect()
    };
    assert_eq!(named(0.0), [of(&[("region", "r1"), ("model", "small")])]);
    assert_eq!(named(0.05), [of(&[("region", "r1")])]);
}

#[test]
fn a_value_that_is_new_moves_no_verdict_on_the_others() {
    let mut cube = Cube::new(["model", "region"]);
    for region in ["eu", "us", "in"] {
        for (model, before) in [("a", 2_000.0), ("b", 2_000.0), ("new", 0.0)] {
            let rate = if model == "new" { 0.9 } else { 0.5 };
            let cell = TwoPeriods {
                baseline: moments(before, 0.5),
                current: moments(1_000.0, rate),
            };
            cube.add(&[model, region], cell).unwrap();
        }
    }
    assert_eq!(find_culprits(&cube, &SliceSearch::default()), []);
}

#[test]
fn an_empty_cube_has_no_culprits() {
    assert_eq!(find_culprits(&Cube::new(["model"]), &SliceSearch::default()), []);
    assert_eq!(find_deviating_slices(&Cube::new(["model"])), []);
    assert_eq!(find_deviating_ratios(&Cube::new(["model"])), []);
    let mut zeros = Cube::new(["model"]);
    zeros.add(&["a"], Measured::default()).unwrap();
    assert_eq!(find_deviating_slices(&zeros), []);
}

/// Cubes whose causes are exactly named, and wrong names in all.
fn deviating(kind: &Kind, seeds: u64, faulty: bool) -> (usize, usize) {
    let (mut exact, mut wrong) = (0, 0);
    for seed in 0..seeds {
        let (cube, mut causes) = cube(seed, kind, faulty);
        let mut found: Vec<_> = find_deviating_slices(&cube)
            .into_iter()
            .map(|found| found.slice)
            .collect();
        wrong += found.iter().filter(|slice| !causes.contains(slice)).count();
        found.sort();
        causes.sort();
        exact += usize::from(found == causes);
    }
    (exact, wrong)
}

#[test]
fn all_causes_in_cubes_of_actual_and_expected_values_are_named_and_no_others() {
    for (name, kind, least) in [
        ("mixed", &MIXED, 6),
        ("shallow", &SHALLOW, 8),
        ("cells", &CELLS, 8),
        ("counts", &COUNTS, 8),
    ] {
        let (exact, wrong) = deviating(kind, 10, true);
        assert!(
            exact >= least && wrong <= 3,
            "{name}: {exact} of 10 exact, {wrong} wrong"
        );
    }
    for (name, kind) in [("mixed", &MIXED), ("counts", &COUNTS)] {
        let (exact, wrong) = deviating(kind, 10, false);
        assert!(exact >= 9, "{name}, none: {wrong} wrong");
    }
}

#[test]
fn a_forecast_that_is_a_little_wrong_for_every_value_is_no_cause() {
    let (exact, wrong) = deviating(&FORECASTS, 10, true);
    assert!(exact >= 4 && wrong <= 3, "{exact} of 10 exact, {wrong} wrong");
    let (exact, wrong) = deviating(&FORECASTS, 10, false);
    assert!(exact >= 8, "none: {wrong} wrong");
}

#[test]
fn causes_of_ratios_are_named_whatever_the_volumes_do() {
    let exact = |faulty: bool| {
        (0..10)
            .filter(|seed| {
                let (cube, mut causes) = ratios(*seed, faulty);
                let mut found: Vec<_> = find_deviating_ratios(&cube)
                    .into_iter()
                    .map(|found| found.slice)
                    .collect();
                found.sort();
                causes.sort();
                found == causes
            })
            .count()
    };
    assert!(exact(true) >= 9 && exact(false) >= 9);
}

#[test]
fn the_order_of_cells_and_their_scale_mean_nothing() {
    let (cube, _) = cube(3, &SHALLOW, true);
    let plain = find_deviating_slices(&cube);
    assert!(!plain.is_empty());
    let mut scaled = Cube::new((0..5).map(|at| format!("d{at}")));
    let mut cells: Vec<(Vec<String>, Measured)> = Vec::new();
    for (at, cell) in cube.cells().iter().enumerate() {
        let mut left = at;
        let values = SHALLOW.cardinalities.iter().map(|cardinality| {
            let value = left % cardinality;
            left /= cardinality;
            format!("v{value:02}")
        });
        let larger = Measured {
            actual: cell.actual * 1_000.0,
            expected: cell.expected * 1_000.0,
        };
        cells.push((values.collect(), larger));
    }
    for (values, cell) in cells.iter().rev() {
        scaled.add(values, *cell).unwrap();
    }
    let other = find_deviating_slices(&scaled);
    assert_eq!(plain.len(), other.len());
    for (plain, other) in plain.iter().zip(&other) {
        assert_eq!(plain.slice, other.slice);
        assert!((plain.effect - other.effect).abs() < 1e-6);
    }
}
