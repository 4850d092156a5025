//! How the forecasts of rules are corrected: listed, and taken back.

use anyhow::Context;
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{
    Correction, CorrectionOutcome, CorrectionState, ListCorrectionsRequest, RevertCorrectionRequest,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::connection::refused;
use crate::findings::instant;
use crate::impact::json::{estimate, some};
use crate::output::{self, Output, say, table};
use crate::tickets::exact;

/// Corrections a page.
const PAGE: u32 = 200;

/// Prints every correction there was.
pub async fn list(mut client: TrackerServiceClient<Channel>, output: Output) -> anyhow::Result<()> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListCorrectionsRequest {
            page_size: PAGE,
            page_token,
            ..ListCorrectionsRequest::default()
        };
        let page = client
            .list_corrections(request)
            .await
            .map_err(refused)?
            .into_inner();
        all.extend(page.corrections);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    match output {
        Output::Json => output::json(&all.iter().map(as_json).collect::<Vec<_>>()),
        Output::Table if all.is_empty() => {
            say("No rule's forecasts were ever corrected.");
            Ok(())
        }
        Output::Table => {
            say(text(&all));
            Ok(())
        }
    }
}

/// Takes a correction back.
pub async fn revert(
    mut client: TrackerServiceClient<Channel>,
    correction_id: &str,
    actor: &str,
    reason: String,
    output: Output,
) -> anyhow::Result<()> {
    let request = RevertCorrectionRequest {
        correction_id: correction_id.to_owned(),
        actor: actor.to_owned(),
        reason,
    };
    let answer = client.revert_correction(request).await.map_err(refused)?;
    let reverted = answer
        .into_inner()
        .correction
        .context("the answer holds no correction")?;
    match output {
        Output::Json => output::json(&as_json(&reverted)),
        Output::Table => {
            say(format_args!(
                "{} reverted: later analyses forecast what {} itself says",
                reverted.correction_id, reverted.rule
            ));
            Ok(())
        }
    }
}

/// Corrections as a table.
pub fn text(corrections: &[Correction]) -> String {
    let row = |it: &Correction| {
        let ratio = it.ratio.unwrap_or_default();
        let ends = ratio
            .interval
            .map(|it| format!(" ({:.2} … {:.2})", it.lower, it.upper));
        let ended = match it.ender.as_str() {
            "" => String::new(),
            ender => format!(" by {ender}: {}", it.end_reason),
        };
        vec![
            it.correction_id.clone(),
            it.rule.clone(),
            format!("× {:.2}", it.factor),
            format!("± {:.0} %", it.widening * 100.0),
            format!("{:.2}{}", ratio.value, ends.unwrap_or_default()),
            it.outcomes.len().to_string(),
            instant(it.learn_time).unwrap_or_default(),
            format!("{}{ended}", word(it.state())),
        ]
    };
    let header = [
        "correction",
        "rule",
        "factor",
        "widened by",
        "measured over forecast",
        "outcomes",
        "learned",
        "state",
    ];
    let listed = table(&header, 2, corrections.iter().map(row));
    format!(
        "{listed}\nfactor: what the rule's forecasts are multiplied by; measured over forecast, drawn towards 1\n\
         widened by: standard deviation added to intervals, in shares of the rule's own forecast\n\
         `kaizen calibration --revert ID --reason TEXT` takes one back"
    )
}

const fn word(state: CorrectionState) -> &'static str {
    match state {
        CorrectionState::Active => "active",
        CorrectionState::Superseded => "superseded",
        CorrectionState::Reverted => "reverted",
        CorrectionState::Unspecified => "",
    }
}

/// A correction for machines.
pub fn as_json(it: &Correction) -> Value {
    let outcome = |it: &CorrectionOutcome| {
        json!({"ticket_id": it.ticket_id, "change_time": exact(it.change_time), "measurement_id": it.measurement_id,
               "forecast": estimate(it.forecast.as_ref()), "measured": estimate(it.measured.as_ref())})
    };
    json!({
        "id": it.correction_id, "rule": it.rule, "state": word(it.state()), "factor": it.factor, "widening": it.widening,
        "ratio": estimate(it.ratio.as_ref()), "p_value": it.p_value, "share": it.share,
        "outcomes": it.outcomes.iter().map(outcome).collect::<Vec<_>>(), "learned_at": exact(it.learn_time),
        "learned_by": it.learner, "ended_at": it.end_time.map(|it| exact(Some(it))), "ended_by": some(&it.ender),
        "reason": some(&it.end_reason),
    })
}
