//! `kaizen score`: the methods of the analysis pointed at data from elsewhere, the same code with nothing to set.

mod cube;
mod impact;
mod read;
mod roi;
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
    /// A series around a change: CSV with the columns `timestamp,value`, and if there are any `n` (how many decisions the value
    /// rests on) and `control_…` (series that the change did not touch). Prints JSON: `method`, `effect` (mean of the values
    /// after less what they would have been) with its 95 % `interval`, `p_positive` (that the effect is above 0), `verdict`
    /// (`improved`, `worse`, `no_detectable_change` or `cannot_tell`; good for a look every day), `detectable` (the smallest
    /// effect that is called with a probability of 80 %), and what they rest on
    #[arg(long, value_name = "FILE", group = "data", requires = "change")]
    impact: Option<PathBuf>,
    /// When the change was made: a time or number as in the file; what was observed then or later is after it
    #[arg(long, value_name = "TIME", requires = "impact")]
    change: Option<String>,
    /// Times that are no baseline, from the first to before the second: those that made someone think of the change
    #[arg(long, value_name = "FROM..TO", requires = "impact")]
    exclude: Vec<String>,
    /// A fall of the value is an improvement
    #[arg(long, requires = "impact")]
    lower_is_better: bool,
    /// A return: JSON with `effect` and its 95 % `interval`, or `before` and `after` (a value a day); `volume`, `unit_value`,
    /// `hours`, `rate`, and if they are not 0, true and 28 `running_cost`, `higher_is_better` and `days`. Prints JSON as
    /// `--impact`: `effect` is benefit less cost over the days, `verdict` is `gain`, `loss`, `cannot_tell` or `not_computed`
    #[arg(long, value_name = "FILE", group = "data")]
    roi: Option<PathBuf>,
}

/// Runs it.
pub fn run(score: &Score) -> anyhow::Result<()> {
    if let Some(file) = &score.series {
        series::run(file, score.online)
    } else if let Some(file) = &score.cube {
        cube::run(file)
    } else if let (Some(file), Some(change)) = (&score.impact, &score.change) {
        impact::run(file, change, &score.exclude, score.lower_is_better)
    } else if let Some(file) = &score.roi {
        roi::run(file)
    } else {
        Ok(())
    }
}
