//! The rollup of a seed: what its events add up to, without the events.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::decimal::Decimal;
use crate::process::deal::Dealt;
use crate::process::fill::CONFIDENCE;
use crate::process::plan::{ABSENT, AXES, Plan};
use crate::process::{Parts, Process};
use crate::quantile::{Quantiles, rounded};
use crate::sum::ExactSum;

/// Place of the confidence beside the axes.
const LEVEL: usize = AXES;
type Key = [u8; AXES + 1];

/// What is summed beside counts: what is not wanted costs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Processing times.
    pub seconds: bool,
    /// Quality.
    pub quality: bool,
    /// Declared measures, and the stated probability of success.
    pub measures: bool,
}

/// A dimension that a component does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}: must be method_used, industry, confidence_level or the pointer of a dimension of the component"
)]
pub struct UnknownDimension(pub String);

/// The decisions of some hours with the same values of some dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollup {
    /// The values, in the order the dimensions were asked for; none where the decisions have none.
    pub values: Vec<Option<String>>,
    /// What they add up to.
    pub totals: Totals,
}

/// What decisions add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Decisions, each counted once.
    pub decisions: u64,
    /// Of these, sent twice.
    pub repeated: u64,
    /// Carried out without failure.
    pub successes: u64,
    /// Labelled.
    pub labelled: u64,
    /// Labelled as having reached their aim.
    pub positives: u64,
    /// Quality scores.
    pub quality: Moments,
    /// Processing times in seconds.
    pub seconds: Moments,
    /// The same by rounded value.
    pub times: Quantiles,
    /// By pointer of the measure.
    pub measures: BTreeMap<String, Moments>,
}

/// Count, sum and sum of squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moments {
    /// Count and sum.
    pub sum: ExactSum,
    /// Sum of the squares in 10⁻⁹, each rounded.
    pub squares_nanos: i128,
}

impl Moments {
    fn add(&mut self, value: Decimal) {
        // What cannot be summed is left out here as in the warehouse.
        if self.sum.add_decimal(value).is_ok() {
            self.squares_nanos += value.square_nanos();
        }
    }
}

impl Totals {
    fn add(&mut self, dealt: &Dealt, plan: &Plan<'_>, wanted: Wanted) {
        self.decisions += 1;
        self.repeated += u64::from(dealt.repeated);
        self.successes += u64::from(dealt.success);
        self.labelled += u64::from(dealt.label.is_some());
        self.positives += u64::from(dealt.label == Some(true));
        if let Some(quality) = dealt.quality.filter(|_| wanted.quality) {
            self.quality.add(quality);
        }
        if wanted.seconds {
            self.seconds.add(dealt.seconds);
            if let Some(nanos) = rounded(dealt.seconds) {
                self.times.add_nanos(nanos);
            }
        }
        if wanted.measures {
            for (number, value) in plan.numbers.iter().zip(&dealt.numbers) {
                match self.measures.get_mut(&number.pointer) {
                    Some(moments) => moments.add(*value),
                    None => self
                        .measures
                        .entry(number.pointer.clone())
                        .or_default()
                        .add(*value),
                }
            }
        }
    }
}

impl Process<'_> {
    /// What the decisions of a component in some hours add up to, by some dimensions: `method_used`, `industry`,
    /// `confidence_level`, pointers. The same numbers as those of the seed's events. Ordered by the values' places in the scenario.
    ///
    /// # Errors
    /// The component does not have the dimension.
    pub fn rollup(
        &self,
        component: usize,
        hours: Range<usize>,
        by: &[&str],
        wanted: Wanted,
    ) -> Result<Vec<Rollup>, UnknownDimension> {
        let plan = &self.plans[component];
        let place = |name: &&str| match *name {
            "confidence_level" => Ok(LEVEL),
            name => plan.axis(name).ok_or_else(|| UnknownDimension(name.to_owned())),
        };
        let places = by.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let parts = Parts {
            confidence: places.contains(&LEVEL),
            seconds: wanted.seconds,
            quality: wanted.quality,
            numbers: wanted.measures,
            moments: false,
        };
        let mut cells: BTreeMap<Key, Totals> = BTreeMap::new();
        let mut dealt = Vec::new();
        for hour in hours.start..hours.end.min(self.hours()) {
            dealt.clear();
            self.deal(component, hour, parts, &mut dealt);
            for decision in &dealt {
                cells
                    .entry(key(decision, &places))
                    .or_default()
                    .add(decision, plan, wanted);
            }
        }
        let rollup = |(key, totals): (Key, Totals)| Rollup {
            values: places
                .iter()
                .map(|place| value(plan, *place, key[*place]))
                .collect(),
            totals,
        };
        Ok(cells.into_iter().map(rollup).collect())
    }
}

fn key(dealt: &Dealt, places: &[usize]) -> Key {
    let mut key = [0; AXES + 1];
    for place in places {
        key[*place] = dealt.values.get(*place).copied().unwrap_or(dealt.confidence);
    }
    key
}

fn value(plan: &Plan<'_>, place: usize, value: u8) -> Option<String> {
    match place {
        _ if value == ABSENT => None,
        LEVEL => CONFIDENCE
            .get(usize::from(value))
            .map(|level| (*level).to_owned()),
        place => plan.axis_at(place)?.values.get(usize::from(value)).cloned(),
    }
}
