//! What the analysis recommends of the fleet, and what becomes of it when somebody decides.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::{ListRecommendationsRequest, Recommendation, RecommendationState};
use kaizen_testkit::Sandbox;

use super::Truth;
use super::explained::slice;
use crate::client::analyses;

/// Each planted fault is recommended to be mended, no other regression is told, and what is dismissed stays so.
pub async fn the_faults_are_to_be_mended_and_decisions_are_remembered(
    sandbox: &Sandbox,
    truth: &Truth,
) -> Result<()> {
    let all = list(sandbox, false).await?;
    let regressions: BTreeSet<_> = (all.iter())
        .filter(|it| it.rule == "slice_regression")
        .map(|it| (it.metric.clone(), slice_of(it)))
        .collect();
    let planted: BTreeSet<_> = (truth.faults.iter())
        .map(|fault| (fault.metric.clone(), slice(fault)))
        .collect();
    assert_eq!(regressions, planted);
    for it in &all {
        ensure!(
            !it.action_items.is_empty() && !it.would_change.is_empty(),
            "{it:?}"
        );
        ensure!(
            ["slice_regression", "losing_group"].contains(&it.rule.as_str()),
            "nothing else happened: {it:?}"
        );
    }
    what_is_dismissed_stays_so(sandbox, &all).await
}

async fn what_is_dismissed_stays_so(sandbox: &Sandbox, all: &[Recommendation]) -> Result<()> {
    let first = all.first().context("a recommendation")?;
    let id = first.recommendation_id.as_str();
    let refused = sandbox.kaizen(&["recommendations", "dismiss", id]).await;
    ensure!(
        refused.is_err_and(|it| it.to_string().contains("reason")),
        "dismissed without a reason"
    );
    let reason = [
        "recommendations",
        "dismiss",
        id,
        "--reason",
        "known",
        "--actor",
        "somebody",
    ];
    sandbox.kaizen(&reason).await?;
    // Another run of the same week finds it again; it is the same one, and stays dismissed.
    sandbox.kaizen(&["analyze", "--request-id", "again"]).await?;
    ensure!(
        list(sandbox, false)
            .await?
            .iter()
            .all(|it| it.recommendation_id != id)
    );
    let found = list(sandbox, true).await?;
    ensure!(found.len() == all.len(), "{} of {}", found.len(), all.len());
    let dismissed = found
        .iter()
        .find(|it| it.recommendation_id == id)
        .context("the dismissed one")?;
    assert_eq!(dismissed.state(), RecommendationState::Dismissed);
    assert_eq!(
        (dismissed.state_reason.as_str(), dismissed.state_actor.as_str()),
        ("known", "somebody")
    );
    sandbox
        .kaizen(&["recommendations", "open", id, "--actor", "somebody"])
        .await?;
    assert_eq!(list(sandbox, false).await?.len(), all.len());
    let table = sandbox.kaizen(&["recommendations", "list"]).await?;
    ensure!(table.contains(&id[..8]), "{table}");
    let shown = sandbox.kaizen(&["recommendations", "show", id]).await?;
    ensure!(
        shown.contains(&first.title) && shown.contains(&first.would_change),
        "{shown}"
    );
    Ok(())
}

async fn list(sandbox: &Sandbox, show_dismissed: bool) -> Result<Vec<Recommendation>> {
    let request = ListRecommendationsRequest {
        show_dismissed,
        ..ListRecommendationsRequest::default()
    };
    let answer = analyses(sandbox).await?.list_recommendations(request).await?;
    Ok(answer.into_inner().recommendations)
}

fn slice_of(it: &Recommendation) -> BTreeMap<String, String> {
    let conditions = it.slice.iter();
    conditions
        .map(|condition| (condition.dimension.clone(), condition.value.clone()))
        .collect()
}
