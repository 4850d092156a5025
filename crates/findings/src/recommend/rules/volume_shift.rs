//! There are lasting fewer decisions than before, and none are missing: the work comes no more, or is held up before it.

use crate::facts::{ComponentFacts, Facts, Role};
use crate::finding::Detail;
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence};

const HOURS: f64 = 4.0;
/// From this part of what came before on, a drop is worth a look.
const MATTERS: f64 = 0.2;

pub(super) struct VolumeShift;

impl Rule for VolumeShift {
    fn name(&self) -> &'static str {
        "volume_shift"
    }

    fn restores(&self) -> bool {
        false
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, _: &Facts) -> Vec<Draft<'a>> {
        let volumes = component
            .metrics
            .iter()
            .filter(|metric| metric.role == Role::Volume);
        let drops = volumes.filter_map(|metric| {
            let (now, before) = metric.now.zip(metric.before)?;
            let lost = (before - now) / before;
            let step = component
                .findings
                .iter()
                .rev()
                .find_map(|finding| match &finding.detail {
                    Detail::LevelChange(step) if finding.metric == metric.name && step.effect < 0.0 => {
                        Some(step)
                    }
                    _ => None,
                })?;
            (lost >= MATTERS).then_some((metric, now, before, step))
        });
        let draft = drops.map(|(metric, now, before, step)| Draft {
        rule: VolumeShift.name(),
        component,
        metric: &metric.name,
        slice: Vec::new(),
        title: format!("{}: {:.0} % fewer decisions", component.title, 100.0 * (1.0 - now / before)),
        description: format!(
            "There were {now:.0} decisions, {before:.0} in the period before, and the record has no gap that would tell why: less \
             work comes in, or something before the component holds it back."
        ),
        action_items: vec![
            "Check what feeds the component: queues, schedules, limits, filters".to_owned(),
            "If it was meant, say so in the change ledger (`kaizen.changes`)".to_owned(),
        ],
        difficulty: Difficulty::Easy,
        effort_hours: HOURS,
        evidence: Evidence {
            what: metric.title.clone(),
            unit: metric.unit.clone(),
            before: Some(before),
            now: Some(now),
            n: now,
            effect: Estimate::new(step.effect, step.interval),
            p_value: 0.0,
        },
        gain: None,
        value: None,
        before: None,
        urgency: 10.0 * (1.0 - now / before),
        coverage: component.coverage,
    });
        draft.collect()
    }
}
