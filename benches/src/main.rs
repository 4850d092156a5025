//! Kaizen beside its peers: the same events, broker and engine on the same cores, one after the other in one run. Writes what it
//! finds into `docs/benchmarks.md`; the ratios are what counts, not the seconds.
//!
//! ```text
//! options ─► figures ─────────────────────────► report
//!            [figure]: throughput, freshness,   [report]: tables and charts, each between
//!            backlog, outage, http,             the marks of its figure in the document
//!            tickets, history
//!              └─ [contender]: who is measured, on a [stage] with the events, by a [meter]
//! ```

mod contender;
mod figure;
mod meter;
mod options;
mod pace;
mod profile;
mod report;
mod simulated;
mod stage;

use anyhow::Result;
use clap::Parser;

use crate::figure::Figure;
use crate::options::Options;
use crate::report::Report;

#[tokio::main]
async fn main() -> Result<()> {
    kaizen_testkit::be_quiet();
    let options = Options::parse();
    if let Some(folder) = &options.profile {
        return profile::record(folder, options.events).await;
    }
    let mut report = Report::new()?;
    for figure in Figure::ALL {
        if options.only.includes(figure) {
            report.add(figure.measure(&options).await?)?;
        }
    }
    Ok(())
}
