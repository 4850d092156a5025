//! Learns from measured tickets how the forecasts of rules are to be corrected, and keeps it in the ledger, where analyses
//! find it.
//!
//! What is learned follows from the outcomes alone, and the ledger keeps it once however many replicas learn it.

use std::collections::BTreeMap;

use kaizen_catalogue::Catalogue;
use kaizen_ledger::{CorrectionOutcome, Learned, LedgerError};
use kaizen_stats::{ForecastCorrection, ForecastOutcome, forecast_corrections};

use super::Measurer;
use super::measured::{MeasuredError, MeasuredTicket, measured};
use super::outcome::Outcome;
use super::schedule::{ACTOR, DECISIVE};

/// The outcomes of each rule.
type Outcomes = BTreeMap<String, Vec<CorrectionOutcome>>;

/// Learns unless nothing was measured since the revision `until`, which it moves on.
///
/// # Errors
/// Any [`MeasuredError`].
pub async fn learn(measurer: &Measurer, until: &mut Option<i64>) -> Result<(), MeasuredError> {
    let ledger = &measurer.ledger;
    let latest = ledger.latest_measurement().await?;
    if *until == Some(latest) {
        return Ok(());
    }
    let reverted = ledger.reverted_outcomes().await?;
    let mut outcomes = outcomes(&measurer.catalogue, &measured(ledger).await?, &reverted);
    // Also of rules whose outcomes are gone, as their tickets were reopened
    for it in ledger.active_corrections().await? {
        outcomes.entry(it.rule).or_default();
    }
    for (rule, outcomes, learned) in lessons(outcomes) {
        keep(measurer, &rule, &outcomes, learned).await?;
    }
    *until = Some(latest);
    Ok(())
}

async fn keep(
    measurer: &Measurer,
    rule: &str,
    outcomes: &[CorrectionOutcome],
    learned: Option<Learned>,
) -> Result<(), LedgerError> {
    let kept = measurer.ledger.learn(ACTOR, rule, outcomes, learned).await?;
    if let Some(kept) = kept {
        let (correction_id, factor) = (kept.id(), kept.learned.factor);
        tracing::debug!(rule, correction_id, factor, "forecasts are corrected");
    }
    Ok(())
}

/// The outcomes of each rule that it may learn from: measured for long enough, and not of a correction of that rule that was
/// reverted.
fn outcomes(
    catalogue: &Catalogue,
    tickets: &[MeasuredTicket],
    reverted: &[(String, CorrectionOutcome)],
) -> Outcomes {
    let mut found = Outcomes::new();
    for it in tickets.iter().filter(|it| it.found.day >= DECISIVE) {
        let Some(outcome) = Outcome::of(catalogue, it) else {
            continue;
        };
        let rule = outcome.recommendation.rule.clone();
        let outcome = CorrectionOutcome {
            ticket: it.ticket.number,
            implemented_at: it.implemented_at,
            measurement: it.measurement,
            forecast: outcome.forecast.value,
            forecast_error: outcome.forecast.error,
            measured: outcome.measured.value,
            measured_error: outcome.measured.error,
        };
        let mut taken_back = reverted.iter().filter(|(of, _)| *of == rule);
        if !taken_back.any(|(_, it)| it.is_of_same_change(&outcome)) {
            found.entry(rule).or_default().push(outcome);
        }
    }
    // In the order of tickets, whenever each was measured: sums then have the same last bit
    for outcomes in found.values_mut() {
        outcomes.sort_by_key(|it| (it.ticket, it.implemented_at));
    }
    found
}

/// What the outcomes of each rule teach.
fn lessons(outcomes: Outcomes) -> Vec<(String, Vec<CorrectionOutcome>, Option<Learned>)> {
    let kinds: Vec<Vec<ForecastOutcome>> = outcomes
        .values()
        .map(|it| it.iter().map(of_statistics).collect())
        .collect();
    let found = forecast_corrections(&kinds);
    let lesson =
        |((rule, outcomes), found): (_, Option<ForecastCorrection>)| (rule, outcomes, found.map(learned));
    outcomes.into_iter().zip(found).map(lesson).collect()
}

fn of_statistics(it: &CorrectionOutcome) -> ForecastOutcome {
    ForecastOutcome {
        forecast: it.forecast,
        forecast_error: it.forecast_error,
        measured: it.measured,
        measured_error: it.measured_error,
    }
}

fn learned(it: ForecastCorrection) -> Learned {
    Learned {
        factor: it.factor,
        widening: it.widening,
        ratio: it.ratio,
        ratio_error: it.ratio_error,
        p_value: it.p_value,
        share: it.share,
    }
}
