//! The measurements of a ticket that are kept.

use kaizen_api::tracker::v1::Measurement;
use serde_json::{Value, json};

use super::json::{impact, some};
use super::words;
use crate::explain::{ends, signed};
use crate::findings::instant;
use crate::output::{self, Output, say, table};
use crate::roi::money;
use crate::tickets::exact;

/// Prints them, earliest first.
pub fn print(measurements: &[Measurement], output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => output::json(&measurements.iter().map(as_json).collect::<Vec<_>>()),
        Output::Table if measurements.is_empty() => {
            say("No measurement is kept yet: the first is made 7 days after the change.");
            Ok(())
        }
        Output::Table => {
            say(listing(measurements));
            Ok(())
        }
    }
}

fn listing(measurements: &[Measurement]) -> String {
    let header = [
        "day",
        "measured",
        "verdict",
        "effect",
        "95 % interval",
        "confidence",
        "return",
    ];
    let mut text = table(&header, 3, measurements.iter().map(row));
    for it in measurements {
        let said = match &it.impact {
            Some(impact) => impact.summary.clone(),
            None => format!("could not be measured: {}", it.unmeasurable),
        };
        text += &format!("\nday {:<3} {said}", it.day);
    }
    text
}

fn row(it: &Measurement) -> Vec<String> {
    let mut cells = vec![it.day.to_string(), instant(it.measure_time).unwrap_or_default()];
    let Some(impact) = &it.impact else {
        cells.push("–".to_owned());
        return cells;
    };
    let unit = impact.metric.as_ref().map_or("", |it| &it.unit);
    let effect = impact.effect.unwrap_or_default();
    cells.extend([
        words::verdict(impact.verdict()).to_owned(),
        signed(effect.value, unit),
        ends(effect.interval.as_ref(), unit),
        impact
            .confidence
            .map_or_else(String::new, |it| format!("{:.2}", it.value)),
        match &impact.roi {
            Some(it) => money(it.net.unwrap_or_default().value, &it.currency),
            None => "not computed".to_owned(),
        },
    ]);
    cells
}

fn as_json(it: &Measurement) -> Value {
    json!({"measurement_id": it.measurement_id, "day": it.day, "measure_time": exact(it.measure_time),
           "impact": it.impact.as_ref().map(impact), "unmeasurable": some(&it.unmeasurable)})
}
