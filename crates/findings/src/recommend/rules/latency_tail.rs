//! The slowest decisions got slower while the others did not: something that few decisions meet holds them up.

use crate::facts::{ComponentFacts, Facts};
use crate::finding::Detail;
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence};

const HOURS: f64 = 8.0;
/// What a tail that took so many percent longer weighs beside an improvement of a metric in percent: a hundredth of the decisions
/// waits, and is often given up.
const WEIGHT: f64 = 0.1;

pub(super) struct LatencyTail;

impl Rule for LatencyTail {
    fn name(&self) -> &'static str {
        "latency_tail"
    }

    fn restores(&self) -> bool {
        true
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, _: &Facts) -> Vec<Draft<'a>> {
        let slower = component
            .findings
            .iter()
            .filter_map(|finding| match &finding.detail {
                Detail::LatencyTail(tail) if tail.change > 0.0 => Some((finding, tail)),
                _ => None,
            });
        let draft = slower.map(|(finding, tail)| Draft {
        rule: LatencyTail.name(),
        component,
        metric: &finding.metric,
        slice: Vec::new(),
        title: format!("{}: the slowest decisions got slower, the others did not", component.title),
        description: format!("{}.", finding.text),
        action_items: vec![
            "List the slowest decisions of the period and look for what they share (a site, a source, a retry)".to_owned(),
            "Compare time-outs, retries and queue lengths with the period before".to_owned(),
            "Give what holds them up a time limit, or a queue of its own".to_owned(),
        ],
        difficulty: Difficulty::Medium,
        effort_hours: HOURS,
        evidence: Evidence {
            what: "99th percentile of the processing time".to_owned(),
            unit: "seconds".to_owned(),
            before: Some(tail.tail.0),
            now: Some(tail.tail.1),
            n: tail.n,
            effect: Estimate::new(tail.change, tail.interval).times(tail.tail.0),
            p_value: tail.p_value,
        },
        gain: None,
        value: None,
        before: None,
        urgency: WEIGHT * 100.0 * tail.change,
        coverage: component.coverage,
    });
        draft.collect()
    }
}
