use kaizen_api::status::invalid_argument;
use kaizen_api::tracker::v1::{ListTicketsRequest, ListTicketsResponse};
use kaizen_ledger::{Cursor, Filter, Listing, Order};
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::{Tracker, convert, refused};
use crate::page;

const PAGE: u32 = 50;
const MOST: u32 = 200;
const LABELS: usize = 20;
const TEXT: usize = 200;

/// A page token: where the page ended, and of which list.
#[derive(Serialize, Deserialize)]
struct Token {
    number: i64,
    revision: i64,
    due_date: String,
    of: String,
}

pub async fn answer(tracker: &Tracker, request: ListTicketsRequest) -> Result<ListTicketsResponse, Status> {
    let size = page::size(request.page_size, PAGE, MOST)?;
    let token = page::cursor::<Token>(&request.page_token)?;
    let order = order(&request.order_by)?;
    let filter = filter(request)?;
    let of = format!("{order:?} {filter:?}");
    if token.as_ref().is_some_and(|token| token.of != of) {
        let rule = "must be of a list with the same filters and order";
        return Err(invalid_argument("page_token", rule));
    }
    let after = token.map(|token| Cursor {
        number: token.number,
        revision: token.revision,
        due_date: token.due_date,
    });
    // One more tells whether there is a next page.
    let listing = Listing {
        filter,
        order,
        after,
        most: size + 1,
    };
    let mut found = tracker.ledger().list(&listing).await.map_err(refused)?;
    let more = found.len() > size as usize;
    found.truncate(size as usize);
    let next_page_token = match found.last().filter(|_| more).map(Cursor::behind) {
        Some(last) => page::token(&Token {
            number: last.number,
            revision: last.revision,
            due_date: last.due_date,
            of,
        })?,
        None => String::new(),
    };
    let tickets: Result<_, Status> = found.into_iter().map(convert::ticket).collect();
    Ok(ListTicketsResponse {
        tickets: tickets?,
        next_page_token,
    })
}

fn order(text: &str) -> Result<Order, Status> {
    match text {
        "" | "create_time desc" => Ok(Order::Newest),
        "create_time" => Ok(Order::Oldest),
        "update_time desc" => Ok(Order::LatestChange),
        "due_date" => Ok(Order::SoonestDue),
        _ => Err(invalid_argument(
            "order_by",
            "must be create_time desc, create_time, update_time desc or due_date",
        )),
    }
}

fn filter(request: ListTicketsRequest) -> Result<Filter, Status> {
    if request.labels.len() > LABELS {
        return Err(invalid_argument("labels", format!("must be at most {LABELS}")));
    }
    if request.text.chars().count() > TEXT {
        return Err(invalid_argument(
            "text",
            format!("must be at most {TEXT} characters"),
        ));
    }
    let texts = [&request.category, &request.owner, &request.rule, &request.text];
    if texts
        .into_iter()
        .chain(&request.labels)
        .any(|it| it.contains('\0'))
    {
        return Err(invalid_argument("filters", "must be without the character NUL"));
    }
    let states = request.states.iter().enumerate();
    let states = states.map(|(index, state)| convert::read_state(&format!("states[{index}]"), *state));
    Ok(Filter {
        states: states.collect::<Result<_, _>>()?,
        category: request.category,
        owner: request.owner,
        unowned: request.unowned,
        labels: request.labels,
        rule: request.rule,
        text: request.text,
    })
}
