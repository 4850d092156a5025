//! A metric got worse as a whole, and no slice more than the others: look for what they share.

use crate::facts::{ComponentFacts, Facts, MetricFacts, Role};
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence, Gain};
use crate::words::told;

const HOURS: f64 = 16.0;

pub(super) struct DecliningMetric;

impl Rule for DecliningMetric {
    fn name(&self) -> &'static str {
        "declining_metric"
    }

    fn restores(&self) -> bool {
        false
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>> {
        let declining = component.metrics.iter().filter(|metric| {
            let is_declining = metric.trend.is_some_and(|trend| !trend.is_improving);
            // A slice that accounts for it has its own recommendation.
            let by_slices = metric.explained.as_ref().is_some_and(|explained| {
                let mut causes = explained.explanation.causes.iter();
                causes.any(|cause| explained.is_worse(cause.effect))
            });
            // So has a step that follows a change, and a volume.
            let by_change = !super::step_after_change::steps(component, metric, &facts.changes).is_empty();
            is_declining && !by_slices && !by_change && metric.role != Role::Volume
        });
        declining
            .filter_map(|metric| of(component, metric, facts.weeks))
            .collect()
    }
}

fn of<'a>(component: &'a ComponentFacts, metric: &'a MetricFacts, weeks: f64) -> Option<Draft<'a>> {
    let explained = metric.explained.as_ref()?;
    let explanation = &explained.explanation;
    let change = explanation.change?;
    let (before, now) = (explanation.baseline.mean(), explanation.current.mean());
    let n = explanation.current.n;
    let effect = Estimate::new(change.difference, change.interval);
    let better = effect.times(if explained.higher_is_better { -1.0 } else { 1.0 });
    let unit = &explained.unit;
    Some(Draft {
        rule: DecliningMetric.name(),
        component,
        metric: &metric.name,
        slice: Vec::new(),
        title: format!("{}: {} got worse everywhere", component.title, explained.what),
        description: format!(
            "{} went from {} to {}, and no slice of the decisions stands out: what they share has changed.",
            explained.what,
            before.map(|it| told(it, unit)).unwrap_or_default(),
            now.map(|it| told(it, unit)).unwrap_or_default(),
        ),
        action_items: vec![
            "Look for what all decisions share: a prompt, a model behind an alias, a data source, a season"
                .to_owned(),
            "Compare some decisions of both periods side by side".to_owned(),
        ],
        difficulty: Difficulty::Hard,
        effort_hours: HOURS,
        evidence: Evidence {
            what: explained.what.clone(),
            unit: unit.clone(),
            before,
            now,
            n,
            effect,
            p_value: metric.trend?.p_value,
        },
        gain: Some(Gain {
            per_week: better.times(n / weeks),
            whole: better,
        }),
        value: metric.value_per_unit.clone(),
        before,
        urgency: 0.0,
        coverage: component.coverage,
    })
}
