//! Corrections as the wire has them.

use kaizen_api::time;
use kaizen_api::tracker::v1 as wire;
use kaizen_ledger::{Correction, CorrectionOutcome, CorrectionState, ticket_id};

use super::estimate::of_error;

/// As the wire has it.
pub fn to_wire(it: Correction) -> wire::Correction {
    let ended = it.ended.as_ref();
    wire::Correction {
        correction_id: it.id(),
        state: state(it.state).into(),
        factor: it.learned.factor,
        widening: it.learned.widening,
        ratio: Some(of_error(it.learned.ratio, it.learned.ratio_error)),
        p_value: it.learned.p_value,
        share: it.learned.share,
        outcomes: it.outcomes.iter().map(outcome).collect(),
        learn_time: Some(time::to_wire(it.learned_at)),
        end_time: ended.map(|it| time::to_wire(it.at)),
        ender: ended.map(|it| it.actor.clone()).unwrap_or_default(),
        end_reason: ended.map(|it| it.reason.clone()).unwrap_or_default(),
        rule: it.rule,
        learner: it.learned_by,
    }
}

const fn state(state: CorrectionState) -> wire::CorrectionState {
    match state {
        CorrectionState::Active => wire::CorrectionState::Active,
        CorrectionState::Superseded => wire::CorrectionState::Superseded,
        CorrectionState::Reverted => wire::CorrectionState::Reverted,
    }
}

fn outcome(it: &CorrectionOutcome) -> wire::CorrectionOutcome {
    wire::CorrectionOutcome {
        ticket_id: ticket_id(it.ticket),
        change_time: Some(time::to_wire(it.implemented_at)),
        measurement_id: it.measurement.to_string(),
        forecast: Some(of_error(it.forecast, it.forecast_error)),
        measured: Some(of_error(it.measured, it.measured_error)),
    }
}
