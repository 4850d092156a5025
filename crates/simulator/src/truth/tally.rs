//! What one value of a metric is computed from.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use kaizen_catalogue::{Component, Condition, Expression, Measure, Outcome};

use crate::decimal::Decimal;
use crate::later::Happened;
use crate::process::deal::Dealt;
use crate::process::fill::CONFIDENCE;
use crate::process::plan::Plan;
use crate::quantile::{Quantiles, rounded};
use crate::sum::ExactSum;

/// Where a dimension of the catalogue stands in a decision.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Axis(usize),
    Confidence,
}

impl Place {
    /// The place of a dimension; none when the simulated component does not have it.
    pub(super) fn of(name: &str, component: &Component, plan: &Plan<'_>) -> Option<Self> {
        match name {
            "confidence_level" => Some(Self::Confidence),
            "method_used" | "industry" => plan.axis(name).map(Self::Axis),
            declared => {
                let declared = component.dimensions.iter().find(|it| it.name == declared)?;
                plan.axis(&declared.pointer).map(Self::Axis)
            }
        }
    }

    pub(super) fn value(self, dealt: &Dealt) -> u8 {
        match self {
            Self::Axis(place) => dealt.values[place],
            Self::Confidence => dealt.confidence,
        }
    }

    pub(super) fn names(self, plan: &Plan<'_>) -> Vec<String> {
        match self {
            Self::Axis(place) => plan
                .axis_at(place)
                .map(|axis| axis.values.clone())
                .unwrap_or_default(),
            Self::Confidence => CONFIDENCE.map(str::to_owned).to_vec(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum NumberAt {
    Seconds,
    Quality,
    Declared(usize),
}

#[derive(Debug, Clone, Copy)]
enum Hit {
    Success,
    Failure,
    Indicator,
    /// Never hit when the value does not occur.
    Value(Option<(Place, u8)>),
}

/// A metric's expression over decisions.
#[derive(Debug, Clone)]
enum Reading {
    /// Every decision counts.
    Decisions,
    Share(Hit),
    Sum(Option<NumberAt>),
    Quantile(Option<NumberAt>),
    /// None when the simulated component does not have the dimension.
    Distinct(Option<Place>),
}

/// A metric's expression, made ready for many decisions.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub expression: Expression,
    reading: Reading,
}

impl Read {
    pub(super) fn new(expression: &Expression, component: &Component, plan: &Plan<'_>) -> Self {
        let number = |measure: &Measure| match measure {
            Measure::ProcessingTime => Some(NumberAt::Seconds),
            Measure::QualityScore => Some(NumberAt::Quality),
            Measure::Declared(name) => {
                let declared = component.measures.iter().find(|it| it.name == *name)?;
                let place = plan
                    .numbers
                    .iter()
                    .position(|it| it.pointer == declared.pointer)?;
                Some(NumberAt::Declared(place))
            }
        };
        let reading = match expression {
            Expression::Count
            | Expression::OutcomeCount(_)
            | Expression::OutcomeRate(_)
            | Expression::OutcomeValue(..) => Reading::Decisions,
            Expression::Share(condition) => Reading::Share(match condition {
                Condition::Success => Hit::Success,
                Condition::Failure => Hit::Failure,
                Condition::SuccessIndicator => Hit::Indicator,
                Condition::Dimension { dimension, value } => {
                    let place = Place::of(dimension, component, plan);
                    let find = |place: Place| {
                        Some((place, place.names(plan).iter().position(|it| it == value)? as u8))
                    };
                    Hit::Value(place.and_then(find))
                }
            }),
            Expression::Sum(measure) | Expression::Mean(measure) => Reading::Sum(number(measure)),
            Expression::Quantile(measure, _) => Reading::Quantile(number(measure)),
            Expression::Distinct(dimension) => Reading::Distinct(Place::of(dimension, component, plan)),
        };
        Self {
            expression: expression.clone(),
            reading,
        }
    }
}

fn number(at: Option<NumberAt>, dealt: &Dealt) -> Option<Decimal> {
    match at? {
        NumberAt::Seconds => Some(dealt.seconds),
        NumberAt::Quality => dealt.quality,
        NumberAt::Declared(place) => Some(dealt.numbers[place]),
    }
}

/// What one value is computed from.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Any decision was added, whether it counts or not.
    pub seen: bool,
    pub n: u64,
    hits: u64,
    sum: ExactSum,
    quantiles: Quantiles,
    distinct: BTreeSet<u8>,
}

impl Tally {
    pub(super) fn add(&mut self, dealt: &Dealt, read: &Read) {
        self.seen = true;
        match read.reading {
            // The decisions that a number of outcomes rests on, too.
            Reading::Decisions => self.n += 1,
            Reading::Share(hit) => {
                let hit = match hit {
                    Hit::Success => Some(dealt.success),
                    Hit::Failure => Some(!dealt.success),
                    // Labelled or not, and then whether the aim was reached.
                    Hit::Indicator => dealt.label.map(|reached| reached && dealt.success),
                    Hit::Value(value) => {
                        Some(value.is_some_and(|(place, value)| place.value(dealt) == value))
                    }
                };
                if let Some(hit) = hit {
                    self.n += 1;
                    self.hits += u64::from(hit);
                }
            }
            // Values that cannot be summed are left out here as in the rollup.
            Reading::Sum(at) => {
                let added = number(at, dealt).is_some_and(|value| self.sum.add_decimal(value).is_ok());
                self.n += u64::from(added);
            }
            Reading::Distinct(place) => {
                self.n += 1;
                self.distinct.extend(place.map(|place| place.value(dealt)));
            }
            Reading::Quantile(at) => {
                if let Some(nanos) = number(at, dealt).and_then(rounded) {
                    self.n += 1;
                    self.quantiles.add_nanos(nanos);
                }
            }
        }
    }

    /// An outcome of a decision that was added, so long after it. A decision has each at most once.
    pub(super) fn add_outcome(&mut self, happened: &Happened<'_>, after: SignedDuration, read: &Read) {
        let wanted = |outcome: &&Outcome| {
            let horizon = outcome
                .horizon
                .map(|horizon| SignedDuration::from_hours(horizon.hours().into()));
            outcome.name == happened.of.name && horizon.is_none_or(|horizon| after <= horizon)
        };
        if read.expression.outcome().filter(wanted).is_none() {
            return;
        }
        let Expression::OutcomeValue(_, currency) = &read.expression else {
            self.hits += 1;
            return;
        };
        let value = happened.value.filter(|_| *currency == happened.of.currency);
        if value.is_some_and(|value| self.sum.add_decimal(value).is_ok()) {
            self.hits += 1;
        }
    }

    pub(super) fn value(&self, expression: &Expression, n: u64) -> Option<f64> {
        match expression {
            Expression::OutcomeCount(_) => (n > 0).then_some(self.hits as f64),
            Expression::OutcomeRate(_) => (n > 0).then(|| self.hits as f64 / n as f64),
            Expression::OutcomeValue(..) => (n > 0).then(|| self.sum.sum()),
            Expression::Count => Some(n as f64),
            Expression::Share(_) => (n > 0).then(|| self.hits as f64 / n as f64),
            Expression::Sum(_) => (n > 0).then(|| self.sum.sum()),
            Expression::Mean(_) => self.sum.mean(),
            Expression::Quantile(_, q) => self.quantiles.quantile(*q),
            Expression::Distinct(_) => (n > 0).then_some(self.distinct.len() as f64),
        }
    }
}
