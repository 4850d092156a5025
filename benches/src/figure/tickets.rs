//! How long a page of tickets takes among very many, on both databases: asked of the ledger, and of reporting over gRPC.
//!
//! Every filter is asked for in every order, from its first page on; at the ledger half of them from a place in the middle.

mod fill;
mod question;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_ledger::{Cursor, Ledger, LedgerUrl};
use kaizen_testkit::{Postgres, Service, Stack};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tonic::transport::Channel;

use self::question::{FILTERS, Named, ORDERS, PAGE, Question};
use super::{Figure, tell};
use crate::options::Options;
use crate::report::{Section, Table, grouped};

/// Lists walked of a filter and an order.
const WALKS: usize = 12;
/// Pages of a list.
const PAGES: usize = 8;

/// What pages took, in the order of [`FILTERS`], each in [`ORDERS`].
type Taken = Vec<Vec<Duration>>;

/// Fills SQLite and PostgreSQL, and asks both.
pub async fn measure(options: &Options) -> Result<Section> {
    let folder = tempfile::TempDir::new()?;
    let cluster = Postgres::start().await?;
    let stack = Stack::start().await?;
    let mut columns = Vec::new();
    for (name, url) in [
        (
            "SQLite",
            format!("sqlite://{}/ledger.db", folder.path().display()),
        ),
        ("PostgreSQL", cluster.database("ledger").await?),
    ] {
        let began = Instant::now();
        let ledger = Ledger::open(&read(&url)?, "").await?;
        fill::fill(&ledger, &url, options.tickets).await?;
        tell(&format!(
            "{name}: filled in {:.0} s",
            began.elapsed().as_secs_f64()
        ));
        columns.push(at_ledger(&ledger, options.tickets).await?);
        ledger.close().await;
        tell(&format!("{name}: the ledger is measured"));
        let reporting = Service::start("reporting", true, &stack, &[("KAIZEN__LEDGER__URL", &url)]).await?;
        columns.push(over_grpc(&reporting).await?);
    }
    let text = format!(
        "{} tickets, pages of {PAGE}; milliseconds, median and 99th percentile of {} pages.\n\n{}",
        grouped(options.tickets),
        WALKS * PAGES,
        table(&columns)
    );
    Ok(Section::plain(Figure::Tickets, text))
}

fn read(url: &str) -> Result<LedgerUrl> {
    url.parse()
        .map_err(|rule: String| anyhow::anyhow!("{url} {rule}"))
}

async fn at_ledger(ledger: &Ledger, tickets: u64) -> Result<Taken> {
    let mut random = StdRng::seed_from_u64(2);
    let revisions = ledger.revision().await?;
    let mut taken = Taken::new();
    for (filter, order) in cells() {
        let mut pages = Vec::new();
        for walk in 0..WALKS {
            let question = Question::new(filter, order, &mut random)?;
            let mut after = (walk % 2 == 1).then(|| question::middle(&mut random, tickets, revisions));
            for _ in 0..PAGES {
                let listing = question.listing(after.take());
                let began = Instant::now();
                let found = ledger.list(&listing).await?;
                pages.push(began.elapsed());
                // A list that ends begins again
                after = found
                    .last()
                    .filter(|_| found.len() as u64 == PAGE)
                    .map(Cursor::behind);
            }
        }
        taken.push(pages);
    }
    Ok(taken)
}

async fn over_grpc(reporting: &Service) -> Result<Taken> {
    let mut client: TrackerServiceClient<Channel> = TrackerServiceClient::connect(reporting.url())
        .await
        .context("reporting")?;
    let mut random = StdRng::seed_from_u64(2);
    let mut taken = Taken::new();
    for (filter, order) in cells() {
        let (mut pages, mut found) = (Vec::new(), 0);
        for _ in 0..WALKS {
            let mut request = Question::new(filter, order, &mut random)?.request();
            for _ in 0..PAGES {
                let began = Instant::now();
                let answer = client.list_tickets(request.clone()).await?.into_inner();
                pages.push(began.elapsed());
                found += answer.tickets.len();
                request.page_token = answer.next_page_token;
            }
        }
        ensure!(found > 0, "{} finds nothing", filter.name);
        taken.push(pages);
    }
    Ok(taken)
}

fn cells() -> impl Iterator<Item = (&'static Named, usize)> {
    FILTERS
        .iter()
        .flat_map(|filter| (0..ORDERS.len()).map(move |order| (filter, order)))
}

fn table(columns: &[Taken]) -> String {
    let mut table = Table::new(&[
        "tickets",
        "order",
        "SQLite, p50",
        "p99",
        "over gRPC, p50",
        "p99",
        "PostgreSQL, p50",
        "p99",
        "over gRPC, p50",
        "p99",
    ]);
    for (index, (filter, order)) in cells().enumerate() {
        let quantiles = columns.iter().map(|taken| quantiles(taken[index].clone()));
        row(&mut table, filter.name, ORDERS[order].0, quantiles);
    }
    let all = columns.iter().map(|taken| quantiles(taken.concat()));
    row(&mut table, "all together", "", all);
    table.to_string()
}

fn row(table: &mut Table, filter: &str, order: &str, quantiles: impl Iterator<Item = [f64; 2]>) {
    let mut cells = quantiles.flatten().map(|it| format!("{it:.1}"));
    let mut next = || cells.next().unwrap_or_default();
    table.row([
        filter.to_owned(),
        order.to_owned(),
        next(),
        next(),
        next(),
        next(),
        next(),
        next(),
        next(),
        next(),
    ]);
}

/// Median and 99th percentile, in milliseconds.
fn quantiles(mut taken: Vec<Duration>) -> [f64; 2] {
    taken.sort_unstable();
    [0.5, 0.99].map(|share| {
        let rank = ((taken.len() as f64 * share).ceil() as usize).clamp(1, taken.len());
        taken[rank - 1].as_secs_f64() * 1e3
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let taken = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(quantiles(taken), [100.0, 198.0]);
        assert_eq!(quantiles(vec![Duration::from_millis(3)]), [3.0, 3.0]);
    }
}
