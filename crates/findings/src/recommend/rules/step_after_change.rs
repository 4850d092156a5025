//! A metric stepped down as something was changed: undo the change, or mend it.

use jiff::Timestamp;

use crate::facts::{ChangeEntry, ComponentFacts, Facts, MetricFacts, Role};
use crate::finding::Detail;
use crate::judge::Move;
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence, Gain};
use crate::words::difference;

const HOURS: f64 = 2.0;
/// A step is known to a day or so: a change that long before it, or that shortly after, may be its cause.
const BEFORE: i64 = 24 * 3_600;
const AFTER: i64 = 6 * 3_600;

pub(super) struct StepAfterChange;

impl Rule for StepAfterChange {
    fn name(&self) -> &'static str {
        "step_after_change"
    }

    fn restores(&self) -> bool {
        true
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>> {
        let of = |metric: &'a MetricFacts| {
            // A slice that accounts for it has its own recommendation, with the change among its candidates.
            let by_slices = metric.explained.as_ref().is_some_and(|explained| {
                let mut causes = explained.explanation.causes.iter();
                causes.any(|cause| explained.is_worse(cause.effect))
            });
            // The last one: what an earlier one did is either still there or mended.
            let last = steps(component, metric, &facts.changes)
                .pop()
                .filter(|_| !by_slices);
            last.map(|(step, change)| in_draft(component, metric, step, change, facts.weeks))
        };
        component
            .metrics
            .iter()
            .filter(|it| it.role != Role::Volume)
            .flat_map(of)
            .collect()
    }
}

/// Steps of a metric for the worse, each with the change of its component nearest to it.
pub(super) fn steps<'b>(
    component: &'b ComponentFacts,
    metric: &MetricFacts,
    changes: &'b [ChangeEntry],
) -> Vec<(&'b Move, &'b ChangeEntry)> {
    let near = |step: &Move| {
        let ours = changes.iter().filter(|change| {
            [&component.name, &component.log_type, &component.title].contains(&&change.component)
        });
        let timed = ours
            .filter_map(|change| Some((step.at - change.at.parse::<Timestamp>().ok()?.as_second(), change)));
        let near = timed.filter(|(later, _)| (-AFTER..=BEFORE).contains(later));
        near.min_by_key(|(later, _)| later.abs())
            .map(|(_, change)| change)
    };
    let steps = component
        .findings
        .iter()
        .filter_map(|finding| match &finding.detail {
            Detail::LevelChange(step) if finding.metric == metric.name && !step.is_improving => Some(step),
            _ => None,
        });
    steps.filter_map(|step| Some((step, near(step)?))).collect()
}

fn in_draft<'a>(
    component: &'a ComponentFacts,
    metric: &'a MetricFacts,
    step: &Move,
    change: &ChangeEntry,
    weeks: f64,
) -> Draft<'a> {
    let effect = Estimate::new(step.effect, step.interval);
    let better = effect.times(if metric.higher_is_better { -1.0 } else { 1.0 });
    let unit = &metric.unit;
    let ChangeEntry {
        kind, version, at, ..
    } = change;
    Draft {
        rule: StepAfterChange.name(),
        component,
        metric: &metric.name,
        slice: Vec::new(),
        title: format!(
            "{}: {} got worse with the {kind} to {version}",
            component.title, metric.title
        ),
        description: format!(
            "{} stepped by {} (95 % interval {} to {}) within a day of the {kind} to {version} at {at}.",
            metric.title,
            difference(effect.value, unit),
            difference(effect.lower, unit),
            difference(effect.upper, unit),
        ),
        action_items: vec![
            format!("Undo the {kind} to {version}, for a random half of the decisions if that can be done"),
            "Measure whether the metric comes back; if it does, find out what of the change did it"
                .to_owned(),
        ],
        difficulty: Difficulty::Easy,
        effort_hours: HOURS,
        evidence: Evidence {
            what: metric.title.clone(),
            unit: unit.clone(),
            before: metric.before,
            now: metric.now,
            n: metric.n,
            effect,
            // A change of level is told when chance would do so about once in fifty weeks.
            p_value: 0.02,
        },
        gain: Some(Gain {
            per_week: better.times(metric.n / weeks),
            whole: better,
        }),
        value: metric.value_per_unit.clone(),
        before: metric.before,
        urgency: 0.0,
        coverage: component.coverage,
    }
}
