//! `kaizen calibration`: how forecasts came true, and how they are corrected since.

mod corrections;

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

/// What of it is shown, or done.
#[derive(Debug, Args)]
pub struct Calibration {
    /// List every correction of forecasts there was, the one learned last first
    #[arg(long, conflicts_with = "revert")]
    corrections: bool,
    /// Take a correction back, such as C-3: later analyses forecast as the rule itself does
    #[arg(long, value_name = "ID", requires = "reason")]
    revert: Option<String>,
    /// Why it is taken back
    #[arg(long, requires = "revert")]
    reason: Option<String>,
    /// Who takes it back
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
}

/// Prints how forecasts came true and how they are corrected, or takes a correction back.
pub async fn run(calibration: &Calibration, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let mut client = connection.tracker().await?;
    if let Some(id) = &calibration.revert {
        let reason = calibration.reason.clone().unwrap_or_default();
        return corrections::revert(client, id, &calibration.actor, reason, output).await;
    }
    if calibration.corrections {
        return corrections::list(client, output).await;
    }
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
    let corrected = match answer.corrections.as_slice() {
        [] => "No rule's forecasts are corrected.".to_owned(),
        active => corrections::text(active),
    };
    format!(
        "{summary}\ncovered: forecast and measurement agree within their errors; 95 % is aimed at\n\
         Brier: mean square of probability less outcome; 0 is best, 0.25 is what a coin has\n\
         realised: sum of what was measured over sum of what was forecast\n\
         bias: mean of measured less forecast, in standard errors; below 0 is forecast too high\n\n{forecasts}\n\n{corrected}"
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
               "covered": it.covered, "probability": it.probability, "verdict": words::name(it.verdict()),
               "correction_id": some(&it.correction_id), "uncorrected": estimate(it.uncorrected.as_ref())})
    };
    json!({
        "calibrations": answer.calibrations.iter().map(calibration).collect::<Vec<_>>(),
        "forecasts": answer.forecasts.iter().map(forecast).collect::<Vec<_>>(),
        "corrections": answer.corrections.iter().map(corrections::as_json).collect::<Vec<_>>(),
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
