//! How long a page of tickets takes, on SQLite and on PostgreSQL: `cargo run --release -p kaizen-ledger --example lists -- [TICKETS]`.
//! Makes both in temporary folders, fills them with 100,000 tickets (some minutes) and prints percentiles of each kind of list.
#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use futures::future::try_join_all;
use kaizen_ledger::{
    Change, Cursor, Filter, Implementation, Ledger, LedgerUrl, Listing, NewTicket, Order, State,
};
use kaizen_testkit::Postgres;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

const PAGE: u32 = 50;
const QUESTIONS: usize = 400;
const CATEGORIES: [&str; 4] = ["message_generation", "enrichment", "scraping", "airtable"];
const RULES: [&str; 6] = [
    "",
    "slice_regression",
    "losing_group",
    "failure_kind",
    "decline",
    "missing_data",
];

/// The kinds of lists: from those that people look at to the worst that can be asked for.
const KINDS: [&str; 12] = [
    "everything, newest first",
    "everything, latest change first",
    "everything, soonest due first",
    "one state",
    "five open states, latest change first",
    "an owner and a state",
    "a label",
    "two labels that are common and seldom together",
    "a rule, a category and a state, soonest due first",
    "two words",
    "a word that only one ticket has",
    "a deep page of a state",
];

fn word(random: &mut StdRng) -> String {
    // Few words are common, most are rare
    let rank = (2_000_f64.powf(random.random::<f64>())) as u32;
    format!("w{rank}")
}

fn new_ticket(index: usize, random: &mut StdRng) -> Result<NewTicket> {
    let words =
        |random: &mut StdRng, count: usize| (0..count).map(|_| word(random)).collect::<Vec<_>>().join(" ");
    let due = random.random_bool(0.4).then(|| {
        let (month, day) = (random.random_range(1..13), random.random_range(1..29));
        format!("2027-{month:02}-{day:02}").parse()
    });
    Ok(NewTicket {
        request_id: format!("q{index}"),
        actor: "anna".into(),
        title: format!("{} only{index}", words(random, 6)),
        description: words(random, 25),
        category: (*CATEGORIES.choose(random).context("one")?).into(),
        metric: "enrichment.success_rate".into(),
        rule: (*RULES.choose(random).context("one")?).into(),
        owner: match random.random_range(0..50) {
            0..20 => String::new(),
            owner => format!("person {owner}"),
        },
        labels: labels(random),
        due_date: due.transpose()?,
        links: Vec::new(),
        evidence: None,
    })
}

/// Of `a` and `b`, each on a quarter of the tickets, one in a thousand tickets has both.
fn labels(random: &mut StdRng) -> Vec<String> {
    let mut labels: Vec<String> = (0..2)
        .map(|_| format!("label {}", random.random_range(0..300)))
        .collect();
    match random.random_range(0..1_000) {
        0 => labels.extend(["a".into(), "b".into()]),
        1..250 => labels.push("a".into()),
        250..500 => labels.push("b".into()),
        _ => {}
    }
    labels
}

async fn fill(ledger: &Ledger, tickets: usize) -> Result<()> {
    const AT_ONCE: usize = 50;
    let mut random = StdRng::seed_from_u64(1);
    for first in (0..tickets).step_by(AT_ONCE) {
        let mut work = Vec::new();
        for index in first..(first + AT_ONCE).min(tickets) {
            let new = new_ticket(index, &mut random)?;
            let steps = random.random_range(0..7);
            let ends = random.random_bool(0.05);
            work.push(async move { live(ledger, &new, steps, ends).await });
        }
        try_join_all(work).await?;
    }
    Ok(())
}

/// Creates a ticket and takes it some steps along its life.
async fn live(ledger: &Ledger, new: &NewTicket, steps: usize, ends: bool) -> Result<()> {
    let path = [
        State::Accepted,
        State::InProgress,
        State::Implemented,
        State::Measuring,
        State::Verified,
    ];
    let path = if ends {
        &[State::Cancelled][..]
    } else {
        &path[..steps.min(path.len())]
    };
    let number = ledger.create(new).await?.number;
    for state in path {
        let implementation = Implementation {
            at: jiff::Timestamp::UNIX_EPOCH,
            kind: "prompt".into(),
            component: String::new(),
            version: String::new(),
            description: String::new(),
            ..Implementation::default()
        };
        let change = Change {
            actor: "anna".into(),
            comment: "because".into(),
            state: Some(*state),
            implementation: (*state == State::Implemented).then_some(implementation),
            ..Change::default()
        };
        ledger.change(number, None, &change).await?;
    }
    Ok(())
}

fn question(kind: usize, tickets: usize, random: &mut StdRng) -> Listing {
    let mut filter = Filter::default();
    let mut order = Order::Newest;
    let mut after = None;
    let state = State::ALL[[0, 1, 2, 3, 4, 5, 9][random.random_range(0..7)]];
    match kind {
        1 => order = Order::LatestChange,
        2 => order = Order::SoonestDue,
        3 => filter.states = vec![state],
        4 => {
            filter.states = State::ALL[..5].to_vec();
            order = Order::LatestChange;
        }
        5 => {
            filter.owner = format!("person {}", random.random_range(20..50));
            filter.states = vec![state];
        }
        6 => filter.labels = vec![format!("label {}", random.random_range(0..300))],
        7 => filter.labels = vec!["a".into(), "b".into()],
        8 => {
            filter.rule = RULES[random.random_range(1..6)].into();
            filter.category = CATEGORIES[random.random_range(0..4)].into();
            filter.states = vec![state];
            order = Order::SoonestDue;
        }
        9 => filter.text = format!("{} {}", word(random), word(random)),
        10 => filter.text = format!("only{}", random.random_range(0..tickets)),
        11 => {
            filter.states = vec![State::Verified];
            let number = i64::try_from(random.random_range(1..tickets)).unwrap_or(1);
            after = Some(Cursor {
                number,
                revision: 0,
                due_date: String::new(),
            });
        }
        _ => {}
    }
    Listing {
        filter,
        order,
        after,
        most: PAGE + 1,
    }
}

async fn measure(name: &str, ledger: &Ledger, tickets: usize) -> Result<()> {
    let mut random = StdRng::seed_from_u64(2);
    let mut all = Vec::new();
    println!("\n{name}: {tickets} tickets, pages of {PAGE}, {QUESTIONS} questions a kind, milliseconds");
    println!("{:>8} {:>8} {:>8}  {:>7}", "p50", "p99", "most", "tickets");
    for (kind, title) in KINDS.iter().enumerate() {
        let (mut taken, mut found) = (Vec::new(), 0);
        for _ in 0..QUESTIONS {
            let question = question(kind, tickets, &mut random);
            let began = Instant::now();
            found += ledger.list(&question).await?.len();
            taken.push(began.elapsed());
        }
        all.extend(taken.iter().copied());
        row(&mut taken, found, title);
    }
    row(&mut all, 0, "all together");
    Ok(())
}

fn row(taken: &mut [Duration], found: usize, title: &str) {
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{:>8.2} {:>8.2} {:>8.2}  {:>7}  {title}",
        at(0.5),
        at(0.99),
        at(1.0),
        found / QUESTIONS
    );
}

fn read(url: &str) -> Result<LedgerUrl> {
    url.parse().map_err(|rule| anyhow!("{url} {rule}"))
}

#[tokio::main]
async fn main() -> Result<()> {
    kaizen_testkit::be_quiet();
    let tickets = std::env::args().nth(1).map_or(Ok(100_000), |it| it.parse())?;
    let folder = tempfile::TempDir::new()?;
    let sqlite = read(&format!("sqlite://{}/ledger.db", folder.path().display()))?;
    let cluster = Postgres::start().await?;
    let postgres = read(&cluster.database("ledger").await?)?;
    for (name, url) in [("SQLite", sqlite), ("PostgreSQL", postgres)] {
        let ledger = Ledger::open(&url, "").await?;
        let began = Instant::now();
        fill(&ledger, tickets).await?;
        let changes = ledger.revision().await?;
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{name}: {changes} changes in {seconds:.0} s, {:.0} a second",
            changes as f64 / seconds
        );
        measure(name, &ledger, tickets).await?;
        ledger.close().await;
    }
    Ok(())
}
