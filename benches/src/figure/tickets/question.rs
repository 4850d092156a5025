//! What is asked for: from what people look at to the worst that can be.

use anyhow::{Context, Result};
use kaizen_api::tracker::v1::ListTicketsRequest;
use kaizen_ledger::{Cursor, Filter, Listing, Order, State};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// Tickets of a page.
pub const PAGE: u64 = 50;
/// Every order, as it is asked for over gRPC.
pub const ORDERS: [(&str, Order); 4] = [
    ("create_time desc", Order::Newest),
    ("create_time", Order::Oldest),
    ("update_time desc", Order::LatestChange),
    ("due_date", Order::SoonestDue),
];
/// Categories of tickets.
pub const CATEGORIES: [&str; 4] = ["message_generation", "enrichment", "scraping", "airtable"];
/// Rules of tickets; none for those made by hand.
pub const RULES: [&str; 6] = [
    "",
    "slice_regression",
    "losing_group",
    "failure_kind",
    "decline",
    "missing_data",
];
/// Owners, and how many labels there are besides `a` and `b`.
pub const OWNERS: usize = 30;
pub const LABELS: usize = 300;

/// A filter with a name for people.
pub struct Named {
    /// Its name.
    pub name: &'static str,
    set: fn(&mut Filter, &mut StdRng),
}

/// All of them.
pub const FILTERS: [Named; 11] = [
    Named {
        name: "all",
        set: |_, _| {},
    },
    Named {
        name: "of a state",
        set: |it, random| it.states = vec![state(random)],
    },
    Named {
        name: "open: of seven states",
        set: |it, _| it.states = open(),
    },
    Named {
        name: "of a category",
        set: |it, random| it.category = one(&CATEGORIES, random),
    },
    Named {
        name: "of an owner",
        set: |it, random| it.owner = owner(random),
    },
    Named {
        name: "of nobody",
        set: |it, _| it.unowned = true,
    },
    Named {
        name: "of a rule",
        set: |it, random| it.rule = one(&RULES[1..], random),
    },
    Named {
        name: "with a label",
        set: |it, random| it.labels = vec![format!("label {}", random.random_range(0..LABELS))],
    },
    Named {
        name: "with two labels, common and seldom together",
        set: |it, _| it.labels = vec!["a".into(), "b".into()],
    },
    Named {
        name: "open, of an owner, a category and a rule",
        set: |it, random| {
            it.states = open();
            it.owner = owner(random);
            it.category = one(&CATEGORIES, random);
            it.rule = one(&RULES[1..], random);
        },
    },
    Named {
        name: "with two words",
        set: |it, random| it.text = format!("{} {}", word(random), word(random)),
    },
];

fn open() -> Vec<State> {
    State::ALL.into_iter().filter(|it| it.is_open()).collect()
}

fn state(random: &mut StdRng) -> State {
    State::ALL[random.random_range(0..State::ALL.len())]
}

fn one(words: &[&str], random: &mut StdRng) -> String {
    words
        .choose(random)
        .map(|it| (*it).to_owned())
        .unwrap_or_default()
}

fn owner(random: &mut StdRng) -> String {
    format!("person {}", random.random_range(0..OWNERS))
}

/// A word: few are common, most are rare.
pub fn word(random: &mut StdRng) -> String {
    format!("w{}", 2_000_f64.powf(random.random::<f64>()) as u32)
}

/// A list.
pub struct Question {
    filter: Filter,
    order: (&'static str, Order),
}

impl Question {
    /// By a filter, with values of chance, in an order.
    pub fn new(named: &Named, order: usize, random: &mut StdRng) -> Result<Self> {
        let mut filter = Filter::default();
        (named.set)(&mut filter, random);
        let order = *ORDERS.get(order).context("no such order")?;
        Ok(Self { filter, order })
    }

    /// As the ledger is asked.
    pub fn listing(&self, after: Option<Cursor>) -> Listing {
        Listing {
            filter: self.filter.clone(),
            order: self.order.1,
            after,
            most: PAGE as u32,
        }
    }

    /// As reporting is asked.
    pub fn request(&self) -> ListTicketsRequest {
        let filter = self.filter.clone();
        // On the wire 0 is none, and the states follow in their order
        let places = filter
            .states
            .iter()
            .filter_map(|it| State::ALL.iter().position(|other| other == it));
        ListTicketsRequest {
            page_size: PAGE as u32,
            page_token: String::new(),
            order_by: self.order.0.to_owned(),
            states: places.map(|place| place as i32 + 1).collect(),
            category: filter.category,
            owner: filter.owner,
            unowned: filter.unowned,
            labels: filter.labels,
            rule: filter.rule,
            text: filter.text,
        }
    }
}

/// A place in the middle of a list.
pub fn middle(random: &mut StdRng, tickets: u64, revisions: i64) -> Cursor {
    Cursor {
        number: random.random_range(1..=i64::try_from(tickets).unwrap_or(1)),
        revision: random.random_range(1..=revisions),
        due_date: format!("2027-{:02}-15", random.random_range(1..13)),
    }
}
