//! A slice got worse than the rest: find what changed for it, and bring it back.

use crate::facts::{ComponentFacts, Facts, MetricFacts};
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence, Gain};
use crate::words::{difference, in_words, told};
use crate::{Cause, Explained};

const HOURS: f64 = 8.0;

pub(super) struct SliceRegression;

impl Rule for SliceRegression {
    fn name(&self) -> &'static str {
        "slice_regression"
    }

    fn restores(&self) -> bool {
        true
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>> {
        let mut drafts: Vec<Draft<'a>> = Vec::new();
        for metric in &component.metrics {
            let Some(explained) = &metric.explained else {
                continue;
            };
            for cause in &explained.explanation.causes {
                if explained.is_worse(cause.effect) {
                    drafts.push(of(component, metric, explained, cause, facts.weeks));
                }
            }
        }
        drafts
    }
}

fn of<'a>(
    component: &'a ComponentFacts,
    metric: &'a MetricFacts,
    explained: &Explained,
    cause: &Cause,
    weeks: f64,
) -> Draft<'a> {
    let slice = in_words(&cause.slice);
    let effect = Estimate::new(cause.effect, cause.interval);
    let better = effect.times(if explained.higher_is_better { -1.0 } else { 1.0 });
    let share = cause.current.n / explained.explanation.current.n;
    let (before, now) = (cause.baseline.mean(), cause.current.mean());
    let unit = &explained.unit;
    let moved = before
        .zip(now)
        .map(|(before, now)| format!("{} to {}", told(before, unit), told(now, unit)));
    Draft {
        rule: SliceRegression.name(),
        component,
        metric: &metric.name,
        title: format!("{}: {} got worse for {slice}", component.title, explained.what),
        description: format!(
            "For {slice}, {} went from {}: {} beyond what all other decisions did (95 % interval {} to {}). \
             It is {:.0} % of the decisions.",
            explained.what,
            moved.unwrap_or_default(),
            difference(effect.value, unit),
            difference(effect.lower, unit),
            difference(effect.upper, unit),
            share * 100.0
        ),
        action_items: vec![
            format!("Read the latest decisions of {slice} that went wrong beside some of the period before"),
            format!("Find what changed for {slice} and not for the rest"),
            "Undo or mend it, and measure the effect".to_owned(),
        ],
        difficulty: Difficulty::Medium,
        effort_hours: HOURS,
        evidence: Evidence {
            what: explained.what.clone(),
            unit: unit.clone(),
            before,
            now,
            n: cause.current.n,
            effect,
            p_value: cause.p_value,
        },
        gain: Some(Gain {
            per_week: better.times(cause.current.n / weeks),
            whole: better.times(share),
        }),
        value: metric.value_per_unit.clone(),
        before: explained.explanation.baseline.mean(),
        urgency: 0.0,
        coverage: component.coverage,
        slice: cause.slice.clone(),
    }
}
