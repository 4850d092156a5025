//! How the forecasts of recommendations came true. Pure.

use std::collections::BTreeMap;

use kaizen_api::tracker::v1 as wire;
use kaizen_catalogue::Catalogue;

use super::answer::decisions_a_day;
use super::cumulative::MeasuredTicket;
use super::estimate::{Z95, of_error, sign_of};
use super::series::is_number;
use crate::tracker::Frozen;

const WEEK: f64 = 7.0;

/// A number and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Uncertain {
    value: f64,
    error: f64,
}

/// A forecast and what came of it.
struct Judged {
    forecast: Uncertain,
    measured: Uncertain,
    wire: wire::Forecast,
}

impl Judged {
    /// Standard error of measured less forecast.
    fn error(&self) -> f64 {
        self.forecast.error.hypot(self.measured.error)
    }

    fn away(&self) -> f64 {
        let error = self.error();
        let difference = self.measured.value - self.forecast.value;
        if error > 0.0 { difference / error } else { 0.0 }
    }
}

/// Compares what was forecast with what was measured: of every ticket that was created from a recommendation with a forecast
/// and was measured.
pub fn calibration(catalogue: &Catalogue, tickets: &[MeasuredTicket]) -> wire::GetCalibrationResponse {
    let judged: Vec<Judged> = tickets.iter().filter_map(|it| judge(catalogue, it)).collect();
    let mut groups: BTreeMap<(u8, String), Vec<&Judged>> = BTreeMap::new();
    for it in &judged {
        for key in [
            (0, "all".to_owned()),
            (1, format!("rule: {}", it.wire.rule)),
            (2, format!("category: {}", it.wire.category)),
        ] {
            groups.entry(key).or_default().push(it);
        }
    }
    let calibrations = groups
        .into_iter()
        .map(|((_, name), judged)| sum_up(name, &judged));
    wire::GetCalibrationResponse {
        calibrations: calibrations.collect(),
        forecasts: judged.into_iter().map(|it| it.wire).collect(),
    }
}

fn judge(catalogue: &Catalogue, it: &MeasuredTicket) -> Option<Judged> {
    let frozen = it.ticket.evidence.as_ref().map(Frozen::parse)?.ok()?;
    let per_week = frozen.recommendation.impact.as_ref()?.per_week;
    let impact = it.found.impact.as_ref()?;
    let forecast = Uncertain {
        value: per_week.value,
        error: (per_week.upper - per_week.lower) / (2.0 * Z95),
    };
    let measured = measured_per_week(catalogue, impact)?;
    let mut judged = Judged {
        forecast,
        measured,
        wire: wire::Forecast {
            ticket_id: it.ticket.id(),
            rule: it.ticket.rule.clone(),
            category: it.ticket.category.clone(),
            forecast: Some(of_error(forecast.value, forecast.error)),
            measured: Some(of_error(measured.value, measured.error)),
            covered: false,
            probability: frozen.recommendation.certainty,
            verdict: impact.verdict,
        },
    };
    judged.wire.covered = judged.away().abs() <= Z95;
    Some(judged)
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

fn sum_up(name: String, judged: &[&Judged]) -> wire::Calibration {
    let count = judged.len().max(1) as f64;
    let covered = judged.iter().filter(|it| it.wire.covered).count();
    let outcomes: Vec<f64> = judged.iter().filter_map(|it| square(&it.wire)).collect();
    let sum = |of: fn(&Judged) -> f64| judged.iter().map(|it| of(it)).sum::<f64>();
    let forecast = sum(|it| it.forecast.value);
    wire::Calibration {
        name,
        forecasts: u32::try_from(judged.len()).unwrap_or(u32::MAX),
        coverage: covered as f64 / count,
        brier: (!outcomes.is_empty()).then(|| outcomes.iter().sum::<f64>() / outcomes.len() as f64),
        realised: (forecast != 0.0).then(|| sum(|it| it.measured.value) / forecast),
        bias: sum(Judged::away) / count,
    }
}

/// Squared distance of the stated probability from what came; `None` without a verdict.
fn square(it: &wire::Forecast) -> Option<f64> {
    match it.verdict() {
        wire::ImpactVerdict::Improved => Some((1.0 - it.probability).powi(2)),
        wire::ImpactVerdict::NoDetectableChange | wire::ImpactVerdict::Worse => Some(it.probability.powi(2)),
        wire::ImpactVerdict::CannotTell | wire::ImpactVerdict::Unspecified => None,
    }
}
