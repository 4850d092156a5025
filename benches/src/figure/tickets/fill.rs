//! Fills a ledger: some tickets by the ledger's own means, then copies of them by the database, under further numbers and
//! revisions. Nine of ten are old, most of these at an end; the others are new. Of the audit nothing is copied: no list reads it.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use kaizen_ledger::{Change, Evidence, Implementation, Ledger, Link, LinkKind, NewTicket, State};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use super::question::{CATEGORIES, LABELS, OWNERS, RULES, word};

/// Tickets that are copied together: so many old ones, and so many new ones.
const BLOCK: u64 = 250;
/// Writers at once.
const AT_ONCE: u64 = 50;

/// Fills an empty ledger with `tickets`, a multiple of 5,000, so that a tenth is a whole number of blocks.
pub async fn fill(ledger: &Ledger, url: &str, tickets: u64) -> Result<()> {
    let mut random = StdRng::seed_from_u64(1);
    for first in (0..2 * BLOCK).step_by(AT_ONCE as usize) {
        let mut work = Vec::new();
        for index in first..first + AT_ONCE {
            let new = new_ticket(index, &mut random)?;
            let path = path(index < BLOCK, &mut random);
            work.push(async move { live(ledger, &new, &path).await });
        }
        try_join_all(work).await?;
    }
    let revisions = ledger.revision().await?;
    let connection = &mut AnyConnection::connect(url).await?;
    let is_postgres = connection.backend_name() == "PostgreSQL";
    if !is_postgres {
        connection
            .execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;")
            .await?;
    }
    connection
        .execute("CREATE TABLE bench_terms AS SELECT * FROM ticket_terms")
        .await?;
    let blocks = tickets / BLOCK;
    let old = blocks * 9 / 10;
    for block in 2..blocks {
        let of = u64::from(block > old);
        copy(connection, of, block, revisions).await?;
    }
    connection.execute("DROP TABLE bench_terms").await?;
    let last = i64::try_from(blocks)? * revisions;
    let turn = format!("UPDATE ledger_turn SET revision = {last}, last_ticket = {tickets}");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(turn))).await?;
    if is_postgres {
        // As its autovacuum does after a while
        connection.execute("VACUUM ANALYZE").await?;
    }
    let found = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM tickets")
        .fetch_one(&mut *connection)
        .await?;
    ensure!(found == i64::try_from(tickets)?, "{found} tickets");
    Ok(())
}

/// Copies the block of old (0) or new (1) tickets to a place.
async fn copy(connection: &mut AnyConnection, of: u64, place: u64, revisions: i64) -> Result<()> {
    let (first, last) = (of * BLOCK + 1, (of + 1) * BLOCK);
    let number = format!("number + {}", (place - of) * BLOCK);
    let revision = format!("revision + {}", i64::try_from(place)? * revisions);
    let of_block = format!("WHERE number BETWEEN {first} AND {last}");
    let mut transaction = connection.begin().await?;
    for statement in [
        format!(
            "INSERT INTO tickets (number, revision, state, is_open, title, description, category, metric, rule, owner, labels, due_date, \
             links, duplicate_of, recommendation_id, evidence, implementation, created_at, created_by, updated_at, request_id, request_digest) \
             SELECT {number}, {revision}, state, is_open, title, description, category, metric, rule, owner, labels, due_date, links, \
             duplicate_of, CASE recommendation_id WHEN '' THEN '' ELSE recommendation_id || '-{place}' END, evidence, implementation, \
             created_at, created_by, updated_at, request_id || '-{place}', request_digest FROM tickets {of_block}"
        ),
        format!(
            "INSERT INTO ticket_terms (term, number, revision, due_date) SELECT term, {number}, \
             CASE revision WHEN 0 THEN 0 ELSE {revision} END, due_date FROM bench_terms {of_block}"
        ),
    ] {
        transaction
            .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
            .await?;
    }
    transaction.commit().await.context("a block of tickets")
}

fn new_ticket(index: u64, random: &mut StdRng) -> Result<NewTicket> {
    let words =
        |random: &mut StdRng, count: usize| (0..count).map(|_| word(random)).collect::<Vec<_>>().join(" ");
    let due = random.random_bool(0.4).then(|| {
        let (month, day) = (random.random_range(1..13), random.random_range(1..29));
        format!("2027-{month:02}-{day:02}").parse()
    });
    let rule = *RULES.choose(random).context("one")?;
    Ok(NewTicket {
        request_id: format!("q{index}"),
        actor: "anna".into(),
        title: format!("{} only{index}", words(random, 6)),
        description: words(random, 25),
        category: (*CATEGORIES.choose(random).context("one")?).into(),
        metric: "lead_enrichment.success_rate".into(),
        rule: rule.into(),
        owner: match random.random_range(0..OWNERS * 5 / 3) {
            owner if owner < OWNERS => format!("person {owner}"),
            _ => String::new(),
        },
        labels: labels(random),
        due_date: due.transpose()?,
        links: vec![Link {
            kind: LinkKind::PullRequest,
            url: format!("https://code.example/pulls/{index}"),
            title: String::new(),
        }],
        evidence: (!rule.is_empty()).then(|| evidence(index, rule)),
    })
}

/// Of `a` and `b`, each on a quarter of the tickets, few tickets have both.
fn labels(random: &mut StdRng) -> Vec<String> {
    let mut labels: Vec<String> = (0..2)
        .map(|_| format!("label {}", random.random_range(0..LABELS)))
        .collect();
    match random.random_range(0..1_000) {
        0..2 => labels.extend(["a".into(), "b".into()]),
        2..250 => labels.push("a".into()),
        250..500 => labels.push("b".into()),
        _ => {}
    }
    labels
}

/// A recommendation as long as those of an analysis.
fn evidence(index: u64, rule: &str) -> Evidence {
    let estimate = json!({"value": -0.12, "lower": -0.16, "upper": -0.08});
    let recommendation = json!({
        "rule": rule, "category": "enrichment", "component": "lead_enrichment", "metric": "lead_enrichment.success_rate",
        "slice": [["source", "Hunter"], ["industry", "logistics"]],
        "title": "Mend what is wrong with Hunter in logistics", "description": "A sentence that says what was found. ".repeat(12),
        "action_items": ["Look at what changed. ".repeat(6), "Change it back for this slice. ".repeat(6), "Measure it. ".repeat(6)],
        "difficulty": "easy", "effort_hours": 6.0,
        "evidence": {"what": "success_rate", "unit": "", "before": 0.81, "now": 0.69, "n": 4812.0, "effect": estimate, "p_value": 1e-9},
        "impact": {"per_week": estimate, "improvement": estimate, "improvement_percent": 17.4},
        "roi": null, "certainty": 0.93, "score": 12.5, "priority": "HIGH",
        "would_change": "Fewer decisions of this slice would make it MEDIUM.", "candidates": [], "coverage": 0.99,
    });
    let content = json!({
        "analysis_id": "2027-W03", "code_version": "0.1.0", "start": "2027-01-18T00:00:00Z", "end": "2027-01-25T00:00:00Z",
        "recommendation": recommendation,
    });
    Evidence {
        recommendation_id: format!("r{index}"),
        content: content.to_string(),
    }
}

/// The states that a ticket goes through after it is proposed.
fn path(old: bool, random: &mut StdRng) -> Vec<State> {
    use State::{
        Accepted, Cancelled, Implemented, InProgress, Inconclusive, Measuring, NoEffect, Reopened, Verified,
        Worse,
    };
    let verdict = [Verified, Verified, NoEffect, Worse, Inconclusive][random.random_range(0..5)];
    let whole = vec![Accepted, InProgress, Implemented, Measuring, verdict];
    match random.random_range(0..100) {
        0..15 => vec![Cancelled],
        15..18 => [whole, vec![Reopened]].concat(),
        18..90 if old => whole,
        _ => whole[..random.random_range(0..5)].to_vec(),
    }
}

/// Creates a ticket and takes it along its path.
async fn live(ledger: &Ledger, new: &NewTicket, path: &[State]) -> Result<()> {
    let number = ledger.create(new).await?.number;
    for state in path {
        let implementation = Implementation {
            kind: "prompt".into(),
            component: "lead_enrichment".into(),
            version: "v13".into(),
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
