//! What the decisions of a seed add up to, hour by hour, without any being made.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::Result;
use kaizen_catalogue::{Component, Condition, Direction, Expression, Measure, Metric};
use kaizen_findings::{Coverage, History, HourlyCounts, Observed, Quality};
use kaizen_simulator::{Moments, Process, Totals, UnknownDimension, Wanted};

use super::{END, HOUR, PAST, Step, WEEK, instant, past};
use crate::generate::fleet;

const DAY: usize = 24;
/// Decisions that an hour must have, beyond a quantile of it, as `services/analysis` has it.
const TELLING: f64 = 10.0;
const EVERYTHING: Wanted = Wanted {
    seconds: true,
    quality: true,
    measures: true,
};

/// The hours of the past that a run sees.
pub struct Memory<'a> {
    component: &'a Component,
    cells: Cells<'a>,
    hours: Vec<Totals>,
    counts: HourlyCounts,
}

/// Where decisions by their dimensions come from.
enum Cells<'a> {
    /// The process, the component's place in it, and the hour of the past that it begins in.
    Process(Box<Process<'a>>, usize, usize),
    /// All have the same values of dimensions.
    Alike(fn(&str) -> &'static str),
}

/// The values of some dimensions, and what decisions with them add up to.
pub(super) type ByValues = Vec<(Vec<String>, Totals)>;

impl<'a> Memory<'a> {
    pub(super) fn of_process(
        process: Process<'a>,
        start: i64,
        (log_type, component): (&str, &'a Component),
    ) -> Result<Self> {
        let at = fleet::place(&process, log_type)?;
        let begins = usize::try_from((start - past().0) / HOUR)?;
        let mut hours = vec![Totals::default(); PAST];
        for (hour, totals) in hours.iter_mut().skip(begins).enumerate() {
            for rollup in process.rollup(at, hour..hour + 1, &[], EVERYTHING)? {
                *totals = rollup.totals;
            }
        }
        Ok(Self::new(
            component,
            Cells::Process(Box::new(process), at, begins),
            hours,
        ))
    }

    pub(super) fn of_hours(
        component: &'a Component,
        hours: Vec<Totals>,
        value: fn(&str) -> &'static str,
    ) -> Self {
        Self::new(component, Cells::Alike(value), hours)
    }

    fn new(component: &'a Component, cells: Cells<'a>, hours: Vec<Totals>) -> Self {
        let second = |hour: usize| u32::try_from(past().0 + hour as i64 * HOUR).unwrap_or(u32::MAX);
        let counts: HashMap<u32, u64> = (hours.iter().enumerate())
            .filter(|(_, totals)| totals.decisions > 0)
            .map(|(hour, totals)| (second(hour), totals.decisions))
            .collect();
        let first = counts.keys().min().copied().unwrap_or_default();
        Self {
            component,
            cells,
            hours,
            counts: HourlyCounts::new(first, counts),
        }
    }

    /// All of its decisions.
    pub(super) fn totals(&self, hours: Range<usize>) -> Totals {
        let mut all = Totals::default();
        self.hours[hours].iter().for_each(|it| add(&mut all, it));
        all
    }

    /// Of the period's week and the one before, by some dimensions.
    pub(super) fn by(&self, dimensions: &[&str], hours: Range<usize>) -> Result<ByValues, UnknownDimension> {
        match &self.cells {
            Cells::Process(process, at, begins) => {
                let pointers: Vec<&str> = dimensions.iter().map(|name| self.pointer(name)).collect();
                let of_process = hours.start.saturating_sub(*begins)..hours.end.saturating_sub(*begins);
                let found = process.rollup(*at, of_process, &pointers, EVERYTHING)?;
                let values = |values: Vec<Option<String>>| values.into_iter().map(Option::unwrap_or_default);
                Ok((found.into_iter())
                    .map(|it| (values(it.values).collect(), it.totals))
                    .collect())
            }
            Cells::Alike(value) => {
                let values = dimensions.iter().map(|name| value(name).to_owned()).collect();
                let totals = self.totals(hours);
                Ok(if totals.decisions > 0 {
                    vec![(values, totals)]
                } else {
                    Vec::new()
                })
            }
        }
    }

    fn pointer<'b>(&'b self, name: &'b str) -> &'b str {
        let declared = self.component.dimensions.iter().find(|it| it.name == name);
        declared.map_or(name, |it| it.pointer.as_str())
    }

    /// Value of each hour or day of the past, NaN without any, and the decisions that it rests on.
    pub fn steps(&self, metric: &Metric, step: Step) -> Vec<(f64, f64)> {
        let length = usize::try_from(step.seconds() / HOUR).unwrap_or(1);
        let of = |start| {
            value(
                &metric.expression,
                self.component,
                &self.totals(start..start + length),
            )
        };
        let steps = (0..PAST).step_by(length).map(of);
        steps.map(|(value, n)| (value.unwrap_or(f64::NAN), n)).collect()
    }

    /// The past of a metric, as `services/analysis` has it.
    pub(super) fn history(&self, metric: &Metric) -> History {
        let (start, end) = past();
        let all = self.coverage(start, end);
        let expression = &metric.expression;
        let part = |hours: Range<usize>| {
            let (start, end) = (at(hours.start), at(hours.end));
            let (value, n) = value(expression, self.component, &self.totals(hours));
            Observed {
                start,
                end,
                value,
                n,
                coverage: all.between(instant(start), instant(end)),
                incomplete: false,
            }
        };
        let week = |weeks_before: usize| {
            let hours = PAST - (weeks_before + 1) * WEEK..PAST - weeks_before * WEEK;
            let (start, end) = (at(hours.start), at(hours.end));
            let (value, n) = value(expression, self.component, &self.totals(hours));
            Quality {
                value,
                n,
                coverage: self.coverage(start, end).between(instant(start), instant(end)),
                thin: n < metric.minimum_sample as f64,
            }
        };
        History {
            metric: self.component.full_name(metric),
            higher_is_better: metric.direction == Direction::HigherIsBetter,
            adds_up: matches!(expression, Expression::Count | Expression::Sum(_)),
            is_share: matches!(expression, Expression::Share(_)),
            least: match expression {
                Expression::Quantile(_, level) => TELLING / level.min(1.0 - level),
                _ => TELLING,
            },
            hours: (0..PAST).map(|hour| part(hour..hour + 1)).collect(),
            days: (0..PAST / DAY)
                .map(|day| part(day * DAY..(day + 1) * DAY))
                .collect(),
            now: week(0),
            before: week(1),
        }
    }

    /// What is expected and there in a window.
    pub(super) fn coverage(&self, start: i64, end: i64) -> Coverage {
        self.counts.coverage(instant(start), instant(end), instant(END))
    }
}

fn at(hour: usize) -> i64 {
    past().0 + hour as i64 * HOUR
}

/// Value and decisions of a metric that rests on no outcome.
pub(super) fn value(expression: &Expression, component: &Component, totals: &Totals) -> (Option<f64>, f64) {
    let share = |n: u64, hits: u64| ((n > 0).then(|| hits as f64 / n as f64), n as f64);
    match expression {
        Expression::Share(condition) => {
            let (n, hits) = hits(condition, totals);
            share(n, hits)
        }
        Expression::Mean(measure) | Expression::Sum(measure) => {
            let sum = moments(measure, component, totals).sum;
            let is_mean = matches!(expression, Expression::Mean(_));
            let value = if is_mean { sum.mean() } else { Some(sum.sum()) };
            (value.filter(|_| sum.count() > 0), sum.count() as f64)
        }
        Expression::Quantile(_, level) => (totals.times.quantile(*level), totals.seconds.sum.count() as f64),
        Expression::Count
        | Expression::Distinct(_)
        | Expression::OutcomeCount(_)
        | Expression::OutcomeRate(_)
        | Expression::OutcomeValue(..) => (Some(totals.decisions as f64), totals.decisions as f64),
    }
}

/// Decisions of a share, and those that are counted in it.
pub(super) fn hits(condition: &Condition, totals: &Totals) -> (u64, u64) {
    match condition {
        Condition::Success => (totals.decisions, totals.successes),
        Condition::Failure => (totals.decisions, totals.decisions - totals.successes),
        Condition::SuccessIndicator => (totals.labelled, totals.positives),
        Condition::Dimension { .. } => (totals.decisions, 0),
    }
}

/// Count, sum and sum of squares of a measure.
pub(super) fn moments(measure: &Measure, component: &Component, totals: &Totals) -> Moments {
    match measure {
        Measure::ProcessingTime => totals.seconds,
        Measure::QualityScore => totals.quality,
        Measure::Declared(name) => {
            let declared = component.measures.iter().find(|it| it.name == *name);
            let known = declared.and_then(|it| totals.measures.get(&it.pointer));
            known.copied().unwrap_or_default()
        }
    }
}

fn add(all: &mut Totals, it: &Totals) {
    all.decisions += it.decisions;
    all.repeated += it.repeated;
    all.successes += it.successes;
    all.labelled += it.labelled;
    all.positives += it.positives;
    plus(&mut all.quality, &it.quality);
    plus(&mut all.seconds, &it.seconds);
    all.times.merge(&it.times);
    for (pointer, moments) in &it.measures {
        plus(all.measures.entry(pointer.clone()).or_default(), moments);
    }
}

fn plus(all: &mut Moments, it: &Moments) {
    all.sum.merge(it.sum);
    all.squares_nanos += it.squares_nanos;
}
