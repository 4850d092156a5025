//! Verdicts, methods and slices as words.

use kaizen_api::analysis::v1::Condition;
use kaizen_api::tracker::v1::ImpactVerdict;

use crate::explain;

/// A verdict for people; nothing where there is none.
pub const fn verdict(verdict: ImpactVerdict) -> &'static str {
    match verdict {
        ImpactVerdict::Improved => "improved",
        ImpactVerdict::NoDetectableChange => "no detectable change",
        ImpactVerdict::Worse => "worse",
        ImpactVerdict::CannotTell => "cannot tell",
        ImpactVerdict::Unspecified => "",
    }
}

/// A verdict for machines; absent where there is none.
pub fn name(verdict: ImpactVerdict) -> Option<String> {
    let name = self::verdict(verdict);
    (!name.is_empty()).then(|| name.replace(' ', "_"))
}

/// A method for people; its name where it is a new one.
pub fn method(name: &str) -> &str {
    match name {
        "randomised_welch" => "randomised share, Welch's test",
        "randomised_cuped" => "randomised share, CUPED",
        "control_regression" => "regression on untouched slices",
        "synthetic_control" => "synthetic control of untouched slices",
        "seasonal_level" => "level before and after, seasons taken out",
        other => other,
    }
}

/// A rung of the ladder for people; its name where it is a new one.
pub fn rung(name: &str) -> &str {
    match name {
        "randomised" => "a randomised share",
        "controls" => "untouched slices",
        "seasonal" => "before and after alone",
        other => other,
    }
}

/// A slice for people; all decisions where it has no conditions.
pub fn slice(conditions: &[Condition]) -> String {
    match conditions {
        [] => "all decisions".to_owned(),
        conditions => explain::slice(conditions),
    }
}

/// A probability whose ends are told apart from certainty.
pub fn probability(probability: f64) -> String {
    match probability {
        p if p > 0.999 => "P > 0.999".to_owned(),
        p if p < 0.001 => "P < 0.001".to_owned(),
        p => format!("P = {p:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_is_no_certainty_and_a_new_method_is_told_by_its_name() {
        assert_eq!(
            [0.999_98, 0.999, 0.5, 0.000_2].map(probability),
            ["P > 0.999", "P = 0.999", "P = 0.500", "P < 0.001"]
        );
        assert_eq!((method("new"), rung("new")), ("new", "new"));
    }
}
