//! `kaizen explain`: which slices made a metric change.

use clap::Args;
use kaizen_api::analysis::v1::comparison::To;
use kaizen_api::analysis::v1::{
    Comparison, Condition, Culprit, ExplainChangeRequest, ExplainChangeResponse, Interval, Value,
};
use kaizen_api::time::{from_wire, window_to_wire};
use serde_json::json;

use crate::connection::{Connection, refused};
use crate::metrics::{filter, filters, time};
use crate::output::{self, Output, count, say, table, value};

/// What to explain.
#[derive(Debug, Args)]
pub struct Explain {
    /// Metric, as `kaizen metrics list` names it
    #[arg(value_name = "COMPONENT.METRIC")]
    metric: String,
    /// First instant: a date, or a time in RFC 3339
    #[arg(long, value_name = "TIME")]
    from: String,
    /// First instant after the window
    #[arg(long, value_name = "TIME")]
    to: String,
    /// First instant of the window to compare with; the one of the same length before when absent
    #[arg(long, value_name = "TIME", requires = "before_to")]
    before_from: Option<String>,
    /// First instant after the window to compare with
    #[arg(long, value_name = "TIME", requires = "before_from")]
    before_to: Option<String>,
    /// Keep only decisions with this value of a dimension; repeat a dimension for several values
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = filter)]
    filters: Vec<(String, String)>,
    /// Least difference to the rest that is worth a name, in the unit of the effects [default: 2 % of the earlier mean]
    #[arg(long, value_name = "NUMBER")]
    least_effect: Option<f64>,
    /// Time zone of dates
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
}

/// Runs it.
pub async fn run(explain: &Explain, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let answer = connection
        .metrics()
        .await?
        .explain_change(explain.request()?)
        .await
        .map_err(refused)?
        .into_inner();
    match output {
        Output::Json => output::json(&as_json(&answer)),
        Output::Table => tell(&answer),
    }
}

impl Explain {
    fn request(&self) -> anyhow::Result<ExplainChangeRequest> {
        let at = |text: &str| time(text, &self.time_zone);
        let to = match (&self.before_from, &self.before_to) {
            (Some(from), Some(to)) => To::Window(window_to_wire(at(from)?, at(to)?)),
            _ => To::Previous(true),
        };
        Ok(ExplainChangeRequest {
            metric: self.metric.clone(),
            window: Some(window_to_wire(at(&self.from)?, at(&self.to)?)),
            compare_to: Some(Comparison { to: Some(to) }),
            time_zone: self.time_zone.clone(),
            filters: filters(&self.filters),
            least_effect: self.least_effect,
        })
    }
}

fn tell(answer: &ExplainChangeResponse) -> anyhow::Result<()> {
    say(heading(answer)?);
    if answer.culprits.is_empty() {
        say("No slice changed otherwise than the rest by more than chance.");
        return Ok(());
    }
    let unit = &answer.effect_unit;
    let row = |culprit: &Culprit| {
        vec![
            slice(&culprit.slice),
            mean(culprit.previous.as_ref(), unit),
            mean(culprit.value.as_ref(), unit),
            signed(culprit.effect, unit),
            ends(culprit.interval.as_ref(), unit),
            signed(culprit.rate, unit),
            signed(culprit.mix, unit),
            count(culprit.value.map_or(0, |it| it.n)),
        ]
    };
    let header = [
        "slice",
        "before",
        "now",
        "more than the rest",
        "95 % interval",
        "adds by its rate",
        "by its share",
        "n",
    ];
    say(table(&header, 1, answer.culprits.iter().map(row)));
    Ok(())
}

fn heading(answer: &ExplainChangeResponse) -> anyhow::Result<String> {
    let metric = answer.metric.clone().unwrap_or_default();
    let bounds = |window: Option<kaizen_api::analysis::v1::Window>| {
        let window = window.unwrap_or_default();
        let (from, to) = (
            from_wire("start_time", window.start_time),
            from_wire("end_time", window.end_time),
        );
        anyhow::Ok(format!("{} to {}", from.map_err(refused)?, to.map_err(refused)?))
    };
    let mut text = format!(
        "{} ({}), {}, compared with {}\n{} → {}",
        metric.title,
        metric.name,
        bounds(answer.window)?,
        bounds(answer.comparison_window)?,
        mean(answer.previous.as_ref(), &metric.unit),
        mean(answer.value.as_ref(), &metric.unit)
    );
    if answer.explained != metric.title {
        text += &format!("; explained by the {}", answer.explained);
    }
    if let (Some(change), Some(p)) = (answer.change, answer.p_value) {
        let unit = &answer.effect_unit;
        text += &format!(
            "\nchange {} ({}), p = {p:.2e}: {} by the rates within slices, {} by their shares",
            signed(change, unit),
            ends(answer.change_interval.as_ref(), unit),
            signed(answer.rate.unwrap_or_default(), unit),
            signed(answer.mix.unwrap_or_default(), unit)
        );
    }
    Ok(text)
}

/// A slice in words.
pub fn slice(conditions: &[Condition]) -> String {
    let condition = |it: &Condition| match it.value.as_str() {
        "" => format!("no {}", it.dimension),
        value => format!("{} = {value}", it.dimension),
    };
    conditions.iter().map(condition).collect::<Vec<_>>().join(", ")
}

fn mean(of: Option<&Value>, unit: &str) -> String {
    value(of.and_then(|it| it.value), unit)
}

/// A difference with its sign; shares differ by percentage points.
pub fn signed(number: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{:+.1} pp", number * 100.0),
        _ if number < 0.0 => value(Some(number), unit),
        _ => format!("+{}", value(Some(number), unit)),
    }
}

/// Both ends of an interval.
pub fn ends(interval: Option<&Interval>, unit: &str) -> String {
    interval.map_or_else(String::new, |it| {
        format!("{} … {}", signed(it.lower, unit), signed(it.upper, unit))
    })
}

fn as_json(answer: &ExplainChangeResponse) -> serde_json::Value {
    json!({
        "metric": answer.metric.as_ref().map(|metric| &metric.name),
        "explained": answer.explained,
        "effect_unit": answer.effect_unit,
        "value": value_json(answer.value.as_ref()),
        "previous": value_json(answer.previous.as_ref()),
        "change": answer.change,
        "interval": pair(answer.change_interval),
        "p_value": answer.p_value,
        "mix": answer.mix,
        "rate": answer.rate,
        "culprits": answer.culprits.iter().map(culprit_json).collect::<Vec<_>>(),
    })
}

/// A culprit for machines.
pub fn culprit_json(it: &Culprit) -> serde_json::Value {
    let slice: serde_json::Map<_, _> = (it.slice.iter())
        .map(|condition| (condition.dimension.clone(), json!(condition.value)))
        .collect();
    json!({"slice": slice, "value": value_json(it.value.as_ref()), "previous": value_json(it.previous.as_ref()),
           "effect": it.effect, "interval": pair(it.interval), "p_value": it.p_value, "mix": it.mix, "rate": it.rate})
}

fn value_json(side: Option<&Value>) -> Option<serde_json::Value> {
    side.map(|it| json!({"value": it.value, "n": it.n}))
}

fn pair(interval: Option<Interval>) -> Option<[f64; 2]> {
    interval.map(|it| [it.lower, it.upper])
}
