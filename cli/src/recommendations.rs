//! `kaizen recommendations`: what to do, and what was decided about it.

mod evidence;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use kaizen_api::analysis::v1::{
    CorrectedForecast, DecideRecommendationRequest, Difficulty, Estimate, EstimatedImpact,
    ListRecommendationsRequest, ListRecommendationsResponse, Priority, Recommendation, RecommendationState,
    RoiEstimate,
};
use serde_json::json;

use crate::connection::{Connection, refused};
use crate::findings::instant;
use crate::output::{self, Output, note, say, table};
use crate::tickets;

/// What to do with recommendations.
#[derive(Debug, Subcommand)]
pub enum Recommendations {
    /// List what the latest analysis recommends, most urgent first
    List(List),
    /// Show one recommendation whole
    Show {
        /// Identity of the recommendation, or its beginning
        id: String,
    },
    /// Accept a recommendation: it will be done
    Accept {
        /// The decision.
        #[command(flatten)]
        decide: Decide,
        /// Create its ticket too, accepted
        #[arg(long)]
        ticket: bool,
    },
    /// Dismiss a recommendation: it will not be done, and later analyses keep it dismissed
    Dismiss(Decide),
    /// Open a recommendation again
    Open(Decide),
}

/// Which to list.
#[derive(Debug, Args)]
pub struct List {
    /// Analysis; the latest that succeeded when absent
    #[arg(long, default_value = "", value_name = "ID", hide_default_value = true)]
    analysis_id: String,
    /// Only of this category, such as message_generation
    #[arg(long, default_value = "", hide_default_value = true)]
    category: String,
    /// Also those that were dismissed
    #[arg(long)]
    all: bool,
}

/// A decision.
#[derive(Debug, Args)]
pub struct Decide {
    /// Identity of the recommendation, or its beginning
    id: String,
    /// Why; required to dismiss
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Who decides
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
}

/// Runs it.
pub async fn run(command: &Recommendations, connection: &Connection, output: Output) -> anyhow::Result<()> {
    match command {
        Recommendations::List(list) => {
            let request = ListRecommendationsRequest {
                analysis_id: list.analysis_id.clone(),
                category: list.category.clone(),
                show_dismissed: list.all,
            };
            let answer = ask(connection, request).await?;
            match output {
                Output::Json => output::json(&answer.recommendations.iter().map(as_json).collect::<Vec<_>>()),
                Output::Table => {
                    say(listing(&answer));
                    Ok(())
                }
            }
        }
        Recommendations::Show { id } => {
            let found = find(connection, id).await?;
            match output {
                Output::Json => output::json(&as_json(&found)),
                Output::Table => {
                    say(whole(&found, &connection.reporting));
                    Ok(())
                }
            }
        }
        Recommendations::Accept { decide, ticket } => accepted(connection, decide, *ticket).await,
        Recommendations::Dismiss(decide) => decided(connection, decide, RecommendationState::Dismissed)
            .await
            .map(drop),
        Recommendations::Open(decide) => decided(connection, decide, RecommendationState::Open)
            .await
            .map(drop),
    }
}

async fn ask(
    connection: &Connection,
    request: ListRecommendationsRequest,
) -> anyhow::Result<ListRecommendationsResponse> {
    let mut client = connection.readings().await?;
    Ok(client
        .list_recommendations(request)
        .await
        .map_err(refused)?
        .into_inner())
}

async fn find(connection: &Connection, id: &str) -> anyhow::Result<Recommendation> {
    let request = ListRecommendationsRequest {
        show_dismissed: true,
        ..ListRecommendationsRequest::default()
    };
    let mut found = ask(connection, request).await?.recommendations;
    found.retain(|it| it.recommendation_id.starts_with(id));
    ensure!(
        found.len() < 2,
        "{} recommendations of the latest analysis begin with {id:?}",
        found.len()
    );
    found
        .pop()
        .with_context(|| format!("no recommendation of the latest analysis begins with {id:?}"))
}

async fn accepted(connection: &Connection, decide: &Decide, ticket: bool) -> anyhow::Result<()> {
    let found = decided(connection, decide, RecommendationState::Accepted).await?;
    let id = found.recommendation_id;
    if !ticket {
        note(format_args!(
            "Its ticket: `kaizen tickets create --recommendation {id}`"
        ));
        return Ok(());
    }
    let created = tickets::accepted(id, &decide.actor, &decide.reason, connection).await?;
    say(tickets::line(&created));
    Ok(())
}

async fn decided(
    connection: &Connection,
    decide: &Decide,
    state: RecommendationState,
) -> anyhow::Result<Recommendation> {
    let found = find(connection, &decide.id).await?;
    let request = DecideRecommendationRequest {
        recommendation_id: found.recommendation_id.clone(),
        state: state.into(),
        reason: decide.reason.clone(),
        actor: decide.actor.clone(),
    };
    let mut client = connection.analyses().await?;
    client.decide_recommendation(request).await.map_err(refused)?;
    say(format_args!("{}: {}", word(state), found.title));
    Ok(found)
}

/// The recommendations as a table.
pub fn listing(answer: &ListRecommendationsResponse) -> String {
    if answer.analysis.is_none() {
        return "There is no analysis yet: `kaizen analyze`.".to_owned();
    }
    if answer.recommendations.is_empty() {
        return "Nothing to recommend.".to_owned();
    }
    let row = |it: &Recommendation| {
        vec![
            it.recommendation_id.chars().take(8).collect(),
            priority(it).to_owned(),
            it.title.clone(),
            word(it.state()).to_owned(),
            it.estimated_impact.as_ref().map(improvement).unwrap_or_default(),
            it.roi.as_ref().map_or_else(|| "not computed".to_owned(), roi),
            format!("{:.0} h", it.effort_hours),
            format!("{:.0} %", it.certainty * 100.0),
        ]
    };
    let header = [
        "id",
        "priority",
        "what",
        "state",
        "improvement",
        "return",
        "effort",
        "certainty",
    ];
    table(&header, 4, answer.recommendations.iter().map(row))
}

fn whole(it: &Recommendation, dashboard: &str) -> String {
    let mut text = format!("{} {}\n{}\n\n", priority(it), it.title, it.description);
    for (number, item) in it.action_items.iter().enumerate() {
        text += &format!("  {}. {item}\n", number + 1);
    }
    text += &format!(
        "\neffort       {:.0} h, {}\ncertainty    {:.0} %\n",
        it.effort_hours,
        difficulty(it.difficulty()),
        it.certainty * 100.0
    );
    if let Some(impact) = &it.estimated_impact {
        let per_week = impact
            .per_week
            .as_ref()
            .map(|it| range(it, ""))
            .unwrap_or_default();
        text += &format!(
            "improvement  {} of {}; a week {per_week}\n",
            improvement(impact),
            it.metric
        );
    }
    text += &match &it.roi {
        Some(found) => format!("return       {}\n", roi(found)),
        None => format!(
            "return       not computed: the catalogue does not say what {} is worth\n",
            it.metric
        ),
    };
    if let Some(corrected) = &it.corrected {
        text += &format!(
            "corrected    by {}: forecasts of {} are multiplied by {:.2}, as earlier ones came true; {}\n",
            corrected.correction_id,
            it.rule,
            corrected.factor,
            uncorrected(corrected)
        );
    }
    text += &format!("priority     would be {}\n", it.would_change);
    if let Some(found) = &it.evidence {
        text += &evidence::lines(found, dashboard);
    }
    for change in &it.candidates {
        text += &format!(
            "candidate    {} of {} to {} {}\n",
            change.kind, change.component, change.version, change.link
        );
    }
    text += &format!(
        "state        {}\n",
        stands(it.state(), &it.state_reason, &it.state_actor)
    );
    for change in &it.history {
        let at = instant(change.change_time).unwrap_or_default();
        let stood = stands(change.state(), &change.reason, &change.actor);
        text += &format!("  {at}  {stood}\n");
    }
    text += &format!("rule         {}\nid           {}", it.rule, it.recommendation_id);
    text
}

/// What the rule itself says.
fn uncorrected(it: &CorrectedForecast) -> String {
    let impact = it.estimated_impact.as_ref();
    let impact = impact.map(|it| format!("itself the rule says {}", improvement(it)));
    let parts = [
        impact.unwrap_or_default(),
        it.roi.as_ref().map(roi).unwrap_or_default(),
        word_of_priority(it.priority()).to_owned(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    parts.join(", ")
}

/// Where it stands, by whom and why.
fn stands(state: RecommendationState, reason: &str, actor: &str) -> String {
    let by = match actor {
        "" => String::new(),
        actor => format!(" by {actor}"),
    };
    let why = match reason {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{}{by}{why}", word(state))
}

fn priority(it: &Recommendation) -> &'static str {
    word_of_priority(it.priority())
}

const fn word_of_priority(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "HIGH",
        Priority::Medium => "MEDIUM",
        Priority::Low => "LOW",
        Priority::Unspecified => "",
    }
}

const fn difficulty(difficulty: Difficulty) -> &'static str {
    match difficulty {
        Difficulty::Easy => "easy",
        Difficulty::Medium => "medium",
        Difficulty::Hard => "hard",
        Difficulty::Unspecified => "",
    }
}

const fn word(state: RecommendationState) -> &'static str {
    match state {
        RecommendationState::Accepted => "accepted",
        RecommendationState::Dismissed => "dismissed",
        RecommendationState::Reopened => "reopened",
        RecommendationState::Closed => "closed",
        RecommendationState::Gone => "gone",
        RecommendationState::Open | RecommendationState::Unspecified => "open",
    }
}

/// The improvement a recommendation forecasts, in percent.
pub fn improvement(impact: &EstimatedImpact) -> String {
    impact
        .improvement_percent
        .map(|it| format!("{it:+.1} %"))
        .unwrap_or_default()
}

fn roi(found: &RoiEstimate) -> String {
    let net = found.roi.as_ref().map(|it| it.value * 100.0).unwrap_or_default();
    format!(
        "{net:+.0} % in {:.0} weeks, P(> 0) = {:.2}",
        found.horizon_weeks, found.probability_above_zero
    )
}

fn range(estimate: &Estimate, unit: &str) -> String {
    let ends = estimate
        .interval
        .map(|it| format!(" ({:.1} … {:.1}{unit})", it.lower, it.upper));
    format!("{:+.1}{unit}{}", estimate.value, ends.unwrap_or_default())
}

fn estimate_as_json(it: Option<&Estimate>) -> Option<serde_json::Value> {
    it.map(|it| json!({"value": it.value, "interval": it.interval.map(|it| [it.lower, it.upper])}))
}

fn impact_as_json(it: &EstimatedImpact) -> serde_json::Value {
    json!({"per_week": estimate_as_json(it.per_week.as_ref()), "improvement": estimate_as_json(it.improvement.as_ref()),
           "improvement_percent": it.improvement_percent})
}

fn roi_as_json(it: &RoiEstimate) -> serde_json::Value {
    json!({"currency": it.currency, "horizon_weeks": it.horizon_weeks, "benefit": estimate_as_json(it.benefit.as_ref()),
           "cost": it.cost, "roi": estimate_as_json(it.roi.as_ref()), "probability_above_zero": it.probability_above_zero})
}

/// A recommendation for machines.
pub fn as_json(it: &Recommendation) -> serde_json::Value {
    let slice: serde_json::Map<_, _> = it
        .slice
        .iter()
        .map(|it| (it.dimension.clone(), json!(it.value)))
        .collect();
    json!({
        "id": it.recommendation_id, "rule": it.rule, "category": it.category, "component": it.component, "metric": it.metric,
        "slice": slice, "priority": priority(it), "title": it.title, "description": it.description,
        "action_items": it.action_items, "difficulty": difficulty(it.difficulty()), "effort_hours": it.effort_hours,
        "evidence": it.evidence.as_ref().map(evidence::as_json),
        "estimated_impact": it.estimated_impact.as_ref().map(impact_as_json), "roi": it.roi.as_ref().map(roi_as_json),
        "corrected": it.corrected.as_ref().map(|it| json!({
            "by": it.correction_id, "factor": it.factor, "widening": it.widening,
            "estimated_impact": it.estimated_impact.as_ref().map(impact_as_json), "roi": it.roi.as_ref().map(roi_as_json),
            "priority": word_of_priority(it.priority())})),
        "certainty": it.certainty, "would_change": it.would_change, "coverage": it.coverage, "state": word(it.state()),
        "state_reason": it.state_reason, "history": it.history.iter().map(|it| json!({
            "state": word(it.state()), "time": instant(it.change_time), "reason": it.reason, "actor": it.actor
        })).collect::<Vec<_>>(),
    })
}
