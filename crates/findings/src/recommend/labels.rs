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
    let of_shape = |shape: LabelShape| {
        let labels = found.iter().filter(|(_, it)| it.shape == shape);
        labels
            .map(|(_, it)| it.label.as_str())
            .collect::<Vec<_>>()
            .join(" and ")
    };
    let (inverted, uninformative) = (
        of_shape(LabelShape::Inverted),
        of_shape(LabelShape::Uninformative),
    );
    let said = |labels: &str, what: &str| (!labels.is_empty()).then(|| format!("{labels} {what}"));
    let title = [
        said(&inverted, "tells good decisions from bad the wrong way round"),
        said(&uninformative, "does not tell good decisions from bad"),
    ];
    let title: Vec<String> = title.into_iter().flatten().collect();
    let texts: Vec<String> = found
        .iter()
        .map(|(finding, _)| format!("{}.", finding.text))
        .collect();
    let mend = [
        said(
            &inverted,
            "is likely to be read the wrong way round: check how it is made, and turn it",
        ),
        said(
            &uninformative,
            "says too little: make it anew from what came of like decisions, or stop going by it",
        ),
    ];
    let mut action_items: Vec<String> = mend.into_iter().flatten().collect();
    action_items.push(format!(
        "Look at what is decided by {} (what is sent, skipped or shown to people), and decide by what came of it until then",
        found.iter().map(|(_, it)| it.label.as_str()).collect::<Vec<_>>().join(" and ")
    ));
    let off = (first.auc - 0.5, (first.interval.0 - 0.5, first.interval.1 - 0.5));
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
        evidence: Evidence {
            what: format!(
                "pairs of decisions that {} orders as {} does",
                first.label, first.of
            ),
            unit: "ratio".to_owned(),
            // What chance would order.
            before: Some(0.5),
            now: Some(first.auc),
            n: first.levels.iter().map(|level| level.n).sum(),
            effect: Estimate::new(off.0, off.1),
            p_value: first.p_value,
        },
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
