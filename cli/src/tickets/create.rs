use anyhow::Context;
use clap::Args;
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{CreateTicketRequest, Ticket};
use tonic::transport::Channel;
use uuid::Uuid;

use super::By;
use crate::connection::refused;

/// What the ticket begins with.
#[derive(Debug, Args)]
pub struct Create {
    /// In one line; required unless it is created from a recommendation
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        required_unless_present = "recommendation"
    )]
    title: String,
    /// In a few sentences
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// Recommendation it is created from, which tells its title, description, category and metric
    #[arg(long, value_name = "ID", conflicts_with_all = ["title", "description", "category", "metric"])]
    recommendation: Option<String>,
    /// Analysis that recommended it; the latest that succeeded when absent
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "ID",
        requires = "recommendation"
    )]
    analysis_id: String,
    /// What it is filed under, such as message_generation
    #[arg(long, default_value = "", hide_default_value = true)]
    category: String,
    /// Metric it is to improve
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "COMPONENT.METRIC"
    )]
    metric: String,
    /// Who does it
    #[arg(long, default_value = "", hide_default_value = true)]
    owner: String,
    /// A label; repeat for several
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// By when it is to be done
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "YYYY-MM-DD"
    )]
    due: String,
    /// Identity of the request: the same one creates one ticket; a new one when absent
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Who creates it
    #[command(flatten)]
    by: By,
}

pub async fn run(create: &Create, client: &mut TrackerServiceClient<Channel>) -> anyhow::Result<Ticket> {
    let ticket = Ticket {
        title: create.title.clone(),
        description: create.description.clone(),
        category: create.category.clone(),
        metric: create.metric.clone(),
        owner: create.owner.clone(),
        labels: create.labels.clone(),
        due_date: create.due.clone(),
        ..Ticket::default()
    };
    let request = CreateTicketRequest {
        request_id: create
            .request_id
            .clone()
            .unwrap_or_else(|| Uuid::new_v4().to_string()),
        actor: create.by.actor.clone(),
        recommendation_id: create.recommendation.clone().unwrap_or_default(),
        analysis_id: create.analysis_id.clone(),
        ticket: Some(ticket),
    };
    ask(request, client).await
}

/// Creates the ticket of a recommendation of the latest analysis.
///
/// # Errors
/// It has one, or the service gave no answer.
pub async fn from_recommendation(
    recommendation_id: String,
    actor: String,
    client: &mut TrackerServiceClient<Channel>,
) -> anyhow::Result<Ticket> {
    let request = CreateTicketRequest {
        request_id: Uuid::new_v4().to_string(),
        actor,
        recommendation_id,
        ..CreateTicketRequest::default()
    };
    ask(request, client).await
}

async fn ask(
    request: CreateTicketRequest,
    client: &mut TrackerServiceClient<Channel>,
) -> anyhow::Result<Ticket> {
    let answer = client.create_ticket(request).await.map_err(refused)?;
    answer
        .into_inner()
        .ticket
        .context("reporting answered without the ticket")
}
