//! `kaizen calibration`: how forecasts came true.

use clap::Args;
use kaizen_api::analysis::v1::Estimate;
use kaizen_api::tracker::v1::{
    Calibration as Calibrated, Forecast, GetCalibrationRequest, GetCalibrationResponse,
};
use serde_json::{Value, json};

use crate::connection::{Connection, refused};
use crate::impact::json::{estimate, some};
use crate::impact::words;
use crate::output::{self, Output, say, table};

/// Nothing is to be said about it.
#[derive(Debug, Args)]
pub struct Calibration {}

/// Prints how forecasts came true.
pub async fn run(
    Calibration {}: &Calibration,
    connection: &Connection,
    output: Output,
) -> anyhow::Result<()> {
    let mut client = connection.tracker().await?;
    let answer = client.get_calibration(GetCalibrationRequest {}).await;
    let answer = answer.map_err(refused)?.into_inner();
    match output {
        Output::Json => output::json(&as_json(&answer)),
        Output::Table if answer.forecasts.is_empty() => {
            say("No forecast has a measured outcome yet.");
            Ok(())
        }
        Output::Table => {
            say(text(&answer));
            Ok(())
        }
    }
}

fn text(answer: &GetCalibrationResponse) -> String {
    let kind = |it: &Calibrated| {
        vec![
            it.name.clone(),
            it.forecasts.to_string(),
            percent(it.coverage),
            it.brier.map_or_else(|| "–".to_owned(), |it| format!("{it:.3}")),
            it.realised.map_or_else(|| "–".to_owned(), percent),
            format!("{:+.2}", it.bias),
        ]
    };
    let header = [
        "forecasts of",
        "forecasts",
        "covered",
        "Brier",
        "realised",
        "bias",
    ];
    let summary = table(&header, 1, answer.calibrations.iter().map(kind));
    let forecast = |it: &Forecast| {
        vec![
            it.ticket_id.clone(),
            it.rule.clone(),
            range(it.forecast),
            range(it.measured),
            if it.covered { "yes" } else { "no" }.to_owned(),
            format!("{:.2}", it.probability),
            words::verdict(it.verdict()).to_owned(),
        ]
    };
    let header = [
        "ticket",
        "rule",
        "forecast a week",
        "measured a week",
        "covered",
        "P(better)",
        "verdict",
    ];
    let forecasts = table(&header, 2, answer.forecasts.iter().map(forecast));
    format!(
        "{summary}\ncovered: forecast and measurement agree within their errors; 95 % is aimed at\n\
         Brier: mean square of probability less outcome; 0 is best, 0.25 is what a coin has\n\
         realised: sum of what was measured over sum of what was forecast\n\
         bias: mean of measured less forecast, in standard errors; below 0 is forecast too high\n\n{forecasts}"
    )
}

/** To the whole percent; what is rounded to zero has no sign. */
fn percent(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).round() + 0.0)
}

fn range(of: Option<Estimate>) -> String {
    let of = of.unwrap_or_default();
    let ends = of
        .interval
        .map(|it| format!(" ({:+.1} … {:+.1})", it.lower, it.upper));
    format!("{:+.1}{}", of.value, ends.unwrap_or_default())
}

fn as_json(answer: &GetCalibrationResponse) -> Value {
    let calibration = |it: &Calibrated| {
        json!({"name": it.name, "forecasts": it.forecasts, "coverage": it.coverage, "brier": it.brier,
               "realised": it.realised, "bias": it.bias})
    };
    let forecast = |it: &Forecast| {
        json!({"ticket_id": it.ticket_id, "rule": some(&it.rule), "category": some(&it.category),
               "forecast": estimate(it.forecast.as_ref()), "measured": estimate(it.measured.as_ref()),
               "covered": it.covered, "probability": it.probability, "verdict": words::name(it.verdict())})
    };
    json!({
        "calibrations": answer.calibrations.iter().map(calibration).collect::<Vec<_>>(),
        "forecasts": answer.forecasts.iter().map(forecast).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn what_is_rounded_to_zero_has_no_sign() {
        assert_eq!([-0.002, 0.664, -0.42].map(percent), ["0 %", "66 %", "-42 %"]);
    }
}
