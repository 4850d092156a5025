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
use crate::meter::{cpu, family_cpu};
use crate::options::Options;
use crate::report::{Section, Table, grouped};

/// Lists walked of a filter and an order in a round.
const WALKS: usize = 2;
/// Pages of a list.
const PAGES: usize = 8;

/// What pages took, in the order of [`FILTERS`], each in [`ORDERS`].
type Taken = Vec<Vec<Duration>>;

/// Where tickets are.
struct Place {
    name: &'static str,
    url: String,
    ledger: Ledger,
}

impl Place {
    async fn fill(name: &'static str, url: String, tickets: u64) -> Result<Self> {
        let began = Instant::now();
        let ledger = Ledger::open(&read(&url)?, "").await?;
        fill::fill(&ledger, &url, tickets).await?;
        tell(&format!(
            "{name}: filled in {:.0} s",
            began.elapsed().as_secs_f64()
        ));
        Ok(Self { name, url, ledger })
    }
}

/// Fills SQLite and PostgreSQL, and asks both.
pub async fn measure(options: &Options) -> Result<Section> {
    let folder = tempfile::TempDir::new()?;
    let cluster = Postgres::start().await?;
    let stack = Stack::start().await?;
    let file = format!("sqlite://{}/ledger.db", folder.path().display());
    let places = tokio::try_join!(
        Place::fill("SQLite", file, options.tickets),
        Place::fill("PostgreSQL", cluster.database("ledger").await?, options.tickets)
    )?;
    let (mut columns, mut costs) = (Vec::new(), Vec::new());
    for place in [places.0, places.1] {
        let pages = (cells().count() * walks(options) * PAGES) as f64;
        // SQLite is in the process that asks
        let server = (place.name == "PostgreSQL")
            .then(|| cluster.part().id())
            .transpose()?;
        let spent = |server: Option<u32>, process: u32| -> Result<f64> {
            let all = server.map(family_cpu).transpose()?.unwrap_or_default() + cpu(process)?;
            Ok(all.as_secs_f64() * 1e3 / pages)
        };
        let before = spent(server, std::process::id())?;
        columns.push(at_ledger(&place.ledger, options).await?);
        costs.push(spent(server, std::process::id())? - before);
        place.ledger.close().await;
        tell(&format!("{}: the ledger is measured", place.name));
        let url = [("KAIZEN__LEDGER__URL", place.url.as_str())];
        let reporting = Service::start("reporting", true, &stack, &url).await?;
        let process = reporting.part().id()?;
        let before = spent(server, process)?;
        columns.push(over_grpc(&reporting, options).await?);
        costs.push(spent(server, process)? - before);
    }
    Ok(Section::plain(Figure::Tickets, text(options, &columns, &costs)?))
}

fn walks(options: &Options) -> usize {
    WALKS * options.runs as usize
}

fn text(options: &Options, columns: &[Taken], costs: &[f64]) -> Result<String> {
    let load = std::fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
    let costs: Vec<String> = costs.iter().map(|it| format!("{it:.1}")).collect();
    Ok(format!(
        "{} tickets, pages of {PAGE}; milliseconds, median and 99th percentile of {} pages. CPU of a page on average, database included, \
         in the order of the columns: {} ms. Load average of the machine at the end: {}.\n\n{}",
        grouped(options.tickets),
        walks(options) * PAGES,
        costs.join(", "),
        load.split(' ').next().unwrap_or_default(),
        table(columns)
    ))
}

fn read(url: &str) -> Result<LedgerUrl> {
    url.parse()
        .map_err(|rule: String| anyhow::anyhow!("{url} {rule}"))
}

async fn at_ledger(ledger: &Ledger, options: &Options) -> Result<Taken> {
    let mut random = StdRng::seed_from_u64(2);
    let revisions = ledger.revision().await?;
    let mut taken = Taken::new();
    for (filter, order) in cells() {
        let mut pages = Vec::new();
        for walk in 0..walks(options) {
            let question = Question::new(filter, order, &mut random)?;
            let mut after =
                (walk % 2 == 1).then(|| question::middle(&mut random, options.tickets, revisions));
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

async fn over_grpc(reporting: &Service, options: &Options) -> Result<Taken> {
    let mut client: TrackerServiceClient<Channel> = TrackerServiceClient::connect(reporting.url())
        .await
        .context("reporting")?;
    let mut random = StdRng::seed_from_u64(2);
    let (mut taken, mut found) = (Taken::new(), 0);
    for (filter, order) in cells() {
        let mut pages = Vec::new();
        for _ in 0..walks(options) {
            let mut request = Question::new(filter, order, &mut random)?.request();
            for _ in 0..PAGES {
                let began = Instant::now();
                let answer = client.list_tickets(request.clone()).await?.into_inner();
                pages.push(began.elapsed());
                found += answer.tickets.len();
                request.page_token = answer.next_page_token;
            }
        }
        taken.push(pages);
    }
    ensure!(found > 0, "no list finds anything");
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
