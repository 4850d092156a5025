//! `kaizen trends`: which way every metric goes, since when, and what was unusual.

use clap::Args;
use kaizen_api::analysis::v1::{ListTrendsRequest, ListTrendsResponse, Trend, TrendDirection};
use serde_json::{Value, json};

use crate::connection::{Connection, refused};
use crate::findings;
use crate::output::{self, Output, count, say, table};

/// Which trends.
#[derive(Debug, Args)]
pub struct Trends {
    /// Analysis; the latest that succeeded when absent
    #[arg(long, default_value = "", value_name = "ID", hide_default_value = true)]
    analysis_id: String,
}

/// Lists them.
pub async fn run(trends: &Trends, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let request = ListTrendsRequest {
        analysis_id: trends.analysis_id.clone(),
    };
    let mut client = connection.readings().await?;
    let answer = client.list_trends(request).await.map_err(refused)?.into_inner();
    match output {
        Output::Json => output::json(&json!({
            "analysis_id": answer.analysis.as_ref().map(|it| &it.analysis_id),
            "trends": answer.trends.iter().map(as_json).collect::<Vec<_>>(),
            "findings": answer.findings.iter().map(findings::as_json).collect::<Vec<_>>(),
        })),
        Output::Table => {
            say(listing(&answer));
            Ok(())
        }
    }
}

fn listing(answer: &ListTrendsResponse) -> String {
    if answer.analysis.is_none() {
        return "There is no analysis yet: `kaizen analyze`.".to_owned();
    }
    let rows = answer.trends.iter().map(|it| {
        vec![
            it.metric.clone(),
            word(it.direction()).to_owned(),
            it.significance.clone(),
            findings::instant(it.onset_time).unwrap_or_default(),
            it.change_percent
                .map(|change| format!("{change:+.1} %"))
                .unwrap_or_default(),
            it.change_percent_interval
                .map(|ends| format!("{:+.1} to {:+.1} %", ends.lower, ends.upper))
                .unwrap_or_default(),
            it.slope
                .map(|slope| format!("{:+.3e}", slope.per_day))
                .unwrap_or_default(),
            count(it.n),
            it.coverage
                .map(|coverage| format!("{:.0} %", coverage * 100.0))
                .unwrap_or_default(),
        ]
    });
    let header = [
        "metric",
        "trend",
        "significance",
        "turned",
        "change",
        "95 % interval",
        "slope a day",
        "n",
        "coverage",
    ];
    table(&header, 4, rows) + &findings::sections(&answer.findings)
}

/// A direction for people.
pub const fn word(direction: TrendDirection) -> &'static str {
    match direction {
        TrendDirection::Improving => "improving",
        TrendDirection::Declining => "declining",
        TrendDirection::Stable => "stable",
        TrendDirection::InsufficientData => "too little data",
        TrendDirection::Unspecified => "",
    }
}

/// A trend as JSON.
pub fn as_json(trend: &Trend) -> Value {
    let ends = |interval: kaizen_api::analysis::v1::Interval| [interval.lower, interval.upper];
    let slope = trend.slope.map(|slope| {
        json!({"per_day": slope.per_day, "interval": slope.interval.map(ends), "p_value": slope.p_value,
               "since": findings::instant(slope.start_time), "days": slope.days})
    });
    json!({"metric": trend.metric, "direction": word(trend.direction()), "change_percent": trend.change_percent,
           "change_percent_interval": trend.change_percent_interval.map(ends), "p_value": trend.p_value,
           "significance": trend.significance, "method": trend.method, "slope": slope,
           "onset": findings::instant(trend.onset_time), "n": trend.n, "coverage": trend.coverage})
}
