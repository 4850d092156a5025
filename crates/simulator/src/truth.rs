//! Every metric of the catalogue over the events, by exact arithmetic over single values.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kaizen_catalogue::{
    Catalogue, Component, Condition, Expression, Measure, Metric, Outcome, SplitDenominator,
};
use serde::Serialize;

use crate::event::Drawn;
use crate::later::Happened;
use crate::quantile::Quantiles;
use crate::scenario::Scenario;
use crate::sum::ExactSum;

const WEEK_HOURS: i64 = 168;

/// What is true of a simulation's events: the truth file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// Name of the scenario.
    pub scenario: String,
    /// Seed of the simulation.
    pub seed: u64,
    /// Number of events.
    pub events: u64,
    /// The span they lie in.
    pub window: Span,
    /// Components of the catalogue that have events in the scenario.
    pub components: Vec<ComponentTruth>,
    /// What was planted.
    pub faults: Vec<FaultTruth>,
}

/// A half-open span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

/// What is true of a component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentTruth {
    /// Its name in the catalogue.
    pub name: String,
    /// Kind of its decisions.
    pub log_type: String,
    /// Number of its events.
    pub events: u64,
    /// Its metrics, in the order of the catalogue.
    pub metrics: Vec<MetricTruth>,
}

/// What is true of a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricTruth {
    /// `COMPONENT.METRIC`.
    pub name: String,
    /// Decisions the value is computed from.
    pub n: u64,
    /// The value; `null` when there is nothing to compute it from.
    pub value: Option<f64>,
    /// The same for each week from Monday in UTC.
    pub weeks: Vec<WeekTruth>,
    /// The same for each value of the metric's `split_by` dimension.
    pub groups: Vec<GroupTruth>,
}

/// What is true of a metric in one week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeekTruth {
    /// First instant of the week.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// Decisions the value is computed from.
    pub n: u64,
    /// The value.
    pub value: Option<f64>,
}

/// What is true of a metric in one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupTruth {
    /// Value of the dimension.
    pub group: String,
    /// Decisions the value is computed from.
    pub n: u64,
    /// The value.
    pub value: Option<f64>,
}

/// What was planted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultTruth {
    /// Its name.
    pub name: String,
    /// Kind of decision it befalls.
    pub log_type: String,
    /// The metric it is planted for.
    pub metric: String,
    /// The slice it befalls.
    pub slice: BTreeMap<String, String>,
    /// When.
    pub window: Span,
}

/// What the metrics need to know of an event.
pub(crate) struct Facts<'a> {
    log_type: &'a str,
    timestamp: Timestamp,
    method: &'a str,
    industry: &'a str,
    confidence: &'a str,
    /// By pointer.
    dimensions: &'a [(&'a str, &'a str)],
    measures: Vec<(&'a str, f64)>,
    seconds: f64,
    quality: Option<f64>,
    success: bool,
    success_indicator: Option<bool>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(drawn: &'a Drawn<'a>) -> Self {
        Self {
            log_type: drawn.log_type,
            timestamp: drawn.timestamp,
            method: drawn.method,
            industry: drawn.industry,
            confidence: drawn.confidence,
            dimensions: &drawn.dimensions,
            measures: drawn
                .measures
                .iter()
                .map(|(pointer, value)| (*pointer, value.value()))
                .collect(),
            seconds: drawn.seconds.value(),
            quality: drawn.quality.map(|quality| quality.value()),
            success: drawn.success,
            success_indicator: drawn.success_indicator,
        }
    }

    fn dimension(&self, component: &Component, name: &str) -> Option<&'a str> {
        match name {
            "method_used" => Some(self.method),
            "industry" => Some(self.industry),
            "confidence_level" => Some(self.confidence),
            declared => {
                let declared = component.dimensions.iter().find(|it| it.name == declared)?;
                self.dimensions
                    .iter()
                    .find(|(pointer, _)| *pointer == declared.pointer)
                    .map(|(_, value)| *value)
            }
        }
    }

    fn measure(&self, component: &Component, measure: &Measure) -> Option<f64> {
        match measure {
            Measure::ProcessingTime => Some(self.seconds),
            Measure::QualityScore => self.quality,
            Measure::Declared(name) => {
                let declared = component.measures.iter().find(|it| it.name == *name)?;
                self.measures
                    .iter()
                    .find(|(pointer, _)| *pointer == declared.pointer)
                    .map(|(_, value)| *value)
            }
        }
    }

    /// Whether the event counts for a share, and then whether it is a hit.
    fn share(&self, component: &Component, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Success => Some(self.success),
            Condition::Failure => Some(!self.success),
            Condition::SuccessIndicator => self.success_indicator,
            Condition::Dimension { dimension, value } => {
                Some(self.dimension(component, dimension) == Some(value))
            }
        }
    }
}

/// What one value is computed from.
#[derive(Debug, Clone, Default)]
struct Tally {
    n: u64,
    hits: u64,
    sum: ExactSum,
    quantiles: Quantiles,
}

impl Tally {
    fn add(&mut self, facts: &Facts<'_>, component: &Component, expression: &Expression) {
        match expression {
            // The decisions that a number of outcomes rests on.
            Expression::Count
            | Expression::OutcomeCount(_)
            | Expression::OutcomeRate(_)
            | Expression::OutcomeValue(..) => self.n += 1,
            Expression::Share(condition) => {
                if let Some(hit) = facts.share(component, condition) {
                    self.n += 1;
                    self.hits += u64::from(hit);
                }
            }
            Expression::Sum(measure) | Expression::Mean(measure) => {
                // Values that cannot be summed are left out here as in the rollup.
                if facts
                    .measure(component, measure)
                    .is_some_and(|value| self.sum.add(value).is_ok())
                {
                    self.n += 1;
                }
            }
            Expression::Quantile(measure, _) => {
                if facts
                    .measure(component, measure)
                    .is_some_and(|value| self.quantiles.add(value).is_ok())
                {
                    self.n += 1;
                }
            }
        }
    }

    /// An outcome of a decision that was added, so long after it. A decision has each at most once.
    fn add_outcome(&mut self, happened: &Happened<'_>, after: SignedDuration, expression: &Expression) {
        let wanted = |outcome: &&Outcome| {
            let horizon = outcome
                .horizon
                .map(|horizon| SignedDuration::from_hours(horizon.hours().into()));
            outcome.name == happened.of.name && horizon.is_none_or(|horizon| after <= horizon)
        };
        if expression.outcome().filter(wanted).is_none() {
            return;
        }
        let Expression::OutcomeValue(_, currency) = expression else {
            self.hits += 1;
            return;
        };
        let value = happened.value.filter(|_| *currency == happened.of.currency);
        if value.is_some_and(|value| self.sum.add(value.value()).is_ok()) {
            self.hits += 1;
        }
    }

    fn value(&self, expression: &Expression, n: u64) -> Option<f64> {
        match expression {
            Expression::OutcomeCount(_) => (n > 0).then_some(self.hits as f64),
            Expression::OutcomeRate(_) => (n > 0).then(|| self.hits as f64 / n as f64),
            Expression::OutcomeValue(..) => (n > 0).then(|| self.sum.sum()),
            Expression::Count => Some(n as f64),
            Expression::Share(_) => (n > 0).then(|| self.hits as f64 / n as f64),
            Expression::Sum(_) => (n > 0).then(|| self.sum.sum()),
            Expression::Mean(_) => self.sum.mean(),
            Expression::Quantile(_, q) => self.quantiles.quantile(*q),
        }
    }
}

struct MetricTally {
    metric: Metric,
    whole: Tally,
    weeks: Vec<Tally>,
    groups: BTreeMap<String, Tally>,
}

impl MetricTally {
    fn add(&mut self, facts: &Facts<'_>, component: &Component, week: usize) {
        let expression = self.metric.expression.clone();
        for tally in self.tallies(facts, component, week) {
            tally.add(facts, component, &expression);
        }
    }

    fn add_outcome(
        &mut self,
        facts: &Facts<'_>,
        component: &Component,
        week: usize,
        happened: &Happened<'_>,
    ) {
        let expression = self.metric.expression.clone();
        let after = happened.timestamp.duration_since(facts.timestamp);
        for tally in self.tallies(facts, component, week) {
            tally.add_outcome(happened, after, &expression);
        }
    }

    /// What a decision counts in: the whole, its week and its group.
    fn tallies(
        &mut self,
        facts: &Facts<'_>,
        component: &Component,
        week: usize,
    ) -> impl Iterator<Item = &mut Tally> {
        let split = self.metric.split_by.as_deref();
        let group = split.and_then(|split| facts.dimension(component, split));
        let group = group.map(|group| self.groups.entry(group.to_owned()).or_default());
        let week = self.weeks.get_mut(week);
        [Some(&mut self.whole), week, group].into_iter().flatten()
    }

    fn build(self, component: &str, start: Timestamp) -> MetricTruth {
        let expression = &self.metric.expression;
        let week = |(index, tally): (usize, &Tally)| {
            let start = start + SignedDuration::from_hours(index as i64 * WEEK_HOURS);
            let end = start + SignedDuration::from_hours(WEEK_HOURS);
            WeekTruth {
                start,
                end,
                n: tally.n,
                value: tally.value(expression, tally.n),
            }
        };
        let group = |(group, tally): (&String, &Tally)| {
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
        MetricTruth {
            name: format!("{component}.{}", self.metric.name),
            n: self.whole.n,
            value: self.whole.value(expression, self.whole.n),
            weeks: self.weeks.iter().enumerate().map(week).collect(),
            groups: self.groups.iter().map(group).collect(),
        }
    }
}

struct ComponentTally {
    component: Component,
    events: u64,
    metrics: Vec<MetricTally>,
}

/// Gathers the truth, event by event.
pub(crate) struct TruthBuilder {
    scenario: String,
    seed: u64,
    window: Span,
    faults: Vec<FaultTruth>,
    components: Vec<ComponentTally>,
}

impl TruthBuilder {
    pub(crate) fn new(scenario: &Scenario, catalogue: &Catalogue, seed: u64) -> Self {
        let weeks = scenario.weeks as usize;
        let simulated = |component: &&Component| {
            scenario
                .components
                .iter()
                .any(|it| it.log_type == component.log_type)
        };
        let tally = |metric: &Metric| MetricTally {
            metric: metric.clone(),
            whole: Tally::default(),
            weeks: vec![Tally::default(); weeks],
            groups: BTreeMap::new(),
        };
        let components = catalogue
            .components()
            .iter()
            .filter(simulated)
            .map(|component| ComponentTally {
                metrics: component.metrics.iter().map(tally).collect(),
                component: component.clone(),
                events: 0,
            });
        let fault = |fault: &crate::scenario::Fault| FaultTruth {
            name: fault.name.clone(),
            log_type: fault.log_type.clone(),
            metric: fault.metric.clone(),
            slice: fault.slice.clone(),
            window: Span {
                start: fault.from,
                end: fault.to.unwrap_or(scenario.end()),
            },
        };
        Self {
            scenario: scenario.name.clone(),
            seed,
            window: Span {
                start: scenario.start,
                end: scenario.end(),
            },
            faults: scenario.faults.iter().map(fault).collect(),
            components: components.collect(),
        }
    }

    pub(crate) fn add(&mut self, facts: &Facts<'_>) {
        let week = self.week(facts);
        if let Some(tally) = self.tally(facts) {
            tally.events += 1;
            for metric in &mut tally.metrics {
                metric.add(facts, &tally.component, week);
            }
        }
    }

    /// What became of a session by its last decision of a kind, which was added.
    pub(crate) fn add_outcome(&mut self, facts: &Facts<'_>, happened: &Happened<'_>) {
        let week = self.week(facts);
        if let Some(tally) = self.tally(facts) {
            for metric in &mut tally.metrics {
                metric.add_outcome(facts, &tally.component, week, happened);
            }
        }
    }

    fn week(&self, facts: &Facts<'_>) -> usize {
        let hours = facts.timestamp.duration_since(self.window.start).as_hours();
        // A scenario's events do not lie before its start.
        usize::try_from(hours / WEEK_HOURS).unwrap_or(usize::MAX)
    }

    fn tally(&mut self, facts: &Facts<'_>) -> Option<&mut ComponentTally> {
        self.components
            .iter_mut()
            .find(|it| it.component.log_type == facts.log_type)
    }

    pub(crate) fn build(self) -> Truth {
        let start = self.window.start;
        let components = self.components.into_iter().map(|tally| ComponentTruth {
            metrics: (tally.metrics.into_iter())
                .map(|metric| metric.build(&tally.component.name, start))
                .collect(),
            name: tally.component.name,
            log_type: tally.component.log_type,
            events: tally.events,
        });
        let components: Vec<_> = components.collect();
        Truth {
            scenario: self.scenario,
            seed: self.seed,
            events: components.iter().map(|component| component.events).sum(),
            window: self.window,
            components,
            faults: self.faults,
        }
    }
}
