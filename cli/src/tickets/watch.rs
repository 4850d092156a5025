use clap::Args;
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{WatchTicketsRequest, WatchTicketsResponse};
use tonic::transport::Channel;

use super::print;
use crate::connection::refused;
use crate::output::{Output, say};

/// What to follow.
#[derive(Debug, Args)]
pub struct Watch {
    /// Only this ticket; all when absent
    #[arg(default_value = "", hide_default_value = true)]
    id: String,
    /// Begin after this event, whose id `--output json` has told before; with what happens from now on when absent
    #[arg(long, default_value = "", value_name = "EVENT", hide_default_value = true)]
    after: String,
    /// End after so many events
    #[arg(long, value_name = "EVENTS")]
    limit: Option<u64>,
}

/// One line an event: for people, or as a JSON object.
pub async fn run(
    watch: &Watch,
    client: &mut TrackerServiceClient<Channel>,
    output: Output,
) -> anyhow::Result<()> {
    let request = WatchTicketsRequest {
        after_event_id: watch.after.clone(),
        ticket_id: watch.id.clone(),
    };
    let mut stream = client.watch_tickets(request).await.map_err(refused)?.into_inner();
    let mut told = 0;
    while watch.limit.is_none_or(|limit| told < limit) {
        let next = tokio::select! {
            next = stream.message() => next.map_err(refused)?,
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
        };
        let Some(WatchTicketsResponse {
            event: Some(event),
            ticket,
        }) = next
        else {
            break;
        };
        told += 1;
        match output {
            Output::Json => say(serde_json::to_string(&print::event_as_json(&event))?),
            Output::Table => {
                let title = ticket.map(|it| it.title).unwrap_or_default();
                say(format_args!(
                    "{} {title}\n    {}",
                    event.ticket_id,
                    print::happened(&event)
                ));
            }
        }
    }
    Ok(())
}
