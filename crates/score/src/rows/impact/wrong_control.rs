//! Whether a control that misleads is told from those that do not.

use anyhow::Result;

use super::super::Row;
use super::held_and_called;
use crate::cell::Cell;
use crate::generate::change::{Scenario, Wrong};
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 18,
    title: "One wrong control",
    light: false,
    score,
};

/// How many good controls there are beside the wrong one, and what is wrong with it.
const CASES: [(&str, usize, Wrong); 7] = [
    ("one of two moves by 1 sd", 1, Wrong::Moves(1.0)),
    ("one of two moves by 2 sd", 1, Wrong::Moves(2.0)),
    ("one of four moves by 1 sd", 3, Wrong::Moves(1.0)),
    ("one of four moves by 2 sd", 3, Wrong::Moves(2.0)),
    ("one of three is unlike all", 2, Wrong::Unrelated),
    ("the only one moves by 1 sd", 0, Wrong::Moves(1.0)),
    ("the only one moves by 2 sd", 0, Wrong::Moves(2.0)),
];

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for phi in [0.0, 0.3, 0.6] {
        for (name, controls, wrong) in CASES {
            let scenario = Scenario {
                controls,
                wrong,
                ..Scenario::plain(phi, 0.0)
            };
            cells.extend(held_and_called(seeds, &format!("φ {phi}, {name}"), &scenario)?);
        }
    }
    Ok(cells)
}
