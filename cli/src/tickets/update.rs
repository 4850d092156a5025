use anyhow::{Context, ensure};
use clap::Args;
use jiff::Timestamp;
use kaizen_api::analysis::v1::Condition;
use kaizen_api::time::to_wire;
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{
    Implementation, Link as WireLink, LinkKind, MarkImplementedRequest, Ticket, TicketState,
    UpdateTicketRequest,
};
use prost_types::FieldMask;
use tonic::transport::Channel;

use super::{By, Step, get, words};
use crate::connection::refused;
use crate::metrics::filter;

/// What to change; what is absent stays.
#[derive(Debug, Args)]
pub struct Update {
    /// Ticket, such as T-17
    id: String,
    /// In one line
    #[arg(long)]
    title: Option<String>,
    /// In a few sentences
    #[arg(long)]
    description: Option<String>,
    /// Who does it; empty for nobody
    #[arg(long)]
    owner: Option<String>,
    /// A label to add; repeat for several
    #[arg(long = "add-label", value_name = "LABEL")]
    add: Vec<String>,
    /// A label to remove; repeat for several
    #[arg(long = "remove-label", value_name = "LABEL")]
    remove: Vec<String>,
    /// By when it is to be done; empty for no date
    #[arg(long, value_name = "YYYY-MM-DD")]
    due: Option<String>,
    /// What to say about it
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: String,
    /// Only if the ticket still has this etag
    #[arg(long, default_value = "", value_name = "ETAG", hide_default_value = true)]
    etag: String,
    /// Who changes it
    #[command(flatten)]
    by: By,
}

/// A link to add.
#[derive(Debug, Args)]
pub struct Link {
    /// Ticket, such as T-17
    id: String,
    /// Where it leads: http or https
    url: String,
    /// What it leads to
    #[arg(long, value_enum, default_value = "pull_request")]
    kind: words::Kind,
    /// What it is called
    #[arg(long, default_value = "", hide_default_value = true)]
    title: String,
    /// Who adds it
    #[command(flatten)]
    by: By,
}

/// What was done.
#[derive(Debug, Args)]
pub struct Implement {
    /// Ticket, such as T-17
    id: String,
    /// Since when it is live, in RFC 3339; now when absent
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// What kind of thing was changed: deploy, prompt, model or config
    #[arg(long, default_value = "deploy", value_parser = ["deploy", "prompt", "model", "config"])]
    kind: String,
    /// What was changed, such as lead_enrichment; the component of the ticket's metric when absent
    #[arg(long, default_value = "", hide_default_value = true)]
    component: String,
    /// What the changed thing is from then on, such as v13
    #[arg(long, default_value = "", hide_default_value = true)]
    version: String,
    /// What was done
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// Hours of work it took; those of the recommendation when absent
    #[arg(long, value_name = "HOURS")]
    hours: Option<f64>,
    /// What running it costs more a day than before, in the currency of the configuration; below 0 where it costs less
    #[arg(
        long,
        default_value_t = 0.0,
        value_name = "AMOUNT",
        hide_default_value = true,
        allow_negative_numbers = true
    )]
    running_cost_per_day: f64,
    /// Which decisions it applies to; repeat for several conditions, of which they meet each; the slice of the
    /// recommendation when absent
    #[arg(long = "slice", value_name = "DIMENSION=VALUE", value_parser = filter)]
    slice: Vec<(String, String)>,
    /// Experiment that deals out the change by chance, as `allocation.experiment` of the decisions names it
    #[arg(long, default_value = "", hide_default_value = true, requires = "arm")]
    experiment: String,
    /// Arm of the experiment that has the change
    #[arg(long, default_value = "", hide_default_value = true, requires = "experiment")]
    arm: String,
    /// Where to read of the deploy
    #[arg(long, value_name = "URL")]
    deploy: Option<String>,
    /// Only if the ticket still has this etag
    #[arg(long, default_value = "", value_name = "ETAG", hide_default_value = true)]
    etag: String,
    /// Who says so
    #[command(flatten)]
    by: By,
}

/// Changes fields.
pub async fn fields(update: &Update, client: &mut TrackerServiceClient<Channel>) -> anyhow::Result<Ticket> {
    let mut ticket = Ticket {
        ticket_id: update.id.clone(),
        etag: update.etag.clone(),
        ..Ticket::default()
    };
    let mut paths = Vec::new();
    for (path, told, field) in [
        ("title", &update.title, &mut ticket.title),
        ("description", &update.description, &mut ticket.description),
        ("owner", &update.owner, &mut ticket.owner),
        ("due_date", &update.due, &mut ticket.due_date),
    ] {
        if let Some(told) = told {
            field.clone_from(told);
            paths.push(path);
        }
    }
    if !update.add.is_empty() || !update.remove.is_empty() {
        let read = get(&update.id, client).await?;
        ticket.labels = read.labels;
        ticket.labels.extend(update.add.iter().cloned());
        ticket.labels.retain(|it| !update.remove.contains(it));
        paths.push("labels");
        // Labels are replaced whole: they must still be those that were read
        if ticket.etag.is_empty() {
            ticket.etag = read.etag;
        }
    }
    ensure!(
        !paths.is_empty() || !update.comment.is_empty(),
        "nothing to change: see --help"
    );
    change(ticket, &paths, &update.by, &update.comment, client).await
}

/// Says something.
pub async fn comment(
    id: &str,
    text: &str,
    by: &By,
    client: &mut TrackerServiceClient<Channel>,
) -> anyhow::Result<Ticket> {
    let ticket = Ticket {
        ticket_id: id.to_owned(),
        ..Ticket::default()
    };
    change(ticket, &[], by, text, client).await
}

/// Adds a link to those that are there.
pub async fn link(link: &Link, client: &mut TrackerServiceClient<Channel>) -> anyhow::Result<Ticket> {
    let read = get(&link.id, client).await?;
    let mut ticket = Ticket {
        ticket_id: read.ticket_id,
        etag: read.etag,
        links: read.links,
        ..Ticket::default()
    };
    ticket.links.push(WireLink {
        kind: link.kind.kind().into(),
        url: link.url.clone(),
        title: link.title.clone(),
    });
    change(ticket, &["links"], &link.by, "", client).await
}

/// Moves a ticket to another state.
pub async fn step(
    step: &Step,
    to: TicketState,
    client: &mut TrackerServiceClient<Channel>,
) -> anyhow::Result<Ticket> {
    let mut ticket = Ticket {
        ticket_id: step.id.clone(),
        etag: step.etag.clone(),
        ..Ticket::default()
    };
    ticket.set_state(to);
    change(ticket, &["state"], &step.by, &step.reason, client).await
}

/// Says that a ticket repeats another.
pub async fn duplicate(
    step: &Step,
    of: &str,
    client: &mut TrackerServiceClient<Channel>,
) -> anyhow::Result<Ticket> {
    let mut ticket = Ticket {
        ticket_id: step.id.clone(),
        etag: step.etag.clone(),
        duplicate_of: of.to_owned(),
        ..Ticket::default()
    };
    ticket.set_state(TicketState::Duplicate);
    change(ticket, &["state", "duplicate_of"], &step.by, &step.reason, client).await
}

/// Says what was done.
pub async fn implement(
    implement: &Implement,
    client: &mut TrackerServiceClient<Channel>,
) -> anyhow::Result<Ticket> {
    let deploy = |url: &String| WireLink {
        kind: LinkKind::Deploy.into(),
        url: url.clone(),
        title: String::new(),
    };
    let condition = |(dimension, value): &(String, String)| Condition {
        dimension: dimension.clone(),
        value: value.clone(),
    };
    let request = MarkImplementedRequest {
        ticket_id: implement.id.clone(),
        etag: implement.etag.clone(),
        actor: implement.by.actor.clone(),
        implementation: Some(Implementation {
            implement_time: implement.at.map(to_wire),
            kind: implement.kind.clone(),
            component: implement.component.clone(),
            version: implement.version.clone(),
            description: implement.description.clone(),
            hours: implement.hours,
            running_cost_per_day: implement.running_cost_per_day,
            slice: implement.slice.iter().map(condition).collect(),
            experiment: implement.experiment.clone(),
            arm: implement.arm.clone(),
        }),
        links: implement.deploy.iter().map(deploy).collect(),
        comment: String::new(),
    };
    let answer = client.mark_implemented(request).await.map_err(refused)?;
    answer
        .into_inner()
        .ticket
        .context("reporting answered without the ticket")
}

async fn change(
    ticket: Ticket,
    paths: &[&str],
    by: &By,
    comment: &str,
    client: &mut TrackerServiceClient<Channel>,
) -> anyhow::Result<Ticket> {
    let request = UpdateTicketRequest {
        ticket: Some(ticket),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|it| (*it).to_owned()).collect(),
        }),
        actor: by.actor.clone(),
        comment: comment.to_owned(),
    };
    let answer = client.update_ticket(request).await.map_err(refused)?;
    answer
        .into_inner()
        .ticket
        .context("reporting answered without the ticket")
}
