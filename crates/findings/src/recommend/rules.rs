//! The rules. Each looks at one component and drafts what it finds reason for.

mod declining_metric;
mod error_surge;
mod latency_tail;
mod losing_group;
mod low_coverage;
mod miscalibrated_confidence;
mod quality_mismatch;
mod slice_regression;
mod step_after_change;
mod volume_shift;

use crate::facts::{ComponentFacts, Facts};
use crate::recommend::Draft;

/// A rule: what it is called, what it finds reason for, and what becomes of that once it is done.
pub(super) trait Rule: Sync {
    /// Its name, by which recommendations and tickets are known.
    fn name(&self) -> &'static str;

    /// Whether doing what it recommends brings back what was there before the period that raised it, so that what is done is
    /// measured against the days between the two.
    fn restores(&self) -> bool;

    /// What it finds reason for.
    fn drafts<'a>(&self, component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>>;
}

/// All rules, in the order of how special they are: what a slice explains is not told again of the whole.
const ALL: [&dyn Rule; 10] = [
    &low_coverage::LowCoverage,
    &slice_regression::SliceRegression,
    &error_surge::ErrorSurge,
    &losing_group::LosingGroup,
    &step_after_change::StepAfterChange,
    &declining_metric::DecliningMetric,
    &volume_shift::VolumeShift,
    &latency_tail::LatencyTail,
    &miscalibrated_confidence::MiscalibratedConfidence,
    &quality_mismatch::QualityMismatch,
];

/// What all rules find reason for.
pub(super) fn apply<'a>(component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>> {
    ALL.into_iter()
        .flat_map(|rule| rule.drafts(component, facts))
        .collect()
}

/// Whether the rule of that name brings back what was there before the period that raised its recommendation: measured is
/// then against the days between the two. False of a name that is no rule's.
pub fn restores(rule: &str) -> bool {
    ALL.into_iter().any(|it| it.name() == rule && it.restores())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn rules_have_names_of_their_own_and_say_whether_they_restore() {
        let names: HashSet<&str> = ALL.iter().map(|it| it.name()).collect();
        assert_eq!(names.len(), ALL.len());
        let mut restoring: Vec<&str> = names.into_iter().filter(|it| restores(it)).collect();
        restoring.sort_unstable();
        assert_eq!(
            restoring,
            [
                "error_surge",
                "latency_tail",
                "slice_regression",
                "step_after_change"
            ]
        );
        assert!(!restores("") && !restores("slice"));
    }
}
