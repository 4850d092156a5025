//! Gathers the truth, event by event.

use jiff::Timestamp;
use kaizen_catalogue::{Catalogue, Component, Metric, SplitDenominator};

use super::planted::planted;
use super::tally::{Place, Read, Tally};
use super::tenant::tenant;
use super::{ComponentTruth, GroupTruth, MetricTruth, Span, Truth, WeekTruth};
use crate::later::{Decided, Happened};
use crate::process::Process;
use crate::process::deal::Dealt;
use crate::process::plan::{ABSENT, Plan, WEEK};

struct MetricTally {
    metric: Metric,
    read: Read,
    whole: Tally,
    weeks: Vec<Tally>,
    split: Option<Place>,
    /// By value of the dimension that the metric is split by.
    groups: Vec<(String, Tally)>,
}

impl MetricTally {
    fn new(metric: &Metric, component: &Component, plan: &Plan<'_>, weeks: usize) -> Self {
        let split = metric
            .split_by
            .as_deref()
            .and_then(|name| Place::of(name, component, plan));
        let names = split.map(|place| place.names(plan)).unwrap_or_default();
        Self {
            metric: metric.clone(),
            read: Read::new(&metric.expression, component, plan),
            whole: Tally::default(),
            weeks: vec![Tally::default(); weeks],
            split,
            groups: names.into_iter().map(|name| (name, Tally::default())).collect(),
        }
    }

    /// What a decision counts in: the whole, its week and its group.
    fn each(&mut self, dealt: &Dealt, week: usize, mut add: impl FnMut(&mut Tally, &Read)) {
        add(&mut self.whole, &self.read);
        if let Some(week) = self.weeks.get_mut(week) {
            add(week, &self.read);
        }
        let value = self
            .split
            .map(|place| place.value(dealt))
            .filter(|value| *value != ABSENT);
        if let Some((_, group)) = value.and_then(|value| self.groups.get_mut(usize::from(value))) {
            add(group, &self.read);
        }
    }

    fn build(self, component: &str, weeks: &[Span]) -> MetricTruth {
        let expression = &self.read.expression;
        let week = |(span, tally): (&Span, &Tally)| WeekTruth {
            start: span.start,
            end: span.end,
            n: tally.n,
            value: tally.value(expression, tally.n),
        };
        let group = |(group, tally): &(String, Tally)| {
            let n = match self.metric.split_denominator {
                SplitDenominator::Group => tally.n,
                SplitDenominator::All => self.whole.n,
            };
            GroupTruth {
                group: group.clone(),
                n,
                value: tally.value(expression, n),
            }
        };
        let mut groups: Vec<_> = self
            .groups
            .iter()
            .filter(|(_, tally)| tally.seen)
            .map(group)
            .collect();
        groups.sort_by(|a, b| a.group.cmp(&b.group));
        MetricTruth {
            name: format!("{component}.{}", self.metric.name),
            n: self.whole.n,
            value: self.whole.value(expression, self.whole.n),
            weeks: weeks.iter().zip(&self.weeks).map(week).collect(),
            groups,
        }
    }
}

struct ComponentTally {
    name: String,
    log_type: String,
    events: u64,
    metrics: Vec<MetricTally>,
}

/// Gathers the truth, event by event.
pub(crate) struct TruthBuilder {
    /// What does not depend on the events; components are still missing.
    truth: Truth,
    weeks: Vec<Span>,
    /// In the order of the catalogue.
    components: Vec<ComponentTally>,
    /// Their places, by those of the scenario's components.
    places: Vec<Option<usize>>,
}

impl TruthBuilder {
    pub(crate) fn new(process: &Process<'_>, catalogue: &Catalogue, seed: u64) -> Self {
        let scenario = process.scenario;
        let week = |first: usize| Span {
            start: scenario.hour(first),
            end: scenario.hour((first + WEEK).min(scenario.hours())),
        };
        let weeks: Vec<_> = (0..scenario.hours()).step_by(WEEK).map(week).collect();
        let plan_of = |component: &Component| {
            process
                .plans
                .iter()
                .find(|plan| plan.component.log_type == component.log_type)
        };
        let tally = |component: &Component| {
            let plan = plan_of(component)?;
            let metric = |metric: &Metric| MetricTally::new(metric, component, plan, weeks.len());
            Some(ComponentTally {
                name: component.name.clone(),
                log_type: component.log_type.clone(),
                events: 0,
                metrics: component.metrics.iter().map(metric).collect(),
            })
        };
        let components: Vec<_> = catalogue.components().iter().filter_map(tally).collect();
        let place = |plan: &Plan<'_>| {
            components
                .iter()
                .position(|it| it.log_type == plan.component.log_type)
        };
        Self {
            places: process.plans.iter().map(place).collect(),
            truth: Truth {
                scenario: scenario.name.clone(),
                seed,
                events: 0,
                window: Span {
                    start: scenario.start,
                    end: scenario.end(),
                },
                components: Vec::new(),
                repeated: 0,
                faults: planted(process, catalogue),
                tenant: process.plans.iter().map(tenant).collect(),
            },
            components,
            weeks,
        }
    }

    /// A decision made in that hour.
    pub(crate) fn add(&mut self, dealt: &Dealt, hour: usize) {
        self.truth.repeated += u64::from(dealt.repeated);
        if let Some(tally) = self.tally(dealt) {
            tally.events += 1;
            for metric in &mut tally.metrics {
                metric.each(dealt, hour / WEEK, |tally, read| tally.add(dealt, read));
            }
        }
    }

    /// What became of a session by its last decision of a kind, which was added.
    pub(crate) fn add_outcome(&mut self, decision: &Decided, happened: &Happened<'_>) {
        let week = self.week(decision.timestamp);
        let after = happened.timestamp.duration_since(decision.timestamp);
        if let Some(tally) = self.tally(&decision.dealt) {
            for metric in &mut tally.metrics {
                metric.each(&decision.dealt, week, |tally, read| {
                    tally.add_outcome(happened, after, read)
                });
            }
        }
    }

    fn week(&self, time: Timestamp) -> usize {
        let hours = time.duration_since(self.truth.window.start).as_hours();
        // A scenario's events do not lie before its start.
        usize::try_from(hours).map_or(usize::MAX, |hours| hours / WEEK)
    }

    fn tally(&mut self, dealt: &Dealt) -> Option<&mut ComponentTally> {
        let place = self.places.get(usize::from(dealt.component)).copied().flatten()?;
        self.components.get_mut(place)
    }

    pub(crate) fn build(self) -> Truth {
        let weeks = self.weeks;
        let component = |tally: ComponentTally| ComponentTruth {
            metrics: (tally.metrics.into_iter())
                .map(|metric| metric.build(&tally.name, &weeks))
                .collect(),
            name: tally.name,
            log_type: tally.log_type,
            events: tally.events,
        };
        let components: Vec<_> = self.components.into_iter().map(component).collect();
        Truth {
            events: components.iter().map(|component| component.events).sum(),
            components,
            ..self.truth
        }
    }
}
