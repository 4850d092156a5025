use jiff::Timestamp;
use kaizen_findings::{
    ChangeEntry, Corrected, Difficulty, Estimate, Evidence, Example, Examples, Impact, Priority, Return,
    Standing, StandingChange,
};
use kaizen_warehouse::queries::{StoredRecommendation, Window};

use super::ends;
use super::selection::selection;
use crate::analysis::v1 as wire;
use crate::time::to_wire;

/// A recommendation of an analysis of `period`, with the history of where it stands.
pub fn recommendation(
    period: Window,
    found: StoredRecommendation,
    history: Vec<StandingChange>,
) -> wire::Recommendation {
    let it = found.recommendation;
    let (state, state_reason, state_actor) = stands(&history);
    let about = About {
        component: it.component.clone(),
        slice: it.slice.clone(),
    };
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
        evidence: Some(evidence(period, it.evidence, &about, it.examples)),
        estimated_impact: it.impact.map(impact),
        roi: it.roi.map(roi),
        certainty: it.certainty,
        would_change: it.would_change,
        candidates: it.candidates.into_iter().map(change).collect(),
        coverage: it.coverage,
        state: state.into(),
        state_reason,
        state_actor,
        history: history.into_iter().map(standing_change).collect(),
        slice: it.slice.into_iter().map(condition).collect(),
        corrected: it.corrected.map(corrected),
    }
}

/// Where it stands, why and by whom. What was found and never decided about is open without a word.
fn stands(history: &[StandingChange]) -> (wire::RecommendationState, String, String) {
    match history.last() {
        None => (wire::RecommendationState::Open, String::new(), String::new()),
        Some(last) if last.standing == Standing::Open && last.actor.is_empty() => {
            (wire::RecommendationState::Open, String::new(), String::new())
        }
        Some(last) => (state(last.standing), last.reason.clone(), last.actor.clone()),
    }
}

const fn state(standing: Standing) -> wire::RecommendationState {
    match standing {
        Standing::Open => wire::RecommendationState::Open,
        Standing::Accepted => wire::RecommendationState::Accepted,
        Standing::Dismissed => wire::RecommendationState::Dismissed,
        Standing::Closed => wire::RecommendationState::Closed,
        Standing::Gone => wire::RecommendationState::Gone,
        Standing::Reopened => wire::RecommendationState::Reopened,
    }
}

fn standing_change(it: StandingChange) -> wire::RecommendationChange {
    wire::RecommendationChange {
        state: state(it.standing).into(),
        change_time: Timestamp::from_millisecond(it.at).ok().map(to_wire),
        reason: it.reason,
        actor: it.actor,
    }
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

fn evidence(period: Window, it: Evidence, about: &About, examples: Examples) -> wire::Evidence {
    // Of analyses before there were examples only the period and the slice are known.
    let is_known = examples.window != (0, 0);
    let (window, filters) = if is_known {
        (examples.window, examples.filters)
    } else {
        let whole = (period.start().as_second(), period.end().as_second());
        (whole, about.slice.clone())
    };
    let now = selection(&about.component, window, &filters);
    let before = is_known.then(|| selection(&about.component, examples.window_before, &filters));
    let (previous_window, previous_path) =
        before.map_or_else(Default::default, |it| (it.window, it.dashboard_path));
    wire::Evidence {
        what: it.what,
        unit: it.unit,
        before: it.before,
        now: it.now,
        n: it.n as u64,
        effect: Some(estimate(it.effect)),
        p_value: it.p_value,
        window: now.window,
        filters: now.filters,
        component: now.component,
        dashboard_path: now.dashboard_path,
        previous_window,
        previous_dashboard_path: previous_path,
        example_what: examples.what,
        example_unit: examples.unit,
        examples: examples.now.into_iter().map(example).collect(),
        previous_examples: examples.before.into_iter().map(example).collect(),
    }
}

/// What evidence is about.
struct About {
    component: String,
    slice: Vec<(String, String)>,
}

fn example(it: Example) -> wire::DecisionExample {
    wire::DecisionExample {
        event_id: it.event_id,
        decision_time: Timestamp::from_millisecond(it.at).ok().map(to_wire),
        value: it.value,
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
