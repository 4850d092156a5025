//! `kaizen reliability`: what came of decisions, by what was stated of them.

use clap::Args;
use kaizen_api::analysis::v1::{
    GetReliabilityRequest, GetReliabilityResponse, Interval, ReliabilityCurve, ReliabilityLevel,
};
use kaizen_api::time::window_to_wire;
use serde_json::{Value, json};

use crate::connection::{Connection, refused};
use crate::metrics::time;
use crate::output::{self, Output, count, say, table, value};

/// What to ask.
#[derive(Debug, Args)]
pub struct Reliability {
    /// Component of the catalogue
    #[arg(value_name = "COMPONENT")]
    component: String,
    /// First instant: a date, or a time in RFC 3339
    #[arg(long, value_name = "TIME")]
    from: String,
    /// First instant after the window
    #[arg(long, value_name = "TIME")]
    to: String,
    /// Time zone of dates
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
}

/// Runs it.
pub async fn run(asked: &Reliability, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let at = |text: &str| time(text, &asked.time_zone);
    let request = GetReliabilityRequest {
        component: asked.component.clone(),
        window: Some(window_to_wire(at(&asked.from)?, at(&asked.to)?)),
    };
    let answer = connection.metrics().await?.get_reliability(request).await;
    let answer = answer.map_err(refused)?.into_inner();
    match output {
        Output::Json => output::json(&as_json(&answer)),
        Output::Table => {
            say(told(&answer));
            Ok(())
        }
    }
}

fn told(answer: &GetReliabilityResponse) -> String {
    if answer.curves.is_empty() {
        return format!("Nothing was stated of the decisions of {}.", answer.component);
    }
    let curves: Vec<String> = answer.curves.iter().map(curve).collect();
    curves.join("\n")
}

fn curve(it: &ReliabilityCurve) -> String {
    let mut text = format!("Share of {} by {}", it.of, it.stated_by);
    if let Some(off) = it.expected_calibration_error {
        text += &format!(", on average {} off", value(Some(off), "ratio"));
    }
    if let Some(p_value) = it.p_value {
        text += &format!(" (p {p_value:.3})");
    }
    let row = |it: &ReliabilityLevel| {
        let Interval { lower, upper } = it.interval.unwrap_or_default();
        let percent = |share: f64| value(Some(share), "ratio");
        vec![
            it.stated.clone(),
            percent(it.observed),
            format!("{} to {}", percent(lower), percent(upper)),
            count(it.n),
        ]
    };
    let header = [it.stated_by.as_str(), "share", "95 % interval", "n"];
    format!("{text}:\n{}\n", table(&header, 1, it.levels.iter().map(row)))
}

fn as_json(answer: &GetReliabilityResponse) -> Value {
    let level = |it: &ReliabilityLevel| {
        let Interval { lower, upper } = it.interval.unwrap_or_default();
        json!({"stated": it.stated, "mean_stated": it.mean_stated, "observed": it.observed,
               "interval": [lower, upper], "n": it.n})
    };
    let curve = |it: &ReliabilityCurve| {
        json!({"stated_by": it.stated_by, "of": it.of, "expected_calibration_error": it.expected_calibration_error,
               "p_value": it.p_value, "levels": it.levels.iter().map(level).collect::<Vec<_>>()})
    };
    json!({"component": answer.component, "curves": answer.curves.iter().map(curve).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_told_with_shares_intervals_and_counts() {
        let level = |stated: &str, share: f64, n: u64| ReliabilityLevel {
            stated: stated.to_owned(),
            mean_stated: None,
            observed: share,
            interval: Some(Interval {
                lower: share - 0.1,
                upper: share + 0.1,
            }),
            n,
        };
        let mut answer = GetReliabilityResponse {
            component: "lead_enrichment".to_owned(),
            ..GetReliabilityResponse::default()
        };
        assert_eq!(
            told(&answer),
            "Nothing was stated of the decisions of lead_enrichment."
        );
        answer.curves.push(ReliabilityCurve {
            stated_by: "quality_score".to_owned(),
            of: "success_indicator".to_owned(),
            levels: vec![level("90 to 100", 0.75, 1_200), level("0 to 10", 0.25, 7)],
            expected_calibration_error: Some(0.0312),
            p_value: Some(0.0004),
        });
        let told = told(&answer);
        for part in [
            "Share of success_indicator by quality_score",
            "90 to 100",
            "1,200",
            "p 0.000",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let json = as_json(&answer);
        assert_eq!(json["curves"][0]["levels"][1]["stated"], "0 to 10");
        assert_eq!(json["curves"][0]["levels"][0]["n"], 1_200);
    }
}
