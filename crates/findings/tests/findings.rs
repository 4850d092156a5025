//! What is told of tails, groups, confidence and gaps, and what is not.

use kaizen_findings::{
    About, CellSums, Comparison, Detail, Groups, Stated, latency_tail, level_order, standings,
    stated_probabilities,
};
use kaizen_stats::Predicted;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, StandardNormal};

const ABOUT: About<'static> = About {
    component: "sync",
    metric: "sync.p95_latency",
    title: "Latency",
    unit: "seconds",
};

/// Days of decisions with a median of one second; the slowest hundredth takes `slower` times as long.
fn days(seed: u64, days: usize, slower: f64) -> Vec<Vec<(f64, f64)>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut day = || {
        let mut all: Vec<(f64, f64)> = (0..10_000)
            .map(|_| {
                let normal: f64 = StandardNormal.sample(&mut random);
                let time = (0.5 * normal).exp();
                (
                    if time > 3.0 {
                        3.0 + (time - 3.0) * slower
                    } else {
                        time
                    },
                    1.0,
                )
            })
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    };
    (0..days).map(|_| day()).collect()
}

#[test]
fn a_tail_that_moved_alone_is_told_and_one_that_did_not_is_not() {
    let told = |slower| latency_tail(ABOUT, &days(1, 7, 1.0), &days(2, 7, slower), 0.01);
    let found = told(3.0).unwrap();
    let Detail::LatencyTail(tail) = &found.detail else {
        panic!("{found:?}")
    };
    assert!(tail.change > 0.1 && tail.interval.0 > 0.0, "{tail:?}");
    assert!((tail.median.1 / tail.median.0 - 1.0).abs() < 0.05, "{tail:?}");
    assert_eq!(told(1.0), None);
}

#[test]
fn when_all_decisions_got_slower_that_is_no_tail() {
    let slower: Vec<Vec<(f64, f64)>> = (days(2, 7, 1.0).into_iter())
        .map(|day| day.into_iter().map(|(time, n)| (1.4 * time, n)).collect())
        .collect();
    assert_eq!(latency_tail(ABOUT, &days(1, 7, 1.0), &slower, 0.01), None);
}

const COMPARISON: Comparison = Comparison {
    minimum_sample: 30.0,
    higher_is_better: true,
    dispersion: 1.0,
};

#[test]
fn groups_that_differ_are_told_and_chance_is_not() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut group = |name: &str, n: u64, share: f64| {
        let hits = Binomial::new(n, share).unwrap().sample(&mut random) as f64;
        let sums = CellSums {
            n: n as f64,
            sum: hits,
            sum_squares: hits,
        };
        (name.to_owned(), sums, sums)
    };
    let groups = Groups {
        dimension: "template".to_owned(),
        of_the_whole: false,
        groups: vec![
            group("a", 4_000, 0.5),
            group("b", 4_000, 0.5),
            group("worse", 4_000, 0.4),
            group("rare", 10, 0.0),
        ],
    };
    let told = standings(ABOUT, &groups, COMPARISON);
    let worse: Vec<&str> = (told.iter())
        .filter(|it| it.is_worse == Some(true))
        .map(|it| match &it.detail {
            Detail::Standing(standing) => standing.group.as_str(),
            _ => "",
        })
        .collect();
    assert_eq!(worse, ["worse"]);
    let whole = Groups {
        of_the_whole: true,
        ..groups
    };
    assert_eq!(standings(ABOUT, &whole, COMPARISON), []);
}

fn level(stated: &str, n: f64, share: f64) -> Stated {
    Stated {
        stated: stated.to_owned(),
        n,
        successes: n * share,
    }
}

#[test]
fn levels_in_the_wrong_order_are_told_and_those_that_chance_turns_are_not() {
    let turned = [level("high", 2_000.0, 0.7), level("medium", 2_000.0, 0.8)];
    assert!(level_order(ABOUT, &turned, 0.01).unwrap().text.contains("high"));
    let fair = [
        level("high", 2_000.0, 0.8),
        level("medium", 2_000.0, 0.7),
        level("low", 50.0, 0.9),
    ];
    assert_eq!(level_order(ABOUT, &fair, 0.01), None);
    let close = [level("high", 200.0, 0.79), level("medium", 200.0, 0.8)];
    assert_eq!(level_order(ABOUT, &close, 0.01), None);
}

#[test]
fn bold_probabilities_are_told_and_true_ones_are_not() {
    let stated = |temperature: f64| {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let rows: Vec<Predicted> = (0..10_000)
            .map(|_| {
                let odds: f64 = random.random_range(-2.0..3.0);
                let truth = 1.0 / (1.0 + (-odds).exp());
                Predicted {
                    probability: 1.0 / (1.0 + (-odds * temperature).exp()),
                    trials: 1.0,
                    successes: f64::from(u8::from(random.random::<f64>() < truth)),
                }
            })
            .collect();
        stated_probabilities(ABOUT, "confidence", &rows, 0.01)
    };
    assert!(stated(1.5).unwrap().text.contains("too bold"));
    assert!(stated(0.6).unwrap().text.contains("too timid"));
    assert_eq!(stated(1.0), None);
}
