use kaizen_api::tracker::v1::{ListTicketEventsRequest, ListTicketEventsResponse};
use tonic::Status;

use super::{Tracker, convert, number, refused};
use crate::page;

const PAGE: u32 = 100;
const MOST: u32 = 500;

pub async fn answer(
    tracker: &Tracker,
    request: ListTicketEventsRequest,
) -> Result<ListTicketEventsResponse, Status> {
    let number = number("ticket_id", &request.ticket_id)?;
    let size = page::size(request.page_size, PAGE, MOST)?;
    let after = page::cursor::<i64>(&request.page_token)?.unwrap_or_default();
    // One more tells whether there is a next page.
    let mut found = tracker
        .ledger()
        .history(number, after, size + 1)
        .await
        .map_err(refused)?;
    if found.is_empty() {
        // Nothing of a ticket that is not there is an error
        tracker.ledger().ticket(number).await.map_err(refused)?;
    }
    let more = found.len() > size as usize;
    found.truncate(size as usize);
    let next_page_token = match found.last().filter(|_| more) {
        Some(last) => page::token(&last.revision)?,
        None => String::new(),
    };
    Ok(ListTicketEventsResponse {
        events: found.into_iter().map(convert::event).collect(),
        next_page_token,
    })
}
