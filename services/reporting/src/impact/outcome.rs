//! A forecast and what came of it, of a ticket that was created from a recommendation and was measured. Pure.

use kaizen_api::analysis::v1 as analysis;
use kaizen_api::tracker::v1 as wire;
use kaizen_catalogue::Catalogue;
use kaizen_findings::{Estimate, Recommendation};

use super::answer::decisions_a_day;
use super::estimate::{Z95, of_error, sign_of};
use super::measured::MeasuredTicket;
use super::series::is_number;
use crate::tracker::Frozen;

const WEEK: f64 = 7.0;

/// A number and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uncertain {
    /// The number.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl Uncertain {
    fn of(it: Estimate) -> Self {
        Self {
            value: it.value,
            error: (it.upper - it.lower) / (2.0 * Z95),
        }
    }

    /// As the wire has it.
    pub fn estimate(self) -> analysis::Estimate {
        of_error(self.value, self.error)
    }
}

/// What was forecast of a ticket and what came, in units gained a week.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the recommendation said.
    pub told: Uncertain,
    /// What the rule itself said, before any correction.
    pub forecast: Uncertain,
    /// What was measured.
    pub measured: Uncertain,
    /// The recommendation.
    pub recommendation: Recommendation,
}

impl Outcome {
    /// Of a measured ticket; `None` without a forecast or an effect.
    pub fn of(catalogue: &Catalogue, it: &MeasuredTicket) -> Option<Self> {
        let frozen = it.ticket.evidence.as_ref().map(Frozen::parse)?.ok()?;
        let recommendation = frozen.recommendation;
        Some(Self {
            told: Uncertain::of(recommendation.impact.as_ref()?.per_week),
            forecast: Uncertain::of(recommendation.forecast()?.per_week),
            measured: measured_per_week(catalogue, it.found.impact.as_ref()?)?,
            recommendation,
        })
    }
}

/// The effect on a week's decisions, more being better.
fn measured_per_week(catalogue: &Catalogue, impact: &wire::Impact) -> Option<Uncertain> {
    let effect = impact.effect.as_ref()?;
    let interval = effect.interval?;
    let metric = impact.metric.as_ref()?;
    let sign = sign_of(metric);
    let (_, known) = catalogue.metric(&metric.name)?;
    // What counts a day has a week of days; all else a week of decisions
    let times = if is_number(&known.expression) {
        WEEK
    } else {
        decisions_a_day(impact) * WEEK
    };
    Some(Uncertain {
        value: sign * effect.value * times,
        error: (interval.upper - interval.lower) / (2.0 * Z95) * times,
    })
}
