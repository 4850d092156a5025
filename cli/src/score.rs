//! `kaizen score`: the methods of the analysis pointed at data from elsewhere, the same code with nothing to set.

mod cube;
mod read;
mod series;

use std::path::PathBuf;

use clap::Args;

/// What to score.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("data").required(true)))]
pub struct Score {
    /// A series: CSV with the columns `timestamp,value`. Times are RFC 3339, YYYY-MM-DD, YYYY-MM-DD HH:MM:SS (UTC) or plain
    /// numbers, in any order, with gaps; an empty value is missing. Steps and seasons are worked out. Prints JSON: change
    /// points, anomalies (direction `high` or `low`), trend (`increasing`, `decreasing` or `stable`; null with fewer than 8
    /// values)
    #[arg(long, value_name = "FILE", group = "data")]
    series: Option<PathBuf>,
    /// Look at each point with the past alone: changes and anomalies stand where they could be told first
    #[arg(long, requires = "series")]
    online: bool,
    /// A cube: CSV with a column for each dimension and `actual,expected`, or for a ratio
    /// `actual,actual_total,expected,expected_total`. Prints JSON: the slices that deviate, the most important first; `effect`
    /// is how much more or less came than expected, -0.5 for half, with its 95 % interval
    #[arg(long, value_name = "FILE", group = "data")]
    cube: Option<PathBuf>,
}

/// Runs it.
pub fn run(score: &Score) -> anyhow::Result<()> {
    match (&score.series, &score.cube) {
        (Some(file), _) => series::run(file, score.online),
        (None, Some(file)) => cube::run(file),
        (None, None) => Ok(()),
    }
}
