//! What to do about labels that do not order what came of decisions, whichever rule looks at them.

use super::{Difficulty, Draft, Estimate, Evidence};
use crate::facts::ComponentFacts;
use crate::finding::{Detail, Finding, LabelOrder, LabelShape};

const HOURS: f64 = 8.0;
/// Of a label that says nothing: whoever goes by it goes by chance.
const URGENCY: f64 = 3.0;

/// The findings about labels of a component, those that are the wrong way round first.
pub(super) fn of_labels<'a>(
    component: &'a ComponentFacts,
    labels: &[&str],
) -> Vec<(&'a Finding, &'a LabelOrder)> {
    let of = |finding: &'a Finding| match &finding.detail {
        Detail::LabelOrder(it) if labels.contains(&it.label.as_str()) => Some((finding, it)),
        _ => None,
    };
    let mut found: Vec<_> = component.findings.iter().filter_map(of).collect();
    found.sort_by_key(|(_, it)| it.shape != LabelShape::Inverted);
    found
}

/// What to do about them, in one draft; its evidence is the first's.
pub(super) fn draft<'a>(
    rule: &'static str,
    component: &'a ComponentFacts,
    found: &[(&'a Finding, &'a LabelOrder)],
) -> Option<Draft<'a>> {
    let (_, first) = found.first()?;
    let texts: Vec<String> = found
        .iter()
        .map(|(finding, _)| format!("{}.", finding.text))
        .collect();
    let said = |inverted: &str, uninformative: &str| {
        let of = [
            (LabelShape::Inverted, inverted),
            (LabelShape::Uninformative, uninformative),
        ];
        of.into_iter()
            .filter_map(|(shape, what)| of_shape(found, shape).map(|labels| format!("{labels} {what}")))
            .collect::<Vec<String>>()
    };
    let title = said(
        "tells good decisions from bad the wrong way round",
        "does not tell good decisions from bad",
    );
    let mut action_items = said(
        "is likely to be read the wrong way round: check how it is made, and turn it",
        "says too little: make it anew from what came of like decisions, or stop going by it",
    );
    action_items.push(
        "Look at what is decided by it (what is sent, skipped or shown to people), and go by what came of like decisions until then"
            .to_owned(),
    );
    Some(Draft {
        rule,
        component,
        metric: "",
        slice: Vec::new(),
        title: format!("{}: {}", component.title, title.join(", ")),
        description: texts.join(" "),
        action_items,
        difficulty: Difficulty::Medium,
        effort_hours: HOURS,
        evidence: evidence(first),
        gain: None,
        value: None,
        before: None,
        urgency: match first.shape {
            LabelShape::Inverted => 100.0 * (0.5 - first.auc),
            LabelShape::Uninformative => URGENCY,
        },
        coverage: component.coverage,
    })
}

/// The labels of that shape, in words.
fn of_shape(found: &[(&Finding, &LabelOrder)], shape: LabelShape) -> Option<String> {
    let labels = found.iter().filter(|(_, it)| it.shape == shape);
    let labels: Vec<&str> = labels.map(|(_, it)| it.label.as_str()).collect();
    (!labels.is_empty()).then(|| labels.join(" and "))
}

fn evidence(it: &LabelOrder) -> Evidence {
    Evidence {
        what: format!("pairs of decisions that {} orders as {} does", it.label, it.of),
        unit: "ratio".to_owned(),
        // What chance would order.
        before: Some(0.5),
        now: Some(it.auc),
        n: it.levels.iter().map(|level| level.n).sum(),
        effect: Estimate::new(it.auc - 0.5, (it.interval.0 - 0.5, it.interval.1 - 0.5)),
        p_value: it.p_value,
    }
}
