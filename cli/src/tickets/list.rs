use clap::Args;
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{ListTicketsRequest, Ticket, TicketState};
use tonic::transport::Channel;

use super::{print, words};
use crate::connection::refused;
use crate::output::{self, Output, say, table};

/// Which to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only in this state; repeat for several
    #[arg(long = "state", value_parser = words::states(), value_name = "STATE")]
    states: Vec<TicketState>,
    /// Only of this category, such as message_generation
    #[arg(long, default_value = "", hide_default_value = true)]
    category: String,
    /// Only of this owner
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        conflicts_with = "unowned"
    )]
    owner: String,
    /// Only of nobody
    #[arg(long)]
    unowned: bool,
    /// Only with this label; repeat for several, of which it must have each
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Only recommended by this rule
    #[arg(long, default_value = "", hide_default_value = true)]
    rule: String,
    /// Only with these words in title or description
    #[arg(long, default_value = "", hide_default_value = true)]
    text: String,
    /// `create_time desc`, `create_time`, `update_time desc` or `due_date`
    #[arg(long, default_value = "create_time desc", value_name = "ORDER")]
    order_by: String,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "TICKETS")]
    limit: usize,
}

pub async fn run(
    list: &List,
    client: &mut TrackerServiceClient<Channel>,
    output: Output,
) -> anyhow::Result<()> {
    let mut request = ListTicketsRequest {
        page_size: u32::try_from(list.limit).unwrap_or(u32::MAX).clamp(1, 200),
        page_token: String::new(),
        order_by: list.order_by.clone(),
        states: list.states.iter().map(|it| (*it).into()).collect(),
        category: list.category.clone(),
        owner: list.owner.clone(),
        unowned: list.unowned,
        labels: list.labels.clone(),
        rule: list.rule.clone(),
        text: list.text.clone(),
    };
    let mut tickets: Vec<Ticket> = Vec::new();
    let more = loop {
        let page = client
            .list_tickets(request.clone())
            .await
            .map_err(refused)?
            .into_inner();
        tickets.extend(page.tickets);
        let more = !page.next_page_token.is_empty() || tickets.len() > list.limit;
        if page.next_page_token.is_empty() || tickets.len() >= list.limit {
            break more;
        }
        request.page_token = page.next_page_token;
    };
    tickets.truncate(list.limit);
    match output {
        Output::Json => return output::json(&tickets.iter().map(print::as_json).collect::<Vec<_>>()),
        Output::Table if tickets.is_empty() => say("No tickets."),
        Output::Table => say(listing(&tickets)),
    }
    if more {
        output::note("There are more: --limit");
    }
    Ok(())
}

fn listing(tickets: &[Ticket]) -> String {
    let row = |it: &Ticket| {
        vec![
            it.ticket_id.clone(),
            words::state(it.state()),
            it.title.clone(),
            it.owner.clone(),
            it.labels.join(", "),
            it.due_date.clone(),
            print::date(it.update_time),
        ]
    };
    let header = ["id", "state", "what", "owner", "labels", "due", "changed"];
    table(&header, header.len(), tickets.iter().map(row))
}
