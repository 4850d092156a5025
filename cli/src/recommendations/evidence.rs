//! What a recommendation rests on, down to single decisions.

use kaizen_api::analysis::v1::{DecisionExample, Evidence, Filter};
use serde_json::{Value, json};

use crate::explain::{ends, signed};
use crate::findings::instant;
use crate::output::{count, value};

/// What was measured, then decisions of both sides: an address of all, and some. `dashboard` is where its page is.
pub fn lines(it: &Evidence, dashboard: &str) -> String {
    let (unit, dashboard) = (it.unit.as_str(), dashboard.trim_end_matches('/'));
    let effect = it.effect.unwrap_or_default();
    let decisions = match it.n {
        0 => String::new(),
        n => format!(", n = {}", count(n)),
    };
    let mut text = format!(
        "evidence     {}: {} → {}, {} ({}){decisions}\n",
        it.what,
        value(it.before, unit),
        value(it.now, unit),
        signed(effect.value, unit),
        ends(effect.interval.as_ref(), unit),
    );
    for (name, path, examples) in [
        ("decisions", &it.dashboard_path, &it.examples),
        ("before", &it.previous_dashboard_path, &it.previous_examples),
    ] {
        if path.is_empty() {
            continue;
        }
        text += &format!("{name:<12} {dashboard}{path}\n");
        for example in examples {
            text += &format!("  {}\n", line(example, it));
        }
    }
    text
}

fn line(example: &DecisionExample, evidence: &Evidence) -> String {
    let at = instant(example.decision_time).unwrap_or_default();
    let shown = match (example.value, evidence.example_unit.as_str()) {
        (None, _) => String::new(),
        // A single decision counts for the share or does not.
        (Some(0.0), "ratio") => format!("  {}: no", evidence.example_what),
        (Some(1.0), "ratio") => format!("  {}: yes", evidence.example_what),
        (found, unit) => format!("  {}: {}", evidence.example_what, value(found, unit)),
    };
    format!("{at}  {}{shown}", example.event_id)
}

/// The same for machines.
pub fn as_json(it: &Evidence) -> Value {
    let effect = (it.effect)
        .map(|it| json!({"value": it.value, "interval": it.interval.map(|it| [it.lower, it.upper])}));
    json!({
        "what": it.what, "unit": it.unit, "before": it.before, "now": it.now, "n": it.n, "effect": effect,
        "p_value": it.p_value, "component": it.component, "filters": it.filters.iter().map(filter).collect::<Vec<_>>(),
        "from": it.window.and_then(|it| instant(it.start_time)), "to": it.window.and_then(|it| instant(it.end_time)),
        "dashboard_path": it.dashboard_path, "previous_dashboard_path": it.previous_dashboard_path,
        "example_what": it.example_what,
        "examples": it.examples.iter().map(example).collect::<Vec<_>>(),
        "previous_examples": it.previous_examples.iter().map(example).collect::<Vec<_>>(),
    })
}

fn filter(it: &Filter) -> Value {
    json!({"dimension": it.dimension, "values": it.values})
}

fn example(it: &DecisionExample) -> Value {
    json!({"event_id": it.event_id, "time": instant(it.decision_time), "value": it.value})
}
