//! Lists: filters, orders and pages, against a plain search in memory.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use kaizen_ledger::{Change, Cursor, Filter, Ledger, Listing, NewTicket, Order, State, Ticket};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::databases::{Database, new_ticket};

const TICKETS: usize = 120;
const OWNERS: [&str; 3] = ["", "bert", "Carla"];
const LABELS: [&str; 3] = ["cost", "quality", "very rare"];
const TITLES: [&str; 4] = [
    "Timeouts of gpt-4o",
    "A new prompt",
    "Timeouts everywhere, Zürich",
    "Nothing",
];

async fn fill(ledger: &Ledger, random: &mut StdRng) -> Result<Vec<Ticket>> {
    let mut pick = |most: usize| random.random_range(0..most);
    for index in 0..TICKETS {
        let new = NewTicket {
            title: TITLES[pick(4)].into(),
            description: if pick(3) == 0 {
                "prompt v13".into()
            } else {
                String::new()
            },
            category: ["enrichment", "scraping"][pick(2)].into(),
            rule: ["slice_regression", ""][pick(2)].into(),
            owner: OWNERS[pick(3)].into(),
            labels: LABELS
                .iter()
                .filter(|_| pick(3) == 0)
                .map(|it| (*it).to_owned())
                .collect(),
            due_date: (pick(2) == 0)
                .then(|| format!("2026-12-{:02}", 1 + pick(5)).parse())
                .transpose()?,
            ..new_ticket(&format!("q{index}"))
        };
        ledger.create(&new).await?;
    }
    for _ in 0..TICKETS {
        let number = 1 + i64::try_from(pick(TICKETS))?;
        let ticket = ledger.ticket(number).await?;
        let next: Vec<State> = (ticket.state.next().iter().copied())
            .filter(|it| !matches!(it, State::Duplicate | State::Implemented))
            .collect();
        let change = Change {
            state: Some(next[pick(next.len())]),
            comment: "because".into(),
            actor: "a".into(),
            ..Change::default()
        };
        ledger.change(number, None, &change).await?;
    }
    let mut all = Vec::new();
    for number in 1..=i64::try_from(TICKETS)? {
        all.push(ledger.ticket(number).await?);
    }
    Ok(all)
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text
        .split(|it: char| !it.is_alphanumeric())
        .map(str::to_lowercase);
    words.filter(|it| !it.is_empty()).collect()
}

fn fits(filter: &Filter, it: &Ticket) -> bool {
    let is = |wanted: &str, has: &str| wanted.is_empty() || wanted == has;
    (filter.states.is_empty() || filter.states.contains(&it.state))
        && is(&filter.category, &it.category)
        && is(&filter.owner, &it.owner)
        && is(&filter.rule, &it.rule)
        && (!filter.unowned || it.owner.is_empty())
        && filter.labels.iter().all(|label| it.labels.contains(label))
        && words(&filter.text).is_subset(&words(&format!("{} {}", it.title, it.description)))
}

fn sorted(mut tickets: Vec<Ticket>, order: Order) -> Vec<Ticket> {
    match order {
        Order::Newest => tickets.sort_by_key(|it| Reverse(it.number)),
        Order::Oldest => tickets.sort_by_key(|it| it.number),
        Order::LatestChange => tickets.sort_by_key(|it| Reverse(it.revision)),
        Order::SoonestDue => tickets.sort_by_key(|it| (it.due_date.is_none(), it.due_date, it.number)),
    }
    tickets
}

fn random_filter(random: &mut StdRng) -> Filter {
    let mut filter = Filter::default();
    let states = random.random_range(0..4);
    filter.states = (0..states)
        .map(|_| State::ALL[random.random_range(0..12)])
        .collect();
    if random.random_bool(0.3) {
        filter.category = "enrichment".into();
    }
    if random.random_bool(0.3) {
        filter.owner = OWNERS[random.random_range(0..3)].into();
    }
    filter.unowned = random.random_bool(0.1);
    if random.random_bool(0.3) {
        filter.rule = "slice_regression".into();
    }
    let labels = random.random_range(0..3);
    filter.labels = LABELS[..labels].iter().map(|it| (*it).to_owned()).collect();
    filter.text = [
        "",
        "",
        "timeouts",
        "GPT 4o",
        "prompt v13",
        "zürich TIMEOUTS",
        "absent",
    ][random.random_range(0..7)]
    .into();
    filter
}

const ORDERS: [Order; 4] = [
    Order::Newest,
    Order::Oldest,
    Order::LatestChange,
    Order::SoonestDue,
];

#[tokio::test]
async fn every_filter_order_and_page_gives_what_a_plain_search_gives() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        let mut random = StdRng::seed_from_u64(7);
        let all = fill(&ledger, &mut random).await?;
        let mut found = 0;
        for question in 0..200 {
            let filter = if question < 4 {
                Filter::default()
            } else {
                random_filter(&mut random)
            };
            let order = ORDERS[question % 4];
            let expected = sorted(
                all.iter().filter(|it| fits(&filter, it)).cloned().collect(),
                order,
            );
            let mut listing = Listing {
                filter,
                order,
                after: None,
                most: random.random_range(1..40),
            };
            let mut listed = Vec::new();
            loop {
                let page = ledger.list(&listing).await?;
                ensure!(page.len() <= listing.most as usize);
                let Some(last) = page.last() else { break };
                listing.after = Some(Cursor::behind(last));
                listed.extend(page);
            }
            found += listed.len();
            let numbers = |tickets: &[Ticket]| tickets.iter().map(|it| it.number).collect::<Vec<_>>();
            assert_eq!(numbers(&listed), numbers(&expected), "{listing:?}");
            assert_eq!(listed, expected);
        }
        ensure!(found > 1_000, "the filters leave only {found} tickets");
    }
    Ok(())
}

/// Every filter alone, and some together.
fn every_filter() -> Vec<Filter> {
    let filter = |set: fn(&mut Filter)| {
        let mut filter = Filter::default();
        set(&mut filter);
        filter
    };
    vec![
        Filter::default(),
        filter(|it| it.states = vec![State::Proposed]),
        filter(|it| it.states = State::ALL.to_vec()),
        filter(|it| it.category = "enrichment".into()),
        filter(|it| it.owner = "bert".into()),
        filter(|it| it.unowned = true),
        filter(|it| it.labels = vec!["cost".into()]),
        filter(|it| it.labels = vec!["cost".into(), "quality".into()]),
        filter(|it| it.rule = "slice_regression".into()),
        filter(|it| it.text = "timeouts".into()),
        filter(|it| it.text = "timeouts everywhere".into()),
        filter(|it| {
            it.states = State::ALL[..5].to_vec();
            it.category = "enrichment".into();
            it.rule = "slice_regression".into();
        }),
        filter(|it| {
            it.states = vec![State::Proposed, State::Accepted];
            it.text = "timeouts".into();
        }),
    ]
}

/// Steps of a plan of SQLite that read tickets without an index, or sort them. A page of each of several states is sorted to be put
/// together: that is no step over tickets.
fn slow_steps(plan: &[String]) -> Vec<&str> {
    let mut before = "";
    let mut slow = Vec::new();
    for step in plan {
        let is_slow = if step.starts_with("SCAN") {
            !step.contains("USING") && !["p", "w", "(subquery"].iter().any(|it| step[5..].starts_with(it))
        } else {
            step.starts_with("USE TEMP B-TREE") && !before.starts_with("SCAN")
        };
        if is_slow {
            slow.push(step.as_str());
        }
        before = step;
    }
    slow
}

#[tokio::test]
async fn every_filter_in_every_order_is_read_from_an_index_and_not_sorted() -> Result<()> {
    let (ledger, _database) = Database::sqlite()?.open_kept().await?;
    fill(&ledger, &mut StdRng::seed_from_u64(7)).await?;
    for order in ORDERS {
        for (filter, deep) in (every_filter().iter()).flat_map(|it| [(it.clone(), false), (it.clone(), true)])
        {
            let by_word = !filter.text.is_empty() && !matches!(order, Order::Newest | Order::Oldest);
            let after = deep.then(|| Cursor {
                number: 60,
                revision: 60,
                due_date: "2026-12-03".into(),
            });
            let listing = Listing {
                filter,
                order,
                after,
                most: 10,
            };
            let plan = ledger.explain(&listing).await?;
            ensure!(!plan.is_empty(), "{listing:?}");
            // The few tickets of a word are sorted by a key that words do not have
            let expected: &[&str] = if by_word {
                &["USE TEMP B-TREE FOR ORDER BY"]
            } else {
                &[]
            };
            ensure!(slow_steps(&plan) == expected, "{listing:?}: {plan:#?}");
        }
    }
    Ok(())
}
