//! How much of what should be there is there.
//!
//! Expected of an hour is the median of what the component had in that hour of the week in the (up to four) nearest weeks
//! before and after it that have any, at most [`FARTHEST_WEEKS`] weeks off, as far as they lie between the component's first event
//! and the end of the window; after its last event, empty weeks count too, so that a component that stopped is expected no
//! more after a month. Where no other week is known, days tell it. Hours in a row that have less than a fifth of what was expected are a gap when together they
//! lack [`MISSED`] decisions or more: what they have is what is present. All other hours count as whole, since less may simply
//! be less. Nothing is expected where most neighbours are empty, so coverage is absent then.
//!
//! What it cannot see: an hour that lost some of its events but not most; a holiday, which looks like a gap; and hours of
//! the week are UTC's, so weeks around a clock change compare with hours beside their own.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

const HOUR: u32 = 3_600;
const WEEK: u32 = 168 * HOUR;
const DAY: u32 = 24 * HOUR;
/// How many weeks, or days, on each side tell what an hour has.
const MOST_AROUND: usize = 4;
/// How far off the weeks may be that tell what an hour has.
pub const FARTHEST_WEEKS: u32 = 13;

/// Below this part of what was expected, an hour may belong to a gap.
const THIN: f64 = 0.2;
/// What a gap lacks at least. Chance alone leaves less than a fifth of twenty expected decisions in one of 60,000 hours (Poisson).
const MISSED: f64 = 16.0;

/// What is expected and present in each hour of a window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coverage {
    start: u32,
    /// Expected and present weight up to, not including, each hour: sums, so that any span is two look-ups.
    cumulative: Vec<(f64, f64)>,
    gaps: Vec<Gap>,
}

/// Hours in a row most of whose decisions are missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// First instant.
    pub start: Timestamp,
    /// First instant after.
    pub end: Timestamp,
    /// Decisions that were expected.
    pub expected: f64,
    /// Decisions that are there.
    pub present: f64,
}

impl Coverage {
    /// Share of the expected events from `start` to `end` that are present, 0 to 1; `None` when none are expected.
    pub fn between(&self, start: Timestamp, end: Timestamp) -> Option<f64> {
        let at = |time: Timestamp| {
            let index = (seconds(time).saturating_sub(self.start) / HOUR) as usize;
            self.cumulative
                .get(index.min(self.cumulative.len().saturating_sub(1)))
                .copied()
        };
        let ((expected_before, present_before), (expected, present)) = (at(start)?, at(end)?);
        let expected = expected - expected_before;
        (expected > 0.0).then(|| ((present - present_before) / expected).clamp(0.0, 1.0))
    }

    /// The hours in a row most of whose decisions are missing, in the order of time.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    fn compute((start, end): (u32, u32), first: u32, counts: &HashMap<u32, u64>, now: Timestamp) -> Self {
        let now = u32::try_from(now.as_second().max(0)).unwrap_or(u32::MAX);
        let known = Known::new(first, end.min(now / HOUR * HOUR), counts);
        let hours: Vec<(f64, f64)> = (start..end)
            .step_by(HOUR as usize)
            .map(|hour| (known.expected(hour), known.count(hour)))
            .collect();
        let gaps: Vec<(usize, usize)> = gaps(&hours);
        let mut sums = (0.0, 0.0);
        let mut cumulative = vec![sums];
        let mut open = gaps.iter().peekable();
        for (at, (expected, count)) in hours.iter().enumerate() {
            open.next_if(|gap| gap.1 <= at);
            let is_missing = open.peek().is_some_and(|gap| gap.0 <= at);
            let present = if is_missing {
                count.min(*expected)
            } else {
                *expected
            };
            sums = (sums.0 + expected, sums.1 + present);
            cumulative.push(sums);
        }
        let told = |(from, to): &(usize, usize)| Gap {
            start: instant(start, *from),
            end: instant(start, *to),
            expected: cumulative[*to].0 - cumulative[*from].0,
            present: cumulative[*to].1 - cumulative[*from].1,
        };
        let gaps = gaps.iter().map(told).collect();
        Self {
            start,
            cumulative,
            gaps,
        }
    }
}

fn instant(start: u32, hour: usize) -> Timestamp {
    let second = i64::from(start) + i64::from(HOUR) * hour as i64;
    Timestamp::from_second(second).unwrap_or_default()
}

/// Where most is missing of `(expected, count)` by the hour. Hours that expect nothing end no gap, and are the edge of none.
fn gaps(hours: &[(f64, f64)]) -> Vec<(usize, usize)> {
    let mut gaps = Vec::new();
    let mut open: Option<(usize, usize, f64)> = None;
    let mut close = |open: Option<(usize, usize, f64)>| {
        gaps.extend(open.and_then(|(from, to, missed)| (missed >= MISSED).then_some((from, to))));
    };
    for (at, (expected, count)) in hours.iter().enumerate() {
        if *expected <= 0.0 {
            continue;
        }
        if *count < THIN * expected {
            let (from, _, missed) = open.unwrap_or((at, at, 0.0));
            open = Some((from, at + 1, missed + expected - count));
        } else {
            close(open.take());
        }
    }
    close(open);
    gaps
}

/// What is known of a component by the hour.
struct Known<'a> {
    /// Hour of its first event.
    first: u32,
    /// First hour that nothing is known of.
    last: u32,
    counts: &'a HashMap<u32, u64>,
    /// Weeks since `first` that have any event.
    weeks: BTreeSet<u32>,
}

impl<'a> Known<'a> {
    fn new(first: u32, last: u32, counts: &'a HashMap<u32, u64>) -> Self {
        let known = counts.keys().filter(|hour| (first..last).contains(hour));
        Self {
            first,
            last,
            counts,
            weeks: known.map(|hour| (hour - first) / WEEK).collect(),
        }
    }

    fn count(&self, hour: u32) -> f64 {
        self.counts.get(&hour).map_or(0.0, |count| *count as f64)
    }

    fn expected(&self, hour: u32) -> f64 {
        if hour < self.first || hour >= self.last {
            return 0.0;
        }
        let mut around = self.in_other_weeks(hour);
        if around.is_empty() {
            around = self.on_other_days(hour);
        }
        median(&mut around)
    }

    /// What that hour of the nearest weeks had that have any, on either side.
    fn in_other_weeks(&self, hour: u32) -> Vec<f64> {
        let week = (hour - self.first) / WEEK;
        let has_ended = self.weeks.last().is_none_or(|last| *last < week);
        let counted = |off: u32, back: bool| {
            let other = if back {
                week.checked_sub(off)
            } else {
                Some(week + off)
            };
            other.is_some_and(|other| has_ended || self.weeks.contains(&other))
        };
        let farthest = if has_ended {
            MOST_AROUND as u32
        } else {
            FARTHEST_WEEKS
        };
        let before = (1..=farthest).filter(|off| counted(*off, true));
        let before = before
            .filter_map(|off| hour.checked_sub(off * WEEK))
            .take(MOST_AROUND);
        let after = (1..=farthest).filter(|off| counted(*off, false));
        let after = after
            .filter_map(|off| hour.checked_add(off * WEEK))
            .take(MOST_AROUND);
        self.known(before.chain(after))
    }

    fn on_other_days(&self, hour: u32) -> Vec<f64> {
        let before = (1..=MOST_AROUND as u32).filter_map(|off| hour.checked_sub(off * DAY));
        let after = (1..=MOST_AROUND as u32).filter_map(|off| hour.checked_add(off * DAY));
        self.known(before.chain(after))
    }

    fn known(&self, hours: impl Iterator<Item = u32>) -> Vec<f64> {
        let known = hours.filter(|hour| (self.first..self.last).contains(hour));
        known.map(|hour| self.count(hour)).collect()
    }
}

/// The lower median: 0 if half of the values are, or without any.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or_default()
}

/// How many decisions a component has had by the hour: what its coverage is computed from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HourlyCounts {
    /// Hour of the component's first event; none without events.
    first: Option<u32>,
    counts: HashMap<u32, u64>,
}

impl HourlyCounts {
    /// Decisions by the first second of their hour; `first` is the hour of the first one ever, counted here or not. Hours without
    /// any may be left out.
    pub fn new(first: u32, counts: HashMap<u32, u64>) -> Self {
        Self {
            first: Some(first),
            counts,
        }
    }

    /// Decisions from `start` up to, not including, `end`.
    pub fn decisions(&self, start: Timestamp, end: Timestamp) -> u64 {
        let span = seconds(start)..seconds(end);
        let within = self.counts.iter().filter(|(hour, _)| span.contains(*hour));
        within.map(|(_, count)| count).sum()
    }

    /// The coverage from `start` up to, not including, `end`, both on whole hours, as far as it lies before `now`. It rests on
    /// the hours up to [`FARTHEST_WEEKS`] before `start`, and on those up to `end`.
    pub fn coverage(&self, start: Timestamp, end: Timestamp, now: Timestamp) -> Coverage {
        self.first.map_or_else(Coverage::default, |first| {
            Coverage::compute((seconds(start), seconds(end)), first, &self.counts, now)
        })
    }
}

/// Seconds since 1970, within what 32 bits hold.
fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_second().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window of two weeks that begins at hour 0 of `week`, and what happens in it.
    fn check(week: u32, first: u32, present: impl Fn(u32) -> Option<u64>, now: u32) -> Coverage {
        let time = |second: u32| Timestamp::from_second(second.into()).unwrap();
        let counts = (first..(week + 2) * WEEK)
            .step_by(HOUR as usize)
            .filter_map(|h| Some((h, present(h)?)))
            .collect();
        HourlyCounts::new(first, counts).coverage(time(week * WEEK), time((week + 2) * WEEK), time(now))
    }

    fn between(coverage: &Coverage, start: u32, end: u32) -> Option<f64> {
        let time = |second: u32| Timestamp::from_second(second.into()).unwrap();
        coverage.between(time(start), time(end))
    }

    #[test]
    fn a_hole_weighs_what_its_hours_usually_bring() {
        // 20 decisions in the first hour of a week and 1 in each other; in week 10 that first hour is missing
        let usual = |hour: u32| if hour.is_multiple_of(WEEK) { 20 } else { 1 };
        let coverage = check(10, 0, |hour| (hour != 10 * WEEK).then(|| usual(hour)), u32::MAX);
        assert_eq!(between(&coverage, 10 * WEEK, 11 * WEEK), Some(167.0 / 187.0));
        assert_eq!(between(&coverage, 11 * WEEK, 12 * WEEK), Some(1.0));
    }

    #[test]
    fn within_the_first_week_an_hour_is_expected_as_on_the_other_days() {
        let first = 10 * WEEK;
        let last = first + 5 * DAY;
        // 20 decisions in every other hour, but not on the third day
        let day = |hour: u32| (hour - first) / DAY;
        let coverage = check(
            10,
            first,
            |hour| (hour % (2 * HOUR) == 0 && hour < last && day(hour) != 2).then_some(20),
            last,
        );
        assert_eq!(between(&coverage, first, last), Some(0.8));
        assert_eq!(between(&coverage, first, first + DAY), Some(1.0));
        let [gap] = coverage.gaps() else {
            panic!("{:?}", coverage.gaps())
        };
        let hour = |time: Timestamp| (u32::try_from(time.as_second()).unwrap() - first) / HOUR;
        assert_eq!((hour(gap.start), hour(gap.end)), (48, 71));
        assert_eq!((gap.expected, gap.present), (240.0, 0.0));
    }

    #[test]
    fn months_without_a_decision_between_others_are_missing() {
        // 100 an hour, none in weeks 10 and 11 nor in the eight before
        let coverage = check(10, 0, |hour| (hour < 2 * WEEK).then_some(100), u32::MAX);
        assert_eq!(between(&coverage, 10 * WEEK, 12 * WEEK), None);
        let comes_back = |hour: u32| (!(2 * WEEK..12 * WEEK - HOUR).contains(&hour)).then_some(100);
        let coverage = check(10, 0, comes_back, u32::MAX);
        let missing = between(&coverage, 10 * WEEK, 12 * WEEK - HOUR);
        assert_eq!(missing, Some(0.0));
        assert_eq!(coverage.gaps().len(), 1);
    }

    #[test]
    fn empty_hours_of_what_is_rare_are_chance() {
        // One decision in two of three hours
        let coverage = check(
            10,
            0,
            |hour| (hour / HOUR % 3 != hour / WEEK % 3).then_some(1),
            u32::MAX,
        );
        assert_eq!(between(&coverage, 10 * WEEK, 12 * WEEK), Some(1.0));
        assert_eq!(coverage.gaps(), []);
    }

    #[test]
    fn an_hour_cut_by_an_outage_belongs_to_it_with_what_it_has() {
        let coverage = check(
            10,
            0,
            |hour| Some(if hour == 10 * WEEK + HOUR { 10 } else { 100 }),
            u32::MAX,
        );
        let hour = (10 * WEEK + HOUR, 10 * WEEK + 2 * HOUR);
        assert_eq!(between(&coverage, hour.0, hour.1), Some(0.1));
    }

    #[test]
    fn hours_that_are_not_over_are_not_expected() {
        let coverage = check(10, 0, |hour| (hour < 11 * WEEK).then_some(1), 11 * WEEK + 1_800);
        assert_eq!(between(&coverage, 10 * WEEK, 12 * WEEK), Some(1.0));
        assert_eq!(between(&coverage, 11 * WEEK, 12 * WEEK), None);
    }

    #[test]
    fn nothing_is_expected_of_a_component_that_had_stopped() {
        let coverage = check(10, 0, |hour| (hour < 2 * WEEK).then_some(1), u32::MAX);
        assert_eq!(between(&coverage, 10 * WEEK, 12 * WEEK), None);
        assert_eq!(between(&Coverage::default(), 0, HOUR), None);
    }
}
