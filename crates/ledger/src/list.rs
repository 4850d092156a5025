//! Lists tickets.
//!
//! What a list is filtered by are terms of the tickets (`ticket_terms`). The rarest one leads: its tickets are read newest
//! first, the other terms are looked up for each. A term that many tickets have fills a page soon; one that few have is soon
//! at its end. So a page costs about the same however many tickets there are, whatever the database's planner knows.

use std::cmp::Reverse;

use sqlx::{AnyConnection, Row};

use crate::error::LedgerError;
use crate::question::Question;
use crate::row;
use crate::state::State;
use crate::store::Ledger;
use crate::terms;
use crate::ticket::Ticket;

/// Tickets of a term up to which all of them are read and sorted; of more the list is walked in its order.
const FEW: i64 = 2_000;

/// Which tickets; what is empty filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<State>,
    /// Of this category.
    pub category: String,
    /// Of this owner.
    pub owner: String,
    /// Of nobody.
    pub unowned: bool,
    /// With each of these labels.
    pub labels: Vec<String>,
    /// Recommended by this rule.
    pub rule: String,
    /// With each of its words in title or description, in any case and order.
    pub text: String,
}

/// In which order. Each is total: no two tickets are equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// Latest changed first.
    LatestChange,
    /// Soonest due first, those without a date last.
    SoonestDue,
}

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Which tickets.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// After this one: where the page before ended.
    pub after: Option<Cursor>,
    /// At most so many.
    pub most: u32,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Number of its last ticket.
    pub number: i64,
    /// Revision of that ticket as it was listed.
    pub revision: i64,
    /// Due date of that ticket as it was listed, `YYYY-MM-DD`.
    pub due_date: String,
}

impl Cursor {
    /// Behind a ticket.
    pub fn behind(ticket: &Ticket) -> Self {
        Self {
            number: ticket.number,
            revision: ticket.revision,
            due_date: row::due_date(ticket),
        }
    }
}

impl Ledger {
    /// One page of tickets.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Ticket>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        let common = common_terms(&listing.filter);
        if listing.filter.states.is_empty() {
            return page(&mut connection, listing, common).await;
        }
        // A ticket is in one state: the pages of the states have nothing in common, and together hold the page asked for.
        let mut states = listing.filter.states.clone();
        states.sort_unstable();
        states.dedup();
        let mut tickets = Vec::new();
        for state in states {
            let mut terms = common.clone();
            terms.push(terms::state(state.as_str()));
            tickets.extend(page(&mut connection, listing, terms).await?);
        }
        sort(&mut tickets, listing.order);
        tickets.truncate(listing.most as usize);
        Ok(tickets)
    }
}

impl Ledger {
    /// The tickets that have a link with this address, newest first; at most 100.
    ///
    /// # Errors
    /// The database's.
    pub async fn linked(&self, url: &str) -> Result<Vec<Ticket>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        let listing = Listing {
            most: 100,
            ..Listing::default()
        };
        page(&mut connection, &listing, vec![terms::link(url)]).await
    }
}

/// What every ticket of the list has, whatever its state.
fn common_terms(filter: &Filter) -> Vec<String> {
    let mut found: Vec<String> = terms::words(&filter.text).collect();
    found.extend(filter.labels.iter().map(|it| terms::label(it)));
    let said = |name: &str, term: fn(&str) -> String| (!name.is_empty()).then(|| term(name));
    found.extend(said(&filter.category, terms::category));
    found.extend(said(&filter.owner, terms::owner));
    found.extend(said(&filter.rule, terms::rule));
    if filter.unowned {
        found.push(terms::owner(""));
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn sort(tickets: &mut [Ticket], order: Order) {
    match order {
        Order::Newest => tickets.sort_by_key(|it| Reverse(it.number)),
        Order::Oldest => tickets.sort_by_key(|it| it.number),
        Order::LatestChange => tickets.sort_by_key(|it| Reverse(it.revision)),
        Order::SoonestDue => tickets.sort_by_key(|it| (row::due_date(it), it.number)),
    }
}

/// The tickets that have all of the terms.
async fn page(
    connection: &mut AnyConnection,
    listing: &Listing,
    terms: Vec<String>,
) -> Result<Vec<Ticket>, LedgerError> {
    let (terms, rarest) = rarest_first(connection, terms).await?;
    if rarest == Some(0) {
        return Ok(Vec::new());
    }
    let mut question = Question::new();
    let is_by_number = matches!(listing.order, Order::Newest | Order::Oldest);
    match terms.split_first() {
        // The order of the term's index is that of the list, or there is little to sort
        Some((lead, others)) if is_by_number || rarest < Some(FEW) => {
            question.add(
                " FROM ticket_terms lead CROSS JOIN tickets t WHERE t.number = lead.number AND lead.term = ",
            );
            question.text(lead);
            question.have(others, "lead");
            question.after(listing, "lead", "t");
            question.most(listing);
        }
        _ => {
            // An index has the order and the numbers: rows are read of the page alone
            question.add(" FROM tickets t WHERE t.number IN (SELECT w.number FROM tickets w WHERE 1 = 1");
            question.have(&terms, "w");
            question.after(listing, "w", "w");
            question.most(listing);
            question.add(")");
            question.order(listing.order, "t", "t");
        }
    }
    question.ask(connection).await
}

/// The terms, that with the fewest tickets first, and how many that one has, counted up to [`FEW`].
async fn rarest_first(
    connection: &mut AnyConnection,
    terms: Vec<String>,
) -> Result<(Vec<String>, Option<i64>), LedgerError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM ticket_terms WHERE term = $1 LIMIT $2) AS found";
    let mut counted: Vec<(i64, String)> = Vec::with_capacity(terms.len());
    for term in terms {
        let query = sqlx::query(sql).bind(term.clone()).bind(FEW);
        let found = query.fetch_one(&mut *connection).await?;
        counted.push((found.try_get(0)?, term));
    }
    counted.sort_unstable();
    let rarest = counted.first().map(|(tickets, _)| *tickets);
    Ok((counted.into_iter().map(|(_, term)| term).collect(), rarest))
}
