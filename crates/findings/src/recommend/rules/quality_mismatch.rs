//! Quality scores, or what they call the potential, do not tell which decisions reach their aim; or they go one way over time and
//! what comes of the decisions the other. The score rewards the wrong thing.

use crate::facts::{ComponentFacts, Facts, MetricFacts, Role};
use crate::recommend::labels;
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence};
use crate::words::told;

const LABELS: [&str; 2] = ["quality_score", "improvement_potential"];
const HOURS: f64 = 8.0;
const URGENCY: f64 = 5.0;

pub(super) struct QualityMismatch;

impl Rule for QualityMismatch {
    fn name(&self) -> &'static str {
        "quality_outcome_mismatch"
    }

    fn restores(&self) -> bool {
        false
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, _: &Facts) -> Vec<Draft<'a>> {
        // What is seen of decisions says more than what is seen of days.
        let of_labels = labels::draft(self.name(), component, &labels::of_labels(component, &LABELS));
        if of_labels.is_some() {
            return of_labels.into_iter().collect();
        }
        let of = |role| component.metrics.iter().filter(move |it| it.role == role);
        let moved =
            |it: &&MetricFacts, better: bool| it.trend.is_some_and(|trend| trend.is_improving == better);
        let quality = of(Role::Quality).find(|it| moved(it, true));
        let aim = of(Role::Aim).find(|it| moved(it, false));
        let found = quality
            .zip(aim)
            .and_then(|(quality, aim)| mismatch(component, quality, aim));
        found.into_iter().collect()
    }
}

fn mismatch<'a>(
    component: &'a ComponentFacts,
    quality: &MetricFacts,
    aim: &'a MetricFacts,
) -> Option<Draft<'a>> {
    let (now, before) = aim.now.zip(aim.before)?;
    let (score, score_before) = quality.now.zip(quality.before)?;
    Some(Draft {
        rule: QualityMismatch.name(),
        component,
        metric: &aim.name,
        slice: Vec::new(),
        title: format!(
            "{}: quality scores rise while {} falls",
            component.title, aim.title
        ),
        description: format!(
            "{} went from {} to {}, {} from {} to {}: what is scored well does not reach its aim.",
            quality.title,
            told(score_before, &quality.unit),
            told(score, &quality.unit),
            aim.title,
            told(before, &aim.unit),
            told(now, &aim.unit),
        ),
        action_items: vec![
            "Compare decisions of high score that failed with ones of low score that did not".to_owned(),
            "Score anew what the label says, and judge prompts by the label until then".to_owned(),
        ],
        difficulty: Difficulty::Medium,
        effort_hours: HOURS,
        evidence: Evidence {
            what: aim.title.clone(),
            unit: aim.unit.clone(),
            before: Some(before),
            now: Some(now),
            n: 0.0,
            effect: Estimate::new(now - before, (now - before, now - before)),
            p_value: quality.trend?.p_value.max(aim.trend?.p_value),
        },
        gain: None,
        value: None,
        before: Some(before),
        urgency: URGENCY,
        coverage: component.coverage,
    })
}
