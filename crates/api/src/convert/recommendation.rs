use kaizen_findings::{ChangeEntry, Corrected, Difficulty, Estimate, Evidence, Impact, Priority, Return};
use kaizen_warehouse::queries::{RecommendationDecision, StoredRecommendation, Window};

use super::{ends, window};
use crate::analysis::v1 as wire;
use crate::time::to_wire;

/// A recommendation of an analysis of `period`.
pub fn recommendation(period: Window, found: StoredRecommendation) -> wire::Recommendation {
    let it = found.recommendation;
    let (state, state_reason, state_actor) = decided(found.decision);
    let condition = |(dimension, value)| wire::Condition { dimension, value };
    wire::Recommendation {
        recommendation_id: found.recommendation_id,
        rule: it.rule,
        category: it.category,
        component: it.component,
        metric: it.metric,
        priority: priority(it.priority).into(),
        title: it.title,
        description: it.description,
        action_items: it.action_items,
        difficulty: difficulty(it.difficulty).into(),
        effort_hours: it.effort_hours,
        evidence: Some(evidence(period, it.evidence, &it.slice)),
        estimated_impact: it.impact.map(impact),
        roi: it.roi.map(roi),
        certainty: it.certainty,
        would_change: it.would_change,
        candidates: it.candidates.into_iter().map(change).collect(),
        coverage: it.coverage,
        state: state.into(),
        state_reason,
        state_actor,
        slice: it.slice.into_iter().map(condition).collect(),
        corrected: it.corrected.map(corrected),
    }
}

/// Where it stands, why, and by whom.
fn decided(decision: Option<RecommendationDecision>) -> (wire::RecommendationState, String, String) {
    let open = (wire::RecommendationState::Open, String::new(), String::new());
    let Some(decision) = decision else {
        return open;
    };
    let state = match decision.decision.as_str() {
        "accepted" => wire::RecommendationState::Accepted,
        "dismissed" => wire::RecommendationState::Dismissed,
        _ => return open,
    };
    (state, decision.reason, decision.actor)
}

const fn priority(priority: Priority) -> wire::Priority {
    match priority {
        Priority::High => wire::Priority::High,
        Priority::Medium => wire::Priority::Medium,
        Priority::Low => wire::Priority::Low,
    }
}

const fn difficulty(difficulty: Difficulty) -> wire::Difficulty {
    match difficulty {
        Difficulty::Easy => wire::Difficulty::Easy,
        Difficulty::Medium => wire::Difficulty::Medium,
        Difficulty::Hard => wire::Difficulty::Hard,
    }
}

fn evidence(period: Window, it: Evidence, slice: &[(String, String)]) -> wire::Evidence {
    let filter = |(dimension, value): &(String, String)| wire::Filter {
        dimension: dimension.clone(),
        values: vec![value.clone()],
    };
    wire::Evidence {
        what: it.what,
        unit: it.unit,
        before: it.before,
        now: it.now,
        n: it.n as u64,
        effect: Some(estimate(it.effect)),
        p_value: it.p_value,
        window: Some(window(period)),
        filters: slice.iter().map(filter).collect(),
    }
}

fn impact(it: Impact) -> wire::EstimatedImpact {
    wire::EstimatedImpact {
        per_week: Some(estimate(it.per_week)),
        improvement: Some(estimate(it.improvement)),
        improvement_percent: it.improvement_percent,
    }
}

fn corrected(it: Corrected) -> wire::CorrectedForecast {
    wire::CorrectedForecast {
        correction_id: it.by.correction_id,
        factor: it.by.factor,
        widening: it.by.widening,
        estimated_impact: Some(impact(it.impact)),
        roi: it.roi.map(roi),
        priority: priority(it.priority).into(),
    }
}

fn roi(it: Return) -> wire::RoiEstimate {
    wire::RoiEstimate {
        currency: it.currency,
        horizon_weeks: it.horizon_weeks,
        benefit: Some(estimate(it.benefit)),
        cost: it.cost,
        roi: Some(estimate(it.roi)),
        probability_above_zero: it.probability_above_zero,
    }
}

fn estimate(it: Estimate) -> wire::Estimate {
    wire::Estimate {
        value: it.value,
        interval: Some(ends((it.lower, it.upper))),
    }
}

fn change(entry: ChangeEntry) -> wire::ChangeEntry {
    let at = entry.at.parse().ok().map(to_wire);
    wire::ChangeEntry {
        kind: entry.kind,
        component: entry.component,
        version: entry.version,
        change_time: at,
        link: entry.link,
    }
}
