//! Stated confidence does not mean what it says: whoever acts on it acts wrongly.

use crate::facts::{ComponentFacts, Facts};
use crate::finding::{Detail, Finding, Miscalibration};
use crate::recommend::labels;
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence};
use crate::words::told;

/// What states confidence where no probability does.
const LEVEL: &str = "confidence_level";
const HOURS: f64 = 8.0;

pub(super) struct MiscalibratedConfidence;

impl Rule for MiscalibratedConfidence {
    fn name(&self) -> &'static str {
        "miscalibrated_confidence"
    }

    fn restores(&self) -> bool {
        false
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, _: &Facts) -> Vec<Draft<'a>> {
        let mut found = component
            .findings
            .iter()
            .filter_map(|finding| match &finding.detail {
                Detail::Miscalibration(it) => Some((finding, it)),
                _ => None,
            });
        // Probabilities say more than levels do, and come after them.
        let last = found.next_back().map(|(finding, it)| of(component, finding, it));
        let of_labels = || labels::draft(self.name(), component, &labels::of_labels(component, &[LEVEL]));
        last.or_else(of_labels).into_iter().collect()
    }
}

fn of<'a>(component: &'a ComponentFacts, finding: &Finding, it: &Miscalibration) -> Draft<'a> {
    // By how much a stated level misses what was observed, or a higher one the lower one.
    let off = it.error.unwrap_or_else(|| {
        let turned = it
            .levels
            .windows(2)
            .map(|pair| pair[1].observed - pair[0].observed);
        turned.fold(0.0, f64::max)
    });
    let mend = match (it.slope, it.bias) {
        (_, Some(bias)) if bias.abs() > off / 2.0 => format!(
            "{} the stated probabilities by {} on average, and check again next week",
            if bias > 0.0 { "Lower" } else { "Raise" },
            told(bias.abs(), "ratio")
        ),
        (Some(slope), _) => format!(
            "Divide the log-odds of the stated probabilities by {:.2} (temperature scaling), and check again next week",
            1.0 / slope
        ),
        _ => {
            "State confidence by what came of like decisions, not by what the model says of itself".to_owned()
        }
    };
    Draft {
        rule: MiscalibratedConfidence.name(),
        component,
        metric: "",
        slice: Vec::new(),
        title: format!("{}: {} does not mean what it says", component.title, it.stated_by),
        description: format!("{}.", finding.text),
        action_items: vec![
            mend,
            "Look at what is decided by it (what is sent, skipped or shown to people), and set its limits anew".to_owned(),
        ],
        difficulty: Difficulty::Medium,
        effort_hours: HOURS,
        evidence: Evidence {
            what: format!("distance of {} to what was observed", it.stated_by),
            unit: "ratio".to_owned(),
            before: Some(0.0),
            now: Some(off),
            n: it.levels.iter().map(|level| level.n).sum(),
            effect: Estimate::new(off, (off, off)),
            p_value: it.p_value,
        },
        gain: None,
        value: None,
        before: None,
        urgency: 100.0 * off,
        coverage: component.coverage,
    }
}
