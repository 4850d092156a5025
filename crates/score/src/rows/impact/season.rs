//! A week's course that changes at the time of the change.

use anyhow::Result;

use super::super::Row;
use super::{beside, held_and_called};
use crate::cell::Cell;
use crate::generate::change::Scenario;
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 21,
    title: "A season that changes at the time of the change",
    light: false,
    score,
};

/// Height of the week's course before and after, in standard deviations.
const HEIGHTS: [(f64, f64); 5] = [(1.5, 0.5), (0.5, 1.5), (0.0, 1.5), (1.5, 0.0), (1.0, -1.0)];

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for phi in [0.0, 0.3, 0.6] {
        let plain = Scenario::plain(phi, 0.0);
        let with = HEIGHTS.map(|week| Scenario { week, ..plain });
        let controlled = Scenario {
            controls: 3,
            ..with[0]
        };
        for scenario in with.iter().chain([&controlled]) {
            let (before, after) = scenario.week;
            let name = format!(
                "φ {phi}, {}, a week's course of {before} sd, then {after}",
                beside(scenario)
            );
            cells.extend(held_and_called(seeds, &name, scenario)?);
        }
    }
    Ok(cells)
}
