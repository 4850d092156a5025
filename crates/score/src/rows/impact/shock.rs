//! Something that happens to all series at the time of the change.

use anyhow::Result;

use super::super::Row;
use super::{beside, held_and_called};
use crate::cell::Cell;
use crate::generate::change::Scenario;
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 20,
    title: "A shock at the time of the change",
    light: false,
    score,
};

/// Controls and how alike.
const CONTROLS: [(usize, f64); 6] = [(3, 0.3), (3, 0.6), (3, 0.8), (8, 0.6), (1, 0.6), (0, 0.6)];

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for phi in [0.3, 0.6] {
        for shock in [1.0, 2.0] {
            for (controls, alike) in CONTROLS {
                let scenario = Scenario {
                    controls,
                    alike,
                    shock,
                    ..Scenario::plain(phi, 0.0)
                };
                let name = format!("φ {phi}, all {shock} sd higher, {}", beside(&scenario));
                cells.extend(held_and_called(seeds, &name, &scenario)?);
            }
        }
    }
    Ok(cells)
}
