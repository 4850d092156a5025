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

/// All rules, in the order of how special they are: what a slice explains is not told again of the whole.
pub(super) fn apply<'a>(component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>> {
    [
        low_coverage::draft,
        slice_regression::draft,
        error_surge::draft,
        losing_group::draft,
        step_after_change::draft,
        declining_metric::draft,
        volume_shift::draft,
        latency_tail::draft,
        miscalibrated_confidence::draft,
        quality_mismatch::draft,
    ]
    .into_iter()
    .flat_map(|rule| rule(component, facts))
    .collect()
}
