//! What is told of tails, groups, confidence and gaps, and what is not.

use kaizen_findings::{
    About, CellSums, Comparison, Detail, Groups, LabelCounts, LabelOrder, LabelShape, Stated, label_order,
    latency_tail, level_order, standings, stated_probabilities,
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

/// Of one component of four.
const SIGNIFICANCE: f64 = 0.01 / 4.0;

/// A week of decisions with a score of four bands, the best first, of which so many standard deviations more of those that reach
/// their aim are in the better ones; `day` is what a day's share of those is and what is added to its scores.
fn scored(seed: u64, a_day: u32, deviations: f64, day: impl Fn(i32) -> (f64, f64)) -> LabelCounts {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut counts = |at: i32| {
        let (share, added) = day(at);
        let mut levels = vec![(0.0, 0.0); 4];
        for _ in 0..a_day {
            let well = random.random::<f64>() < share;
            let normal: f64 = StandardNormal.sample(&mut random);
            let score = normal + added + if well { deviations } else { 0.0 };
            let level = [0.7, 0.0, -0.7].iter().take_while(|from| score < **from).count();
            levels[level].0 += f64::from(u8::from(well));
            levels[level].1 += 1.0;
        }
        levels
    };
    LabelCounts {
        label: "quality_score".to_owned(),
        of: "success_indicator".to_owned(),
        levels: ["90 to 100", "80 to 90", "70 to 80", "60 to 70"]
            .map(str::to_owned)
            .to_vec(),
        days: (0..7).map(&mut counts).collect(),
    }
}

fn order_of(counts: &LabelCounts) -> Option<LabelOrder> {
    match label_order(ABOUT, counts, SIGNIFICANCE)?.detail {
        Detail::LabelOrder(it) => Some(it),
        _ => None,
    }
}

#[test]
fn labels_that_say_nothing_or_the_contrary_are_told_and_those_that_order_are_not() {
    let alike = |_| (0.8, 0.0);
    for seed in 0..20 {
        let inverted = order_of(&scored(seed, 1_000, -0.5, alike)).unwrap();
        assert_eq!(inverted.shape, LabelShape::Inverted);
        assert!(
            inverted.interval.1 < 0.45 && inverted.p_value < 1e-4,
            "{inverted:?}"
        );
        assert!(
            inverted.levels[0].observed < inverted.levels[3].observed,
            "{inverted:?}"
        );
        assert_eq!(order_of(&scored(seed, 1_000, 0.5, alike)), None);
    }
    let silent: Vec<_> = (0..20)
        .filter_map(|seed| order_of(&scored(seed, 1_500, 0.0, alike)))
        .collect();
    assert!(silent.len() >= 18 && silent.iter().all(|it| it.shape == LabelShape::Uninformative));
    assert!(
        silent
            .iter()
            .all(|it| it.interval.0 > 0.44 && it.interval.1 < 0.56),
        "{silent:?}"
    );
}

#[test]
fn what_cannot_be_told_from_chance_is_not_called_uninformative() {
    for seed in 0..20 {
        assert_eq!(order_of(&scored(seed, 60, 0.0, |_| (0.8, 0.0))), None);
        assert_eq!(order_of(&scored(seed, 20, -0.1, |_| (0.8, 0.0))), None);
        // All of them well, or all but a few.
        assert_eq!(order_of(&scored(seed, 1_500, 0.0, |_| (1.0, 0.0))), None);
        assert_eq!(order_of(&scored(seed, 1_500, 0.0, |_| (0.999, 0.0))), None);
    }
}

#[test]
fn days_that_are_worse_and_scored_higher_do_not_turn_a_label_round() {
    let worse_and_worse = |at: i32| (0.9 - 0.1 * f64::from(at), 0.3 * f64::from(at));
    for seed in 0..20 {
        assert_eq!(order_of(&scored(seed, 1_500, 0.3, worse_and_worse)), None);
    }
}

#[test]
fn a_label_whose_middle_is_best_says_something() {
    let mut arch = scored(1, 1_500, 0.0, |_| (0.8, 0.0));
    for day in &mut arch.days {
        // As many in the outer bands come out worse as in the inner ones better.
        for (level, share) in [(0, 0.7), (1, 0.9), (2, 0.9), (3, 0.7)] {
            day[level].0 = (day[level].1 * share).round();
        }
    }
    assert_eq!(order_of(&arch), None);
}

#[test]
fn a_label_that_is_rare_and_right_says_something() {
    let rare = |share_of_few: f64| LabelCounts {
        label: "confidence_level".to_owned(),
        of: "success".to_owned(),
        levels: vec!["high".to_owned(), "low".to_owned()],
        days: vec![vec![(0.9 * 2_000.0, 2_000.0), (share_of_few * 20.0, 20.0)]; 7],
    };
    assert_eq!(order_of(&rare(0.0)), None);
    let silent = label_order(ABOUT, &rare(0.9), SIGNIFICANCE).unwrap();
    assert!(
        silent
            .text
            .contains("does not tell which decisions come out well"),
        "{}",
        silent.text
    );
    assert!(silent.text.contains("that succeeded"), "{}", silent.text);
}
