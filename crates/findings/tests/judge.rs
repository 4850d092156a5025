//! Which way metrics go: what is called a trend, and what is not.

use std::ops::Range;

use kaizen_findings::{Direction, History, Judgement, Observed, Quality, Spans, Trend, judge};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const NOISE: [f64; 7] = [0.01, -0.02, 0.015, 0.0, -0.01, 0.02, -0.015];
const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Parts of that many seconds, counted from 1970, a Thursday.
fn parts(length: i64, range: Range<i64>, mut level: impl FnMut(i64) -> f64) -> Vec<Observed> {
    let part = |at: i64| Observed {
        start: at * length,
        end: (at + 1) * length,
        value: Some(level(at)),
        n: 1000.0,
        coverage: Some(1.0),
        incomplete: false,
    };
    range.map(part).collect()
}

/// A past of days of which the last `length` are the period and those before them the period before.
fn past(length: i64, days: Vec<Observed>) -> (History, Spans) {
    let end = days.last().map_or(0, |day| day.end);
    let spans = Spans {
        before: (end - 2 * length * DAY, end - length * DAY),
        now: (end - length * DAY, end),
    };
    let whole = |(start, end): (i64, i64)| {
        let within = days.iter().filter(|day| day.start >= start && day.end <= end);
        let values: Vec<f64> = within.filter_map(|day| day.value).collect();
        Quality {
            value: Some(values.iter().sum::<f64>() / values.len() as f64),
            n: 1000.0 * values.len() as f64,
            coverage: Some(1.0),
            thin: false,
        }
    };
    let history = History {
        metric: "c.m".to_owned(),
        higher_is_better: true,
        least: 10.0,
        now: whole(spans.now),
        before: whole(spans.before),
        days,
        ..History::default()
    };
    (history, spans)
}

/// Two weeks, one at each level.
fn weeks(before: f64, now: f64) -> (History, Spans) {
    past(
        7,
        parts(DAY, 0..14, |day| {
            let noise = NOISE[(day * 3 + day / 7) as usize % 7];
            noise + if day < 7 { before } else { now }
        }),
    )
}

fn judged((history, spans): (History, Spans)) -> Judgement {
    judge(&[history], spans).remove(0)
}

fn direction(past: (History, Spans)) -> Direction {
    judged(past).trend.direction
}

#[test]
fn a_change_beyond_chance_is_judged_by_the_metrics_own_direction() {
    let turned = |(history, spans): (History, Spans)| {
        let history = History {
            higher_is_better: false,
            ..history
        };
        (history, spans)
    };
    assert_eq!(direction(weeks(0.9, 0.8)), Direction::Declining);
    assert_eq!(direction(turned(weeks(0.9, 0.8))), Direction::Improving);
    assert_eq!(direction(weeks(0.8, 0.9)), Direction::Improving);
    assert_eq!(direction(weeks(0.9, 0.9)), Direction::Stable);
}

#[test]
fn what_is_thin_or_uncovered_or_short_is_not_judged() {
    let with = |change: &dyn Fn(&mut History)| {
        let (mut history, spans) = weeks(0.9, 0.5);
        change(&mut history);
        (history, spans)
    };
    let thin = with(&|it| it.now.thin = true);
    let uncovered = with(&|it| it.now.coverage = Some(0.5));
    let short = with(&|it| it.days.truncate(11));
    let cut = with(&|it| it.days[7..10].iter_mut().for_each(|day| day.incomplete = true));
    // The first decisions came in the middle of the period before: nothing is expected of the days before.
    let young = with(&|it| it.days[..4].iter_mut().for_each(|day| day.coverage = None));
    for past in [thin, uncovered, short, cut, young] {
        let Trend {
            direction, p_value, ..
        } = judged(past).trend;
        assert_eq!((direction, p_value), (Direction::InsufficientData, None));
    }
}

#[test]
fn many_metrics_are_judged_together() {
    let one = judged(weeks(0.9, 0.86)).trend.p_value.unwrap();
    let (still, spans) = weeks(0.9, 0.9);
    let mut many = vec![still; 20];
    many[0] = weeks(0.9, 0.86).0;
    let among = judge(&many, spans)[0].trend.p_value.unwrap();
    assert!(among > one * 5.0, "{among} of many, {one} alone");
}

#[test]
fn days_that_miss_most_of_their_decisions_are_no_change() {
    // Two days after are an outage: a tenth of the decisions, and none of them counted.
    let (mut outage, spans) = weeks(100.0, 100.0);
    outage.adds_up = true;
    for day in &mut outage.days[7..9] {
        (day.value, day.coverage) = (Some(0.0), Some(0.1));
    }
    assert_eq!(direction((outage, spans)), Direction::Stable);
}

#[test]
fn a_count_that_lacks_hours_of_its_days_is_no_decline() {
    let (mut part, spans) = weeks(100.0, 100.0);
    for day in &mut part.days[7..14] {
        (day.value, day.coverage) = (day.value.map(|value| value * 0.6), Some(0.6));
    }
    part.now.value = Some(60.0);
    assert_eq!(direction((part.clone(), spans)), Direction::Declining);
    part.adds_up = true;
    assert_eq!(direction((part, spans)), Direction::Stable);
}

#[test]
fn a_change_of_the_whole_that_its_days_do_not_show_is_none() {
    let (mut history, spans) = weeks(0.9, 0.9);
    history.now.value = Some(0.95);
    assert_eq!(direction((history, spans)), Direction::Stable);
}

#[test]
fn a_long_drift_is_told_though_no_week_tells_it() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let days = parts(DAY, 0..91, |day| {
        let noise: f64 = StandardNormal.sample(&mut random);
        100.0 - 0.05 * day as f64 + noise
    });
    let trend = judged(past(7, days)).trend;
    assert_eq!(trend.direction, Direction::Declining);
    let slope = trend.slope.unwrap();
    assert!(slope.interval.0 < -0.05 && -0.05 < slope.interval.1 && slope.interval.1 < 0.0);
    assert_eq!((slope.since, slope.days), (0, 91));
}

#[test]
fn a_step_within_the_period_is_located_and_is_the_onset() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let level = |hour: i64| if hour < 1500 { 10.0 } else { 8.0 };
    let hours = parts(HOUR, 0..56 * 24, |hour| {
        let noise: f64 = StandardNormal.sample(&mut random);
        level(hour) + noise
    });
    let hours: Vec<Observed> = hours
        .into_iter()
        .chain(parts(HOUR, 56 * 24..70 * 24, |hour| {
            level(hour) + NOISE[hour as usize % 7] * 40.0
        }))
        .collect();
    let days = parts(DAY, 0..70, |day| {
        hours[day as usize * 24..][..24]
            .iter()
            .filter_map(|it| it.value)
            .sum::<f64>()
            / 24.0
    });
    let (mut history, spans) = past(14, days);
    history.hours = hours;
    let found = judged((history, spans));
    assert_eq!(found.moves.len(), 1, "{:?}", found.moves);
    let step = found.moves[0];
    assert!(
        (step.at / HOUR - 1500).abs() <= 24 && step.step == HOUR,
        "{step:?}"
    );
    assert!(
        step.interval.0 <= -2.0 && -2.0 <= step.interval.1 && !step.is_improving,
        "{step:?}"
    );
    assert_eq!(found.trend.direction, Direction::Declining);
    assert_eq!(found.trend.onset, Some(step.at));
    assert_eq!(found.anomalies, []);
}

#[test]
fn of_metrics_that_only_follow_the_week_at_most_one_in_twenty_is_called_changed() {
    for (length, history) in [(6, 12), (7, 14), (7, 91), (10, 20), (28, 56), (30, 91)] {
        let called = (0..2_000).filter(|seed| {
            let mut random = ChaCha8Rng::seed_from_u64(*seed);
            let days = parts(DAY, 0..history, |day| {
                let noise: f64 = StandardNormal.sample(&mut random);
                (if day % 7 < 2 { 50.0 } else { 100.0 }) + noise
            });
            judged(past(length, days)).trend.p_value.unwrap() < 0.05
        });
        let called = called.count() as f64 / 2_000.0;
        // 5 % and three standard errors.
        assert!(called <= 0.065, "{called} of {length} in {history} days");
    }
}

/// Decisions of the hours of a working day; a weekend has a fifth.
const OF_A_DAY: [u32; 24] = [
    12, 12, 12, 12, 12, 13, 31, 63, 68, 85, 95, 84, 58, 70, 75, 77, 80, 54, 34, 27, 18, 15, 10, 10,
];

/// Eight weeks of hours with a share of `share(hour)`.
fn shares(seed: u64, share: impl Fn(i64) -> f64) -> (History, Spans) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let hours = (0..8 * 168_i64).map(|hour| {
        // 1 January 1970 was a Thursday.
        let is_weekend = matches!(hour / 24 % 7, 2 | 3);
        let n = OF_A_DAY[(hour % 24) as usize] / if is_weekend { 5 } else { 1 };
        let hits = (0..n).filter(|_| random.random_bool(share(hour))).count();
        let (hits, n) = (hits as f64, f64::from(n));
        Observed {
            start: hour * HOUR,
            end: (hour + 1) * HOUR,
            value: Some(hits / n),
            n,
            coverage: Some(1.0),
            incomplete: false,
        }
    });
    let hours: Vec<Observed> = hours.collect();
    let (history, spans) = past(7, parts(DAY, 0..56, |_| 0.988));
    (
        History {
            is_share: true,
            least: 10.0,
            hours,
            ..history
        },
        spans,
    )
}

#[test]
fn a_share_near_one_moves_when_failures_become_more_and_not_by_chance() {
    let by_chance = (0..100).map(|seed| judged(shares(seed, |_| 0.988)).moves.len());
    assert!(by_chance.sum::<usize>() <= 4, "in 200 weeks");
    // 1.2 % of failures become 4 % two days before the end.
    let since = 54 * 24;
    for seed in 0..10 {
        let moves = judged(shares(seed, |hour| if hour < since { 0.988 } else { 0.96 })).moves;
        assert_eq!(moves.len(), 1, "{moves:?}");
        assert!(
            (moves[0].at / HOUR - since).abs() <= 24 && !moves[0].is_improving,
            "{moves:?}"
        );
    }
}
