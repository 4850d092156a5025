//! Changes of level and anomalies.

use kaizen_stats::{ChangePoint, Scale, Times, analyse, two_proportions};
use serde::{Deserialize, Serialize};

use super::history::{History, Observed, Spans, counted};

/// Where a metric changed its level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// First hour or day of the new level, in seconds since 1970.
    pub at: i64,
    /// Length of the steps it was looked for in, in seconds: it is known to one of them at best.
    pub step: i64,
    /// New level minus old one, in the unit of the metric.
    pub effect: f64,
    /// 95 % interval of the effect, given the place.
    pub interval: (f64, f64),
    /// Whether it is one for the better.
    pub is_improving: bool,
}

/// A value far from what was likely.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Its hour or day, in seconds since 1970; of several that follow each other, the farthest.
    pub at: i64,
    /// Length of that hour or day in seconds.
    pub step: i64,
    /// The value.
    pub value: f64,
    /// Distance from what was likely, in standard deviations of the bulk.
    pub score: f64,
    /// Whether it lies above what was likely.
    pub is_high: bool,
    /// Whether it is one for the better.
    pub is_improving: bool,
}

/// The part of the hours that must have as many for hours to be looked at; days are, otherwise.
const ENOUGH: f64 = 2.0 / 3.0;
/// Hours with less than this part of the usual decisions scatter too much more than the others to be told from a change.
const USUAL: f64 = 0.5;

/// Of intervals.
const LEVEL: f64 = 0.95;
/// What a change of a share must be worth by its decisions, as a square of standard errors: as much as is asked of the hours
/// ([`kaizen_stats::change_points`]). Twice the logarithm of the number of metrics comes on top, so that in a run of many no more is found
/// by chance than in one.
const BY_DECISIONS: f64 = 12.0;

/// Looks at hours where they hold enough decisions, else at days, over all of the history; tells what lies in the periods.
///
/// `among` is the number of metrics that are looked at together.
pub(super) fn find(history: &History, among: usize, spans: Spans) -> (Vec<Move>, Vec<Anomaly>) {
    let parts = parts(history);
    let least = if history.adds_up {
        0.0
    } else {
        least(history, parts)
    };
    let values: Vec<f64> = (parts.iter())
        .map(|part| {
            if part.n < least {
                f64::NAN
            } else {
                counted(part, history.adds_up)
            }
        })
        .collect();
    let starts: Vec<f64> = parts.iter().map(|part| part.start as f64).collect();
    // Numbers scatter more where there are more.
    let scale = if history.adds_up {
        Scale::of(&values, week(parts))
    } else {
        Scale::AsIs
    };
    let scaled: Vec<f64> = values.iter().map(|value| scale.put(*value)).collect();
    let found = analyse(Times::Seconds(&starts), &scaled, false);
    let improves = |up: bool| up == history.higher_is_better;
    let changes = if history.is_share {
        told_by_decisions(&found.change_points, parts, among)
    } else {
        found.change_points
    };
    let moves = changes.iter().map(|change| {
        let part = &parts[change.index];
        let level = level_around(&values, change.index, week(parts));
        Move {
            at: part.start,
            step: part.end - part.start,
            effect: scale.back(change.effect, level),
            interval: (
                scale.back(change.interval.0, level),
                scale.back(change.interval.1, level),
            ),
            is_improving: improves(change.effect > 0.0),
        }
    });
    let anomalies = found.anomalies.iter().map(|anomaly| {
        let part = &parts[anomaly.index];
        Anomaly {
            at: part.start,
            step: part.end - part.start,
            value: values[anomaly.index],
            score: anomaly.score,
            is_high: anomaly.high,
            is_improving: improves(anomaly.high),
        }
    });
    (
        moves.filter(|it| spans.hold(it.at)).collect(),
        anomalies.filter(|it| spans.hold(it.at)).collect(),
    )
}

/// The changes of a share that the decisions on both sides tell as well, each up to the change next to it. Shares of hours are
/// not alike: near 1 most hours of few decisions have no failure at all, and the others look like outliers.
fn told_by_decisions(changes: &[ChangePoint], parts: &[Observed], among: usize) -> Vec<ChangePoint> {
    let worth = BY_DECISIONS + 2.0 * (among.max(1) as f64).ln();
    let counts = |from: usize, to: usize| {
        let values = (parts[from..to].iter()).map(|part| (counted(part, false), part.n));
        let values = values.filter(|(share, _)| share.is_finite());
        values.fold((0.0, 0.0), |(hits, all), (share, n)| (hits + share * n, all + n))
    };
    let bounds: Vec<usize> = std::iter::once(0)
        .chain(changes.iter().map(|change| change.index))
        .chain([parts.len()])
        .collect();
    let told = |(_, bounds): &(&ChangePoint, &[usize])| {
        let (before, after) = (counts(bounds[0], bounds[1]), counts(bounds[1], bounds[2]));
        let compared = two_proportions(before, after, 1.0, LEVEL);
        compared.is_some_and(|it| it.z.powi(2) >= worth)
    };
    let told = changes.iter().zip(bounds.windows(3)).filter(told);
    told.map(|(change, _)| *change).collect()
}

/// Decisions that a part must have, of metrics that do not add up.
fn least(history: &History, parts: &[Observed]) -> f64 {
    let mut usual: Vec<f64> = parts.iter().map(|part| part.n).filter(|n| *n > 0.0).collect();
    usual.sort_by(f64::total_cmp);
    let median = usual.get(usual.len() / 2).copied().unwrap_or_default();
    (USUAL * median).max(history.least)
}

/// How many of the hours, or days, a week has.
fn week(parts: &[Observed]) -> usize {
    let is_hourly = parts.first().is_some_and(|part| part.end - part.start <= 3_600);
    if is_hourly { 168 } else { 7 }
}

/// Mean of the values within a week before and after.
fn level_around(values: &[f64], at: usize, week: usize) -> f64 {
    let around = values.iter().take(at + week).skip(at.saturating_sub(week));
    let (sum, n) =
        (around.filter(|value| value.is_finite())).fold((0.0, 0.0), |(sum, n), it| (sum + it, n + 1.0));
    sum / n
}

fn parts(history: &History) -> &[Observed] {
    let known = history.hours.iter().filter(|hour| hour.coverage.is_some());
    let (mut all, mut enough) = (0.0, 0.0);
    for hour in known {
        all += 1.0;
        enough += f64::from(u8::from(hour.n >= history.least));
    }
    if all > 0.0 && enough >= ENOUGH * all {
        &history.hours
    } else {
        &history.days
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours of `n` decisions each, of which so many succeed.
    fn hours(of: &[(usize, f64, f64)]) -> Vec<Observed> {
        let hour = |(n, hits): (f64, f64)| Observed {
            value: Some(hits / n),
            n,
            coverage: Some(1.0),
            ..Observed::default()
        };
        of.iter()
            .flat_map(|(hours, n, hits)| std::iter::repeat_n(hour((*n, *hits)), *hours))
            .collect()
    }

    #[test]
    fn a_share_changes_where_its_decisions_say_so_too() {
        // 1.2 % fail, then none: of 240 decisions that is chance, of 1,200 it is one metric's change, of 2,400 one of twenty's.
        let few = hours(&[(500, 100.0, 98.8), (60, 4.0, 4.0)]);
        let many = hours(&[(500, 100.0, 98.8), (60, 40.0, 40.0)]);
        let some = hours(&[(500, 100.0, 98.8), (60, 20.0, 20.0)]);
        let change = |index: usize| ChangePoint {
            index,
            effect: 0.012,
            interval: (0.007, 0.017),
        };
        assert_eq!(told_by_decisions(&[change(500)], &few, 1), []);
        assert_eq!(told_by_decisions(&[change(500)], &many, 20), [change(500)]);
        assert_eq!(told_by_decisions(&[change(500)], &some, 1), [change(500)]);
        assert_eq!(told_by_decisions(&[change(500)], &some, 20), []);
        // Each is compared with what lies up to its neighbours.
        let there_and_back = hours(&[(300, 100.0, 98.8), (30, 100.0, 80.0), (300, 100.0, 98.8)]);
        let both = [change(300), change(330)];
        assert_eq!(told_by_decisions(&both, &there_and_back, 20), both);
    }
}
