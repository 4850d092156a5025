//! Decisions that are expected are missing: mend the feed before anything is read into its numbers.

use crate::facts::{ComponentFacts, Facts};
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence};

const HOURS: f64 = 4.0;
/// Below this share of the expected decisions something is wrong with the feed.
const COVERED: f64 = 0.9;

pub(super) struct LowCoverage;

impl Rule for LowCoverage {
    fn name(&self) -> &'static str {
        "low_coverage"
    }

    fn restores(&self) -> bool {
        false
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, _: &Facts) -> Vec<Draft<'a>> {
        let Some(coverage) = component.coverage.filter(|coverage| *coverage < COVERED) else {
            return Vec::new();
        };
        let missing = (1.0 - coverage) * 100.0;
        vec![Draft {
            rule: LowCoverage.name(),
            component,
            metric: "",
            slice: Vec::new(),
            title: format!(
                "{}: {missing:.0} % of the expected decisions are missing",
                component.title
            ),
            description: format!(
                "By the weeks before, hours that bring {missing:.0} % of the decisions are empty. That is a fault of the data, \
             not a change of what is measured; every number of the component rests on what is there."
            ),
            action_items: vec![
                "Check that the producers of these decisions ran, and that their logger counts no drops"
                    .to_owned(),
                "Check the collector's lag and the dead letters of the period (`kaizen dlq list`)".to_owned(),
                "Import what was logged elsewhere meanwhile (`kaizen import`)".to_owned(),
            ],
            difficulty: Difficulty::Easy,
            effort_hours: HOURS,
            evidence: Evidence {
                what: "share of the expected decisions that are there".to_owned(),
                unit: "ratio".to_owned(),
                before: Some(1.0),
                now: Some(coverage),
                n: 0.0,
                effect: Estimate::new(coverage - 1.0, (coverage - 1.0, coverage - 1.0)),
                p_value: 0.0,
            },
            gain: None,
            value: None,
            before: None,
            urgency: missing,
            // That something is missing is certain, however much it is.
            coverage: None,
        }]
    }
}
