//! The rules. Each looks at one component and drafts what it finds reason for.

mod declining_metric;
mod error_surge;
mod losing_group;
mod low_coverage;
mod slice_regression;

use crate::facts::{ComponentFacts, Facts};
use crate::recommend::Draft;

/// All rules, in the order of how special they are: what a slice explains is not told again of the whole.
pub(super) fn apply<'a>(component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>> {
    [
        low_coverage::draft,
        slice_regression::draft,
        error_surge::draft,
        losing_group::draft,
        declining_metric::draft,
    ]
    .into_iter()
    .flat_map(|rule| rule(component, facts))
    .collect()
}

/// A slice in words.
fn in_words(slice: &[(String, String)]) -> String {
    let condition = |(name, value): &(String, String)| match value.as_str() {
        "" => format!("no {name}"),
        value => format!("{name} = {value}"),
    };
    slice.iter().map(condition).collect::<Vec<_>>().join(" and ")
}

/// A value in its unit.
fn told(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{:.1} %", value * 100.0),
        "seconds" => format!("{value:.2} s"),
        unit => format!("{value:.2} {unit}"),
    }
}

/// A difference in its unit.
fn difference(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{:+.1} points", value * 100.0),
        "seconds" => format!("{value:+.2} s"),
        unit => format!("{value:+.2} {unit}"),
    }
}
