//! What becomes of what was implemented: the fleet goes on, one fault mended, one not, and each ticket gets its verdict.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::{Estimate, ListRecommendationsRequest};
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{
    GetCalibrationRequest, GetCumulativeRoiRequest, GetRoiRequest, GetTicketRequest, Impact, ImpactVerdict,
    ListMeasurementsRequest, MeasureImpactRequest, Ticket, TicketState,
};
use kaizen_testkit::{Sandbox, eventually};
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Channel;

use super::Planted;
use crate::client::analyses;

const SCENARIO: &str = "config/scenarios/fleet-mended.yaml";
/// The end of the scenario's fault.
const MENDED: &str = "2026-03-16T00:00:00Z";
const SOON: Duration = Duration::from_secs(120);

type Client = TrackerServiceClient<Channel>;

/// Lets the fleet go on and implements two tickets, of which one changes something.
pub async fn what_was_mended_is_verified_and_what_was_not_is_not(sandbox: &Sandbox) -> Result<()> {
    let planted = the_fleet_goes_on(sandbox).await?;
    let mut client = TrackerServiceClient::connect(sandbox.reporting().url()).await?;
    let mended = implemented(sandbox, "lead_enrichment.success_rate").await?;
    let unmended = implemented(sandbox, "ai_message_generation.approval_rate").await?;
    let ticket = judged(&mut client, &mended).await?;
    assert_eq!(ticket.state(), TicketState::Verified, "{ticket:?}");
    the_effect_is_the_planted_one(&mut client, &mended, &planted).await?;
    the_measurements_are_kept(&mut client, &mended).await?;
    what_it_returned_is_told_when_its_worth_is_known(&mut client, &mended, &planted).await?;
    let ticket = judged(&mut client, &unmended).await?;
    ensure!(
        matches!(ticket.state(), TicketState::NoEffect | TicketState::Inconclusive),
        "nothing was mended: {ticket:?}"
    );
    forecasts_are_compared_with_what_came(&mut client, &mended).await?;
    what_is_not_implemented_is_not_measured(&mut client).await
}

async fn the_fleet_goes_on(sandbox: &Sandbox) -> Result<Planted> {
    let folder = TempDir::new()?;
    let file = folder.path().join("truth.json");
    let truth = file.to_str().context("a path in UTF-8")?;
    let run = [
        "simulate",
        "--scenario",
        SCENARIO,
        "--seed",
        "9",
        "--topic",
        "kaizen.decisions.backfill",
        "--truth",
        truth,
    ];
    sandbox.kaizen(&run).await?;
    let truth: super::Truth = serde_json::from_slice(&std::fs::read(&file)?)?;
    let planted = truth
        .faults
        .into_iter()
        .find(|it| it.metric == "lead_enrichment.success_rate");
    planted.map(|it| it.size).context("the planted fault")
}

/// Accepts the recommendation about a metric's slice and implements its ticket when the fault ends.
async fn implemented(sandbox: &Sandbox, metric: &str) -> Result<String> {
    let request = ListRecommendationsRequest {
        show_dismissed: true,
        ..ListRecommendationsRequest::default()
    };
    let all = analyses(sandbox)
        .await?
        .list_recommendations(request)
        .await?
        .into_inner();
    let found = (all.recommendations.iter()).find(|it| it.metric == metric && it.rule == "slice_regression");
    let id = &found
        .with_context(|| format!("no recommendation about {metric}"))?
        .recommendation_id;
    let said = sandbox
        .kaizen(&["recommendations", "accept", id, "--ticket", "--actor", "anna"])
        .await?;
    let ticket = (said.split_whitespace()).find(|word| word.starts_with("T-"));
    let ticket = ticket.with_context(|| format!("no ticket in {said}"))?.to_owned();
    sandbox.kaizen(&["tickets", "start", &ticket]).await?;
    sandbox
        .kaizen(&["tickets", "implement", &ticket, "--at", MENDED])
        .await?;
    Ok(ticket)
}

/// The ticket once it has a verdict, which nobody gave it.
async fn judged(client: &mut Client, id: &str) -> Result<Ticket> {
    eventually("the ticket has a verdict", SOON, async || {
        let request = GetTicketRequest { ticket_id: id.into() };
        let ticket = client.clone().get_ticket(request).await?.into_inner().ticket;
        let ticket = ticket.context("a ticket")?;
        let is_open = matches!(ticket.state(), TicketState::Implemented | TicketState::Measuring);
        ensure!(!is_open, "{:?}", ticket.state());
        Ok(ticket)
    })
    .await
}

async fn the_effect_is_the_planted_one(client: &mut Client, id: &str, planted: &Planted) -> Result<()> {
    let request = MeasureImpactRequest {
        ticket_id: id.into(),
        measurement_period_days: 28,
    };
    let impact = client.measure_impact(request).await?.into_inner().impact;
    let impact = impact.context("an impact")?;
    assert_eq!(impact.verdict(), ImpactVerdict::Improved, "{}", impact.summary);
    let effect = impact.effect.as_ref().context("an effect")?;
    ensure!(
        holds(effect, -planted.absolute)?,
        "{} is not in {effect:?}",
        -planted.absolute
    );
    assert_eq!(impact.method, "control_regression", "{:?}", impact.rungs);
    ensure!(
        impact
            .controls
            .iter()
            .any(|it| it.name == "method_used = registry_lookup" && it.weight.is_some()),
        "{:?}",
        impact.controls
    );
    assert_eq!(impact.days.len(), 63 + 28);
    let raised = impact
        .days
        .iter()
        .filter(|day| day.left_out.contains("raised"))
        .count();
    assert_eq!(
        raised, 7,
        "the week that raised the recommendation is no baseline"
    );
    // They are measured beside the same controls
    ensure!(
        (impact.guardrails.iter()).any(|it| it.effect.is_some() && it.method == "control_regression"),
        "{:?}",
        impact.guardrails
    );
    the_record_of_numbers_says_the_same(&impact)
}

fn the_record_of_numbers_says_the_same(impact: &Impact) -> Result<()> {
    let metrics = impact.metrics.as_ref().context("the record")?;
    let name = "lead_enrichment.success_rate";
    assert_eq!(metrics.before_metrics.get(name), Some(&impact.mean_before));
    assert_eq!(metrics.after_metrics.get(name), Some(&impact.mean_after));
    let effect = impact.effect.as_ref().context("an effect")?.value;
    let percent = metrics
        .improvement_percentage
        .get(name)
        .context("the improvement")?;
    ensure!(
        (percent - effect / impact.mean_before * 100.0).abs() < 1e-9,
        "{percent}"
    );
    assert_eq!(metrics.measurement_period_days, 28);
    let confidence = impact.confidence.as_ref().context("the confidence")?;
    let product = confidence.method * confidence.information * confidence.present * confidence.placebo;
    ensure!(
        (metrics.measurement_confidence - product).abs() < 1e-9,
        "{confidence:?}"
    );
    Ok(())
}

async fn the_measurements_are_kept(client: &mut Client, id: &str) -> Result<()> {
    let request = ListMeasurementsRequest { ticket_id: id.into() };
    let kept = client.list_measurements(request).await?.into_inner().measurements;
    assert_eq!(kept.iter().map(|it| it.day).collect::<Vec<_>>(), [7, 14, 28]);
    for it in &kept {
        let impact = it.impact.as_ref().with_context(|| it.unmeasurable.clone())?;
        assert_eq!(impact.days.len(), 63 + it.day as usize);
    }
    Ok(())
}

async fn what_it_returned_is_told_when_its_worth_is_known(
    client: &mut Client,
    id: &str,
    planted: &Planted,
) -> Result<()> {
    let unknown = client
        .get_roi(GetRoiRequest {
            ticket_id: id.into(),
            ..GetRoiRequest::default()
        })
        .await?
        .into_inner();
    ensure!(
        unknown.roi.is_none() && unknown.not_computed.contains("worth"),
        "{unknown:?}"
    );
    let known = GetRoiRequest {
        ticket_id: id.into(),
        days: 28.0,
        hours: Some(10.0),
        unit_value: Some(1.5),
    };
    let found = client.get_roi(known).await?.into_inner();
    let roi = found.roi.context(found.not_computed)?;
    assert_eq!(roi.cost, 10.0 * roi.hourly_rate);
    let truth = -planted.absolute * roi.volume * 1.5 - roi.cost;
    let net = roi.net.as_ref().context("net")?;
    ensure!(holds(net, truth)?, "{truth} is not in {net:?}");
    assert_eq!(roi.gain, Some(true), "{roi:?}");
    let all = client
        .get_cumulative_roi(GetCumulativeRoiRequest::default())
        .await?
        .into_inner();
    let mine = all
        .contributions
        .iter()
        .find(|it| it.ticket_id == id)
        .context("its contribution")?;
    ensure!(
        mine.net.is_none() && mine.not_computed.contains("worth"),
        "{mine:?}"
    );
    assert_eq!(
        all.total.context("a total")?.tickets,
        0,
        "a missing value is no zero"
    );
    Ok(())
}

async fn forecasts_are_compared_with_what_came(client: &mut Client, id: &str) -> Result<()> {
    let found = client
        .get_calibration(GetCalibrationRequest {})
        .await?
        .into_inner();
    let forecast = found
        .forecasts
        .iter()
        .find(|it| it.ticket_id == id)
        .context("its forecast")?;
    let measured = forecast.measured.as_ref().context("measured")?;
    ensure!(
        measured.value > 0.0 && forecast.verdict() == ImpactVerdict::Improved,
        "{forecast:?}"
    );
    let all = found.calibrations.first().context("all of them")?;
    assert_eq!((all.name.as_str(), all.forecasts), ("all", 2));
    ensure!(all.brier.is_some() && all.realised.is_some(), "{all:?}");
    Ok(())
}

async fn what_is_not_implemented_is_not_measured(client: &mut Client) -> Result<()> {
    let request = MeasureImpactRequest {
        ticket_id: "T-2".into(),
        ..MeasureImpactRequest::default()
    };
    let refused = client
        .measure_impact(request)
        .await
        .err()
        .context("it was measured")?;
    assert_eq!(refused.code(), Code::FailedPrecondition);
    ensure!(
        refused.message().starts_with("the ticket is not implemented"),
        "{refused:?}"
    );
    Ok(())
}

fn holds(estimate: &Estimate, truth: f64) -> Result<bool> {
    let interval = estimate.interval.as_ref().context("an interval")?;
    Ok(interval.lower <= truth && truth <= interval.upper)
}
