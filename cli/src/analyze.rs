//! `kaizen analyze`: run the analysis and say what it found.

use anyhow::{Context, bail};
use clap::Args;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use kaizen_api::analysis::v1::cancel_analysis_request::Run;
use kaizen_api::analysis::v1::{
    Analysis, CancelAnalysisRequest, Culprit, ListMetricsRequest, MetricExplanation, MetricResult,
    RunAnalysisRequest, RunAnalysisResponse, Trend, TrendDirection,
};
use kaizen_api::time::{from_wire, window_to_wire};
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::Code;

use crate::connection::{Connection, refused};
use crate::explain::{culprit_json, ends, signed, slice};
use crate::findings::{self, instant, sections};
use crate::metrics::time;
use crate::output::{self, Output, count, say, table, value};
use crate::trends::{self, word};

/// What to analyse.
#[derive(Debug, Args)]
pub struct Analyze {
    /// First instant of the period: a date, or a time in RFC 3339; the last whole week with decisions when absent
    #[arg(long, value_name = "TIME", requires = "to")]
    from: Option<String>,
    /// First instant after the period
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
    /// Time zone of dates and weeks
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
    /// Identity of the request: the same one returns the same analysis; derived from the period when absent
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// End the run of this analysis or request instead: it has no results then
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to", "request_id"])]
    cancel: Option<String>,
    /// Why it is cancelled
    #[arg(long, default_value = "", hide_default_value = true, requires = "cancel")]
    reason: String,
    /// Who cancels it
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
}

/// Runs it.
pub async fn run(analyze: &Analyze, connection: &Connection, output: Output) -> anyhow::Result<()> {
    if let Some(id) = &analyze.cancel {
        return cancel(analyze, id, connection, output).await;
    }
    let zone = analyze.time_zone.as_str();
    let (from, to) = match (&analyze.from, &analyze.to) {
        (Some(from), Some(to)) => (time(from, zone)?, time(to, zone)?),
        _ => last_week(connection, zone).await?,
    };
    let request = RunAnalysisRequest {
        request_id: analyze
            .request_id
            .clone()
            .unwrap_or_else(|| request_id(from, to, zone)),
        period: Some(window_to_wire(from, to)),
        time_zone: zone.to_owned(),
    };
    let id = request.request_id.clone();
    let mut client = connection.analyses().await?;
    let answer = tokio::select! {
        answer = client.run_analysis(request) => answer,
        pressed = tokio::signal::ctrl_c() => {
            pressed.context("Ctrl-C")?;
            bail!(left(analyze, from, to, &id));
        }
    };
    let answer = answer.map_err(refused)?.into_inner();
    match output {
        Output::Json => output::json(&as_json(&answer)),
        Output::Table => summary(&answer),
    }
}

/// What becomes of a run when whoever asked for it leaves.
fn left(analyze: &Analyze, from: Timestamp, to: Timestamp, id: &str) -> String {
    let named = analyze.request_id.as_ref();
    let named = named.map_or_else(String::new, |id| format!(" --request-id {id}"));
    let zone = &analyze.time_zone;
    format!(
        "the run goes on without you; its results: `kaizen analyze --from {from} --to {to} --time-zone {zone}{named}`, \
         its end: `kaizen analyze --cancel {id}`"
    )
}

async fn cancel(analyze: &Analyze, id: &str, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let mut client = connection.analyses().await?;
    let mut ask = async |run: Run| {
        let request = CancelAnalysisRequest {
            run: Some(run),
            actor: analyze.actor.clone(),
            reason: analyze.reason.clone(),
        };
        client.cancel_analysis(request).await
    };
    // An identity tells by itself only whether there is such a run.
    let answer = match ask(Run::AnalysisId(id.to_owned())).await {
        Err(status) if status.code() == Code::NotFound => ask(Run::RequestId(id.to_owned())).await,
        answer => answer,
    };
    let analysis = answer.map_err(refused)?.into_inner().analysis;
    let analysis = analysis.context("the answer has no analysis")?;
    let ended = analysis.cancellation.as_ref();
    match output {
        Output::Json => output::json(&json!({
            "analysis_id": analysis.analysis_id,
            "request_id": analysis.request_id,
            "cancelled": ended.map(|it| json!({"actor": it.actor, "reason": it.reason, "time": instant(it.cancel_time)})),
        })),
        Output::Table => {
            say(match ended {
                Some(it) => {
                    let at = instant(it.cancel_time).unwrap_or_default();
                    let why = if it.reason.is_empty() {
                        String::new()
                    } else {
                        format!(": {}", it.reason)
                    };
                    format!(
                        "{} was cancelled by {} at {at}{why}",
                        analysis.analysis_id, it.actor
                    )
                }
                None => format!(
                    "{} ends as soon as its process is heard of, or another one takes it up",
                    analysis.analysis_id
                ),
            });
            Ok(())
        }
    }
}

/// The same for the same period and zone, so that asking twice is running once.
fn request_id(from: Timestamp, to: Timestamp, zone: &str) -> String {
    let digest = Sha256::digest(format!("{from}/{to}/{zone}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The last week, Monday to Monday, that lies in the span of decisions.
async fn last_week(connection: &Connection, zone: &str) -> anyhow::Result<(Timestamp, Timestamp)> {
    let answer = connection
        .metrics()
        .await?
        .list_metrics(ListMetricsRequest::default())
        .await
        .map_err(refused)?;
    let span = answer
        .into_inner()
        .data_window
        .context("there are no decisions to analyse yet")?;
    let zone = TimeZone::get(zone).with_context(|| format!("{zone:?} is no time zone"))?;
    monday_to_monday(
        from_wire("data_window.end_time", span.end_time).map_err(refused)?,
        &zone,
    )
}

/// The week that ends at or last before `end`. An end within an hour of Monday counts as Monday: decisions are counted in
/// hours, and the last hour of a quiet Sunday may be empty.
fn monday_to_monday(end: Timestamp, zone: &TimeZone) -> anyhow::Result<(Timestamp, Timestamp)> {
    let end = (end + SignedDuration::from_hours(1)).to_zoned_datetime(zone.clone());
    let midnight = end.start_of_day()?;
    let back = midnight.weekday().since(Weekday::Monday);
    let monday = midnight.checked_sub(i64::from(back).days())?;
    Ok((monday.checked_sub(1.week())?.timestamp(), monday.timestamp()))
}

fn summary(answer: &RunAnalysisResponse) -> anyhow::Result<()> {
    let analysis = answer.analysis.as_ref().context("the answer has no analysis")?;
    say(headline(analysis)?);
    let mut rows = Vec::new();
    let mut component = "";
    for result in answer.results.iter().filter(|result| result.group.is_empty()) {
        let Some(metric) = &result.metric else { continue };
        if metric.component != component {
            component = &metric.component;
            rows.push(vec![metric.component_title.to_uppercase()]);
        }
        let trend = answer.trends.iter().find(|trend| trend.metric == metric.name);
        rows.push(line(result, &metric.title, &metric.unit, trend));
    }
    say(table(
        &["metric", "now", "before", "change", "trend", "n", "coverage"],
        1,
        rows,
    ));
    say(findings(answer));
    Ok(())
}

fn headline(analysis: &Analysis) -> anyhow::Result<String> {
    let period = analysis.period.context("the analysis has no period")?;
    let (from, to) = (
        from_wire("start_time", period.start_time),
        from_wire("end_time", period.end_time),
    );
    let (from, to) = (from.map_err(refused)?, to.map_err(refused)?);
    Ok(format!(
        "Executive summary, {from} to {to} ({})\n{} decisions, {} records rejected; compared with the period before. Analysis {}\n",
        analysis.time_zone,
        count(analysis.decisions),
        count(analysis.rejections),
        analysis.analysis_id,
    ))
}

fn line(result: &MetricResult, title: &str, unit: &str, trend: Option<&Trend>) -> Vec<String> {
    let (now, before) = (
        result.value.unwrap_or_default(),
        result.previous.unwrap_or_default(),
    );
    vec![
        format!("  {title}"),
        value(now.value, unit) + if now.thin { " (thin)" } else { "" },
        value(before.value, unit),
        result
            .relative_change
            .map(|change| format!("{:+.1} %", change * 100.0))
            .unwrap_or_default(),
        trend
            .map(|trend| word(trend.direction()).to_owned())
            .unwrap_or_default(),
        count(now.n),
        now.coverage
            .map(|coverage| format!("{:.0} %", coverage * 100.0))
            .unwrap_or_default(),
    ]
}

/// What a reader should know first: what got worse, then what got better, and the slices that made it so.
fn findings(answer: &RunAnalysisResponse) -> String {
    let mut text = String::new();
    for (direction, heading) in [
        (TrendDirection::Declining, "Got worse"),
        (TrendDirection::Improving, "Got better"),
    ] {
        let trends: Vec<_> = answer
            .trends
            .iter()
            .filter(|trend| trend.direction() == direction)
            .collect();
        if trends.is_empty() {
            text += &format!("\n{heading}: nothing that the data can tell from chance.\n");
            continue;
        }
        text += &format!("\n{heading}:\n");
        for trend in trends {
            text += &told(trend);
            text += &causes(answer, &trend.metric);
        }
    }
    text + &hidden(answer) + &sections(&answer.findings)
}

/// A trend in a line: by how much, since when, how sure.
fn told(trend: &Trend) -> String {
    let change = trend.change_percent.map(|change| format!(" {change:+.1} %"));
    let interval = trend.change_percent_interval;
    let interval =
        interval.map(|ends| format!(" (95 % interval {:+.1} to {:+.1} %)", ends.lower, ends.upper));
    let onset = instant(trend.onset_time).map(|onset| format!(" since {onset}"));
    let p = trend.p_value.map(|p| format!("p = {p:.2e}")).unwrap_or_default();
    format!(
        "  {}{}{}{}; {} significance, {p}, {}\n",
        trend.metric,
        change.unwrap_or_default(),
        interval.unwrap_or_default(),
        onset.unwrap_or_default(),
        trend.significance,
        trend.method
    )
}

/// The slices that made a metric change.
fn causes(answer: &RunAnalysisResponse, metric: &str) -> String {
    let Some(found) = answer.explanations.iter().find(|it| it.metric == metric) else {
        return String::new();
    };
    let unit = &found.effect_unit;
    let line = |culprit: &Culprit| {
        let of = |side: Option<&kaizen_api::analysis::v1::Value>| value(side.and_then(|it| it.value), unit);
        format!(
            "    {}: {} → {}, {} more than the rest ({}; n = {})\n",
            slice(&culprit.slice),
            of(culprit.previous.as_ref()),
            of(culprit.value.as_ref()),
            signed(culprit.effect, unit),
            ends(culprit.interval.as_ref(), unit),
            count(culprit.value.map_or(0, |it| it.n)),
        )
    };
    found.culprits.iter().map(line).collect()
}

/// Slices that changed otherwise than the rest, of metrics whose whole did not.
fn hidden(answer: &RunAnalysisResponse) -> String {
    let moved = |metric: &str| {
        let mut trends = answer.trends.iter();
        trends.any(|trend| {
            trend.metric == metric
                && matches!(
                    trend.direction(),
                    TrendDirection::Declining | TrendDirection::Improving
                )
        })
    };
    let of = |found: &MetricExplanation| {
        let causes = causes(answer, &found.metric);
        (!causes.is_empty() && !moved(&found.metric)).then(|| format!("  {}\n{causes}", found.metric))
    };
    let all: String = answer.explanations.iter().filter_map(of).collect();
    match all.as_str() {
        "" => String::new(),
        all => format!("\nChanged in some slices only:\n{all}"),
    }
}

fn as_json(answer: &RunAnalysisResponse) -> serde_json::Value {
    let analysis = answer.analysis.clone().unwrap_or_default();
    let of = |side: &Option<kaizen_api::analysis::v1::Value>| {
        side.as_ref()
            .map(|it| json!({"value": it.value, "n": it.n, "coverage": it.coverage, "thin": it.thin}))
    };
    let result = |result: &MetricResult| {
        json!({"metric": result.metric.as_ref().map(|metric| &metric.name), "group": result.group, "value": of(&result.value),
               "previous": of(&result.previous), "change": result.change, "relative_change": result.relative_change})
    };
    let explanation = |it: &MetricExplanation| {
        json!({"metric": it.metric, "explained": it.explained, "effect_unit": it.effect_unit, "change": it.change,
               "mix": it.mix, "rate": it.rate, "culprits": it.culprits.iter().map(culprit_json).collect::<Vec<_>>()})
    };
    json!({
        "analysis_id": analysis.analysis_id,
        "decisions": analysis.decisions,
        "rejections": analysis.rejections,
        "results": answer.results.iter().map(result).collect::<Vec<_>>(),
        "trends": answer.trends.iter().map(trends::as_json).collect::<Vec<_>>(),
        "explanations": answer.explanations.iter().map(explanation).collect::<Vec<_>>(),
        "findings": answer.findings.iter().map(findings::as_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_week_ends_on_the_monday_at_or_before_the_end() {
        let week = |end: &str, zone: &str| {
            let (from, to) = monday_to_monday(end.parse().unwrap(), &TimeZone::get(zone).unwrap()).unwrap();
            format!("{from} {to}")
        };
        let expected = "2026-02-23T00:00:00Z 2026-03-02T00:00:00Z";
        for end in [
            "2026-03-02T00:00:00Z",
            "2026-03-01T23:00:00Z",
            "2026-03-04T12:00:00Z",
            "2026-03-08T22:00:00Z",
        ] {
            assert_eq!(week(end, "UTC"), expected, "{end}");
        }
        assert_eq!(
            week("2026-03-30T00:00:00Z", "Europe/Berlin"),
            "2026-03-22T23:00:00Z 2026-03-29T22:00:00Z"
        );
    }
}
