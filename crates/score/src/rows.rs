//! The rows of the table of scores, one a file.

pub(crate) mod calibration;
mod duplicates;
pub(crate) mod false_alarms;
pub(crate) mod family;
mod forecasts;
pub(crate) mod impact;
mod labels;
mod missing;
pub(crate) mod online_delay;
pub(crate) mod season_change;
pub(crate) mod slices;
pub(crate) mod step_located;
mod tail;
pub(crate) mod trend_power;
mod trend_size;

use anyhow::Result;

use crate::cell::Cell;
use crate::seeds::Seeds;

/// A row.
pub struct Row {
    /// Its number in the table.
    pub number: u8,
    /// What it asks.
    pub title: &'static str,
    /// Whether a thousand seeds take no time: a quick run has them too.
    pub light: bool,
    /// Simulates, analyses and counts.
    pub score: fn(&Seeds) -> Result<Vec<Cell>>,
}

/// All rows, in their order.
pub const ROWS: &[Row] = &[
    trend_size::ROW,
    trend_power::ROW,
    season_change::ROW,
    family::ROW,
    false_alarms::ROW,
    step_located::ROW,
    online_delay::ROW,
    slices::ROW,
    impact::coverage::ROW,
    impact::looks::ROW,
    impact::stated::ROW,
    impact::returns::ROW,
    missing::ROW,
    duplicates::ROW,
    calibration::ROW,
    tail::ROW,
    impact::mean::ROW,
    impact::wrong_control::ROW,
    impact::novelty::ROW,
    impact::shock::ROW,
    impact::season::ROW,
    impact::missing_days::ROW,
    impact::portfolio::ROW,
    forecasts::ROW,
    labels::ROW,
];
