//! Lists tickets.
//!
//! What a list is filtered by are terms of the tickets (`ticket_terms`). The rarest one leads: its tickets are read in the
//! order of the list, which an index has, from where the page before ended; the other terms are looked up for each. A term that
//! many tickets have fills a page soon; one that few have is soon at its end. So a page costs about the same however many
//! tickets there are, whatever the database's planner knows.

use std::cmp::Reverse;

use sqlx::{AnyConnection, Row};

use crate::error::LedgerError;
use crate::question;
use crate::row;
use crate::state::State;
use crate::store::Ledger;
use crate::terms;
use crate::ticket::Ticket;

/// Terms are counted up to here. Of a word, which no index has in the order of changes or due dates, fewer tickets are all read
/// and sorted; of more, a list in these orders is walked.
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

impl Order {
    pub(crate) const fn is_by_number(self) -> bool {
        matches!(self, Self::Newest | Self::Oldest)
    }
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
    /// One page of tickets, as of one moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Ticket>, LedgerError> {
        self.page(listing, criteria(&listing.filter)).await
    }

    /// The tickets that have a link with this address, newest first; at most 100.
    ///
    /// # Errors
    /// The database's.
    pub async fn linked(&self, url: &str) -> Result<Vec<Ticket>, LedgerError> {
        let listing = Listing {
            most: 100,
            ..Listing::default()
        };
        self.page(&listing, vec![vec![terms::link(url)]]).await
    }

    /// How the database would answer [`Ledger::list`] now, a line a step, in its own words; empty where it need not be asked, as
    /// no ticket has one of the terms.
    ///
    /// # Errors
    /// The database's.
    pub async fn explain(&self, listing: &Listing) -> Result<Vec<String>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        match lead(&mut connection, listing.order, criteria(&listing.filter)).await? {
            Some((lead, others)) => {
                question::page(listing, &lead, &others)
                    .explain(&mut connection)
                    .await
            }
            None => Ok(Vec::new()),
        }
    }

    async fn page(&self, listing: &Listing, criteria: Vec<Criterion>) -> Result<Vec<Ticket>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        let Some((lead, others)) = lead(&mut connection, listing.order, criteria).await? else {
            return Ok(Vec::new());
        };
        let mut tickets = question::page(listing, &lead, &others)
            .ask(&mut connection)
            .await?;
        sort(&mut tickets, listing.order);
        Ok(tickets)
    }
}

/// Terms of which a ticket must have one.
pub(crate) type Criterion = Vec<String>;

/// What a list is read by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lead {
    /// All tickets, by the index of the order.
    All,
    /// Those with one of these terms, by the index that has the terms in the order.
    Terms(Criterion),
    /// The few with this term, whatever the order.
    Few(String),
}

/// What a ticket must have to be in the list.
fn criteria(filter: &Filter) -> Vec<Criterion> {
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
    let mut criteria: Vec<Criterion> = found.into_iter().map(|term| vec![term]).collect();
    if !filter.states.is_empty() {
        let mut states: Criterion = filter.states.iter().map(|it| terms::state(it.as_str())).collect();
        states.sort_unstable();
        states.dedup();
        criteria.push(states);
    }
    criteria
}

fn sort(tickets: &mut [Ticket], order: Order) {
    match order {
        Order::Newest => tickets.sort_by_key(|it| Reverse(it.number)),
        Order::Oldest => tickets.sort_by_key(|it| it.number),
        Order::LatestChange => tickets.sort_by_key(|it| Reverse(it.revision)),
        Order::SoonestDue => tickets.sort_by_cached_key(|it| (row::due_date(it), it.number)),
    }
}

/// What the list is best read by, and the other criteria, the rarest first; `None` where no ticket meets one of them.
async fn lead(
    connection: &mut AnyConnection,
    order: Order,
    criteria: Vec<Criterion>,
) -> Result<Option<(Lead, Vec<Criterion>)>, LedgerError> {
    let may_lead = |it: &Criterion| order.is_by_number() || it.iter().all(|term| terms::is_ordered(term));
    if criteria.len() < 2 && criteria.iter().all(may_lead) {
        let lead = criteria.into_iter().next().map_or(Lead::All, Lead::Terms);
        return Ok(Some((lead, Vec::new())));
    }
    let mut counted = count(connection, criteria).await?;
    counted.sort_unstable();
    let rarest = counted.first().map_or(0, |(tickets, _)| *tickets);
    let mut criteria: Vec<Criterion> = counted.into_iter().map(|(_, criterion)| criterion).collect();
    if rarest == 0 {
        return Ok(None);
    }
    if rarest < FEW && !criteria.first().is_some_and(may_lead) {
        let few = criteria.remove(0).concat();
        return Ok(Some((Lead::Few(few), criteria)));
    }
    let lead = match criteria.iter().position(may_lead) {
        Some(index) => Lead::Terms(criteria.remove(index)),
        None => Lead::All,
    };
    Ok(Some((lead, criteria)))
}

/// The criteria with how many tickets meet each, every term counted up to [`FEW`].
async fn count(
    connection: &mut AnyConnection,
    criteria: Vec<Criterion>,
) -> Result<Vec<(i64, Criterion)>, LedgerError> {
    let terms: Vec<&String> = criteria.iter().flatten().collect();
    let row = question::counts(&terms, FEW).fetch_one(connection).await?;
    let mut column = 0;
    let mut counted = Vec::with_capacity(criteria.len());
    for criterion in criteria {
        let mut tickets = 0;
        for _ in &criterion {
            tickets += row.try_get::<i64, _>(column)?;
            column += 1;
        }
        counted.push((tickets, criterion));
    }
    Ok(counted)
}
