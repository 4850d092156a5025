//! What a ticket changed, for people: the verdict first, then what it rests on.

use kaizen_api::analysis::v1::Window;
use kaizen_api::tracker::v1::{Control, Guardrail, Impact, ImpactDay, Novelty, Overlap, Placebo};

use super::words;
use crate::explain::{ends, signed};
use crate::findings::instant;
use crate::output::{count, table, value};
use crate::roi;

/// All of it.
pub fn text(it: &Impact) -> String {
    let mut text = format!(
        "{} {}: {}\n",
        it.ticket_id,
        words::verdict(it.verdict()),
        it.summary
    );
    for (name, value) in measured(it).into_iter().chain(certainty(it)) {
        line(&mut text, name, &value);
    }
    text.push('\n');
    match &it.roi {
        Some(found) => {
            for (name, value) in roi::lines(found) {
                line(&mut text, name, &value);
            }
        }
        None => line(
            &mut text,
            "return",
            &format!("not computed: {}", it.roi_not_computed),
        ),
    }
    text + &controls(&it.controls)
        + &guardrails(&it.guardrails)
        + &overlaps(&it.overlaps)
        + &left_out(&it.days, unit(it))
}

fn unit(it: &Impact) -> &str {
    it.metric.as_ref().map_or("", |it| &it.unit)
}

/// A name and what it stands for; nothing where it stands for nothing.
fn line(text: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        *text += &format!("\n{name:<13}{value}");
    }
}

fn measured(it: &Impact) -> [(&'static str, String); 7] {
    let unit = unit(it);
    let metric = it.metric.clone().unwrap_or_default();
    let effect = it.effect.unwrap_or_default();
    let change = instant(it.change_time).unwrap_or_default();
    // By chance at the same time, else one after the other
    let sides = if it.method.starts_with("randomised") {
        ["without", "with"]
    } else {
        ["before", "after"]
    };
    let baseline = if it.baseline.is_empty() {
        it.before.as_slice()
    } else {
        &it.baseline
    };
    [
        (
            "metric",
            format!("{} ({}), {}", metric.title, metric.name, words::slice(&it.slice)),
        ),
        (
            "change",
            format!(
                "{change}, to be measured over {} days",
                it.measurement_period_days
            ),
        ),
        (sides[0], mean(it.mean_before, unit, baseline)),
        (sides[1], mean(it.mean_after, unit, it.after.as_slice())),
        (
            "effect",
            format!(
                "{} (95 % interval {}; at all looks together {})",
                signed(effect.value, unit),
                ends(effect.interval.as_ref(), unit),
                ends(it.interval_at_any_look.as_ref(), unit)
            ),
        ),
        ("", improvement(it, &metric.name)),
        (
            "better",
            format!(
                "{}; an effect of {} would be called with 80 %",
                words::probability(it.probability_better),
                signed(it.detectable, unit).trim_start_matches('+')
            ),
        ),
    ]
}

/// A mean and the days it is of.
fn mean(mean: f64, unit: &str, over: &[Window]) -> String {
    let span = |it: &Window| {
        Some(format!(
            "{} to {}",
            instant(it.start_time)?,
            instant(it.end_time)?
        ))
    };
    let spans: Vec<String> = over.iter().filter_map(span).collect();
    let over = if spans.is_empty() {
        String::new()
    } else {
        format!("   {}", spans.join(" and "))
    };
    format!("{}{over}", value(Some(mean), unit))
}

fn improvement(it: &Impact, metric: &str) -> String {
    let Some(metrics) = &it.metrics else {
        return String::new();
    };
    let Some(percent) = metrics.improvement_percentage.get(metric) else {
        return String::new();
    };
    let ends = metrics.improvement_intervals.get(metric);
    let ends = ends.map(|it| format!(" ({:+.1} … {:+.1} %)", it.lower, it.upper));
    format!(
        "{percent:+.1} %{} of what it was, more is better",
        ends.unwrap_or_default()
    )
}

fn certainty(it: &Impact) -> Vec<(&'static str, String)> {
    let mut lines = vec![("method", words::method(&it.method).to_owned())];
    for rung in it.rungs.iter().filter(|it| !it.refused.is_empty()) {
        lines.push(("", format!("not {}: {}", words::rung(&rung.method), rung.refused)));
    }
    if let Some(it) = &it.confidence {
        lines.push((
            "confidence",
            format!(
                "{:.2} = method {:.2} × information {:.2} × days present {:.2} × placebo {:.2}",
                it.value, it.method, it.information, it.present, it.placebo
            ),
        ));
    }
    if let Some(found) = &it.placebo {
        lines.push(("placebo", placebo(*found)));
    }
    if let Some(found) = &it.novelty {
        lines.push(("novelty", novelty(found, unit(it))));
    }
    if let Some(shock) = it.shock {
        lines.push((
            "shock",
            format!(
                "{} that something happened to all controls at that time",
                words::probability(shock)
            ),
        ));
    }
    lines
}

fn placebo(it: Placebo) -> String {
    match it.tried {
        0 => "there are too few days before the change to try it on".to_owned(),
        tried => format!(
            "of {tried} times when nothing was changed, {} had an effect as large",
            it.as_large
        ),
    }
}

fn novelty(it: &Novelty, unit: &str) -> String {
    format!(
        "{} in the first third, {} in the last, p = {:.3}: {}",
        signed(it.first, unit),
        signed(it.last, unit),
        it.p_value,
        if it.fading {
            "it fades"
        } else {
            "no sign that it fades"
        }
    )
}

fn controls(controls: &[Control]) -> String {
    if controls.is_empty() {
        return String::new();
    }
    let row = |it: &Control| {
        vec![
            it.name.clone(),
            if it.refused.is_empty() {
                "used".to_owned()
            } else {
                it.refused.clone()
            },
            it.weight.map_or_else(String::new, |it| format!("{it:.3}")),
            it.moved_alone.map_or_else(String::new, |it| format!("{it:.3}")),
        ]
    };
    let header = ["control", "use", "weight", "P(moved alone)"];
    format!(
        "\n\nUntouched slices:\n{}",
        table(&header, 2, controls.iter().map(row))
    )
}

fn guardrails(guardrails: &[Guardrail]) -> String {
    if guardrails.is_empty() {
        return String::new();
    }
    let row = |it: &Guardrail| {
        let metric = it.metric.clone().unwrap_or_default();
        let said = match it.unmeasurable.as_str() {
            "" => words::verdict(it.verdict()).to_owned(),
            reason => format!("not measured: {reason}"),
        };
        let effect = it.effect.map(|it| signed(it.value, &metric.unit));
        let interval = it.effect.and_then(|it| it.interval);
        vec![
            metric.title,
            said,
            effect.unwrap_or_default(),
            ends(interval.as_ref(), &metric.unit),
        ]
    };
    let header = ["metric", "verdict", "effect", "95 % interval"];
    format!(
        "\n\nThe other metrics of the component:\n{}",
        table(&header, 2, guardrails.iter().map(row))
    )
}

fn overlaps(overlaps: &[Overlap]) -> String {
    if overlaps.is_empty() {
        return String::new();
    }
    let line = |it: &Overlap| {
        let change = it.change.clone().unwrap_or_default();
        let words = [
            it.ticket_id.as_str(),
            &change.kind,
            "of",
            &change.component,
            &change.version,
            &change.link,
        ];
        let words: Vec<&str> = words.into_iter().filter(|it| !it.is_empty()).collect();
        let when = if it.after {
            "after the change: its effect is in the measurement"
        } else {
            "before the change"
        };
        format!(
            "\n  {}  {}, {when}",
            instant(change.change_time).unwrap_or_default(),
            words.join(" ")
        )
    };
    let lines: String = overlaps.iter().map(line).collect();
    format!("\n\nWhat else changed in these days:{lines}")
}

fn left_out(days: &[ImpactDay], unit: &str) -> String {
    let line = |it: &ImpactDay| {
        let start = it.window.as_ref().and_then(|it| instant(it.start_time));
        format!(
            "\n  {}  {}, n {}: {}",
            start.unwrap_or_default(),
            value(it.value, unit),
            count(it.n),
            it.left_out
        )
    };
    let lines: String = (days.iter())
        .filter(|it| !it.left_out.is_empty())
        .map(line)
        .collect();
    if lines.is_empty() {
        return lines;
    }
    format!(
        "\n\nDays that are not in the measurement, of {}:{lines}",
        days.len()
    )
}
