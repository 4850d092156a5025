//! How the forecasts of recommendations came true. Pure.

use std::collections::BTreeMap;

use kaizen_api::tracker::v1 as wire;
use kaizen_catalogue::Catalogue;
use kaizen_ledger::Correction;

use super::corrections;
use super::estimate::Z95;
use super::measured::MeasuredTicket;
use super::outcome::Outcome;

/// A forecast and what came of it.
struct Judged {
    outcome: Outcome,
    wire: wire::Forecast,
}

impl Judged {
    fn of(catalogue: &Catalogue, it: &MeasuredTicket) -> Option<Self> {
        let outcome = Outcome::of(catalogue, it)?;
        let corrected = outcome.recommendation.corrected.as_ref();
        let wire = wire::Forecast {
            ticket_id: it.ticket.id(),
            rule: it.ticket.rule.clone(),
            category: it.ticket.category.clone(),
            forecast: Some(outcome.told.estimate()),
            measured: Some(outcome.measured.estimate()),
            covered: away(&outcome).abs() <= Z95,
            probability: outcome.recommendation.certainty,
            verdict: it.found.impact.as_ref()?.verdict,
            correction_id: corrected
                .map(|it| it.by.correction_id.clone())
                .unwrap_or_default(),
            uncorrected: corrected.map(|_| outcome.forecast.estimate()),
        };
        Some(Self { outcome, wire })
    }
}

/// Measured less told, in standard errors of the two.
fn away(it: &Outcome) -> f64 {
    let error = it.told.error.hypot(it.measured.error);
    let difference = it.measured.value - it.told.value;
    if error > 0.0 { difference / error } else { 0.0 }
}

/// Compares what was forecast with what was measured: of every ticket that was created from a recommendation with a forecast
/// and was measured. `active` are the corrections of rules that are applied now.
pub fn calibration(
    catalogue: &Catalogue,
    tickets: &[MeasuredTicket],
    active: Vec<Correction>,
) -> wire::GetCalibrationResponse {
    let judged: Vec<Judged> = (tickets.iter())
        .filter_map(|it| Judged::of(catalogue, it))
        .collect();
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
        corrections: active.into_iter().map(corrections::to_wire).collect(),
    }
}

fn sum_up(name: String, judged: &[&Judged]) -> wire::Calibration {
    let count = judged.len().max(1) as f64;
    let covered = judged.iter().filter(|it| it.wire.covered).count();
    let outcomes: Vec<f64> = judged.iter().filter_map(|it| square(&it.wire)).collect();
    let sum = |of: fn(&Judged) -> f64| judged.iter().map(|it| of(it)).sum::<f64>();
    let forecast = sum(|it| it.outcome.told.value);
    wire::Calibration {
        name,
        forecasts: u32::try_from(judged.len()).unwrap_or(u32::MAX),
        coverage: covered as f64 / count,
        brier: (!outcomes.is_empty()).then(|| outcomes.iter().sum::<f64>() / outcomes.len() as f64),
        realised: (forecast != 0.0).then(|| sum(|it| it.outcome.measured.value) / forecast),
        bias: sum(|it| away(&it.outcome)) / count,
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
