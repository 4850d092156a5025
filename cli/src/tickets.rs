//! `kaizen tickets`: what is being done about what was found.

mod create;
mod export;
mod hooks;
mod list;
mod print;
mod update;
mod watch;
mod words;

use clap::{Args, Subcommand};
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{GetTicketRequest, ListTicketEventsRequest, Ticket, TicketState};
use tonic::transport::Channel;

use crate::connection::{Connection, refused};
use crate::output::{self, Output, say};

pub use print::{exact, line};

/// What to do with tickets.
#[derive(Debug, Subcommand)]
pub enum Tickets {
    /// List tickets, newest first
    List(list::List),
    /// Show one ticket with everything that happened to it
    Show {
        /// Ticket, such as T-17
        id: String,
    },
    /// Create a ticket, from a recommendation or by hand
    Create(Box<create::Create>),
    /// Change title, description, owner, labels or due date
    Update(Box<update::Update>),
    /// Say something about a ticket
    Comment {
        /// Ticket, such as T-17
        id: String,
        /// What to say
        text: String,
        /// Who says it
        #[command(flatten)]
        by: By,
    },
    /// Add a link, such as the pull request
    Link(update::Link),
    /// Accept a ticket: it will be done
    Accept(Step),
    /// Start a ticket: it is being done
    Start(Step),
    /// Say that a ticket is done and live
    Implement(Box<update::Implement>),
    /// Begin to measure what a ticket changed
    Measure(Step),
    /// Say what a measurement has shown
    Verdict {
        /// Ticket, and why
        #[command(flatten)]
        step: Step,
        /// What it has shown
        #[arg(long, value_enum)]
        verdict: words::Verdict,
    },
    /// Cancel a ticket: it will not be done
    Cancel(Step),
    /// Say that another ticket says the same
    Duplicate {
        /// The ticket that repeats another
        #[command(flatten)]
        step: Step,
        /// The other ticket
        #[arg(long, value_name = "ID")]
        of: String,
    },
    /// Take a ticket up again
    Reopen(Step),
    /// Print a ticket as the JSON that GitHub or Jira creates an issue from
    Export(export::Export),
    /// Follow what happens to tickets, until Ctrl-C
    Watch(watch::Watch),
    /// Look at the webhooks that are told of tickets, and test them
    #[command(subcommand)]
    Hooks(hooks::Hooks),
}

/// Who does it.
#[derive(Debug, Args)]
pub struct By {
    /// Who does it
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
}

/// A step of a ticket's life.
#[derive(Debug, Args)]
pub struct Step {
    /// Ticket, such as T-17
    id: String,
    /// Why; required for a verdict, to cancel and to reopen
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Only if the ticket still has this etag; `kaizen tickets show` tells it
    #[arg(long, default_value = "", value_name = "ETAG", hide_default_value = true)]
    etag: String,
    /// Who does it
    #[command(flatten)]
    by: By,
}

/// Runs it.
pub async fn run(command: &Tickets, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let client = &mut connection.tracker().await?;
    let changed = match command {
        Tickets::Hooks(hooks) => return hooks::run(hooks, connection, output).await,
        Tickets::List(list) => return list::run(list, client, output).await,
        Tickets::Show { id } => return show(id, client, output).await,
        Tickets::Export(export) => return export::run(export, client).await,
        Tickets::Watch(watch) => return watch::run(watch, client, output).await,
        Tickets::Create(create) => create::run(create, client).await?,
        Tickets::Update(update) => update::fields(update, client).await?,
        Tickets::Comment { id, text, by } => update::comment(id, text, by, client).await?,
        Tickets::Link(link) => update::link(link, client).await?,
        Tickets::Implement(implement) => update::implement(implement, client).await?,
        Tickets::Accept(step) => update::step(step, TicketState::Accepted, client).await?,
        Tickets::Start(step) => update::step(step, TicketState::InProgress, client).await?,
        Tickets::Measure(step) => update::step(step, TicketState::Measuring, client).await?,
        Tickets::Verdict { step, verdict } => update::step(step, verdict.state(), client).await?,
        Tickets::Cancel(step) => update::step(step, TicketState::Cancelled, client).await?,
        Tickets::Reopen(step) => update::step(step, TicketState::Reopened, client).await?,
        Tickets::Duplicate { step, of } => update::duplicate(step, of, client).await?,
    };
    match output {
        Output::Json => output::json(&print::as_json(&changed)),
        Output::Table => {
            say(line(&changed));
            Ok(())
        }
    }
}

async fn show(id: &str, client: &mut TrackerServiceClient<Channel>, output: Output) -> anyhow::Result<()> {
    let ticket = get(id, client).await?;
    let mut events = Vec::new();
    let mut request = ListTicketEventsRequest {
        ticket_id: ticket.ticket_id.clone(),
        page_size: 500,
        ..ListTicketEventsRequest::default()
    };
    loop {
        let page = client
            .list_ticket_events(request.clone())
            .await
            .map_err(refused)?
            .into_inner();
        events.extend(page.events);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    match output {
        Output::Json => {
            let mut json = print::as_json(&ticket);
            json["events"] = events.iter().map(print::event_as_json).collect();
            output::json(&json)
        }
        Output::Table => {
            say(print::whole(&ticket, &events));
            Ok(())
        }
    }
}

async fn get(id: &str, client: &mut TrackerServiceClient<Channel>) -> anyhow::Result<Ticket> {
    let request = GetTicketRequest {
        ticket_id: id.to_owned(),
    };
    let answer = client.get_ticket(request).await.map_err(refused)?.into_inner();
    answer
        .ticket
        .ok_or_else(|| anyhow::anyhow!("reporting answered without the ticket"))
}

/// Creates the ticket of a recommendation of the latest analysis, and accepts it.
///
/// # Errors
/// It has one, or the service gave no answer.
pub async fn accepted(
    recommendation_id: String,
    actor: &str,
    reason: &str,
    connection: &Connection,
) -> anyhow::Result<Ticket> {
    let client = &mut connection.tracker().await?;
    let created = create::from_recommendation(recommendation_id, actor.to_owned(), client).await?;
    let step = Step {
        id: created.ticket_id,
        reason: reason.to_owned(),
        etag: created.etag,
        by: By {
            actor: actor.to_owned(),
        },
    };
    update::step(&step, TicketState::Accepted, client).await
}
