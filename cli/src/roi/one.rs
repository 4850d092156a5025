//! What one ticket returned.

use kaizen_api::tracker::v1::{GetRoiResponse, Return};
use serde_json::{Value, json};

use super::{estimated, money, price};
use crate::impact::json::{estimate, some};
use crate::impact::words;
use crate::output::{self, Output, count, say};

/// Prints it.
pub fn print(id: &str, answer: &GetRoiResponse, output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        return output::json(&json!({
            "ticket_id": id, "roi": answer.roi.as_ref().map(as_json), "not_computed": some(&answer.not_computed),
            "effect": estimate(answer.effect.as_ref()), "measurement_id": some(&answer.measurement_id),
        }));
    }
    let Some(found) = &answer.roi else {
        say(format_args!("{id}: not computed: {}", answer.not_computed));
        return Ok(());
    };
    let rests = match answer.measurement_id.as_str() {
        "" => "the effect as it is measured now".to_owned(),
        id => format!("the effect of the kept measurement {id}"),
    };
    let effect = answer.effect.unwrap_or_default();
    let ends = effect.interval.unwrap_or_default();
    let lines = lines(found).into_iter().chain([(
        "rests on",
        format!(
            "{rests}: {:+.4} (95 % interval {:+.4} … {:+.4})",
            effect.value, ends.lower, ends.upper
        ),
    )]);
    let lines: Vec<String> = lines.map(|(name, it)| format!("{name:<13}{it}")).collect();
    say(format_args!("{id}\n{}", lines.join("\n")));
    Ok(())
}

/// A return in lines: each a name and what it is.
pub fn lines(it: &Return) -> Vec<(&'static str, String)> {
    let currency = &it.currency;
    let said = match it.gain {
        Some(true) => "a gain",
        Some(false) => "a loss",
        None => "neither a gain nor a loss for sure",
    };
    let mut lines = vec![
        (
            "return",
            format!("{} in {:.0} days: {said}", estimated(it.net, currency), it.days),
        ),
        (
            "above zero",
            format!(
                "{}; {} would be decided with 80 %",
                words::probability(it.probability_above_zero),
                price(it.detectable, currency)
            ),
        ),
        (
            "benefit",
            format!(
                "{} = effect × {} × {}",
                estimated(it.benefit, currency),
                count(it.volume.max(0.0).round() as u64),
                price(it.unit_value, currency)
            ),
        ),
        ("cost", cost(it)),
    ];
    if let Some(roi) = it.roi {
        lines.push(("roi", format!("{:+.0} %, net over cost", roi * 100.0)));
    }
    lines.push((
        "payback",
        match it.payback_days {
            Some(days) => format!("after {days:.1} days"),
            None => "never, as it is now".to_owned(),
        },
    ));
    lines
}

fn cost(it: &Return) -> String {
    let currency = &it.currency;
    let mut text = format!(
        "{} = {} h × {}",
        price(it.cost, currency),
        it.hours,
        price(it.hourly_rate, currency)
    );
    if it.running_cost != 0.0 {
        text += &format!(", {} of running it", money(it.running_cost, currency));
    }
    if it.hours_forecast {
        text += "; the hours are those of the forecast, as nobody said how many there were";
    }
    text
}

/// A return for machines.
pub fn as_json(it: &Return) -> Value {
    json!({
        "currency": it.currency, "days": it.days, "net": estimate(it.net.as_ref()),
        "probability_above_zero": it.probability_above_zero, "gain": it.gain, "detectable": it.detectable,
        "benefit": estimate(it.benefit.as_ref()), "cost": it.cost, "hours": it.hours,
        "hours_forecast": it.hours_forecast, "hourly_rate": it.hourly_rate, "running_cost": it.running_cost,
        "volume": it.volume, "unit_value": it.unit_value, "roi": it.roi, "payback_days": it.payback_days,
    })
}
