//! Days that are missing after the change.

use anyhow::Result;

use super::super::Row;
use super::held_and_called;
use crate::cell::Cell;
use crate::generate::change::{Missing, Scenario};
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 22,
    title: "Missing days in the window after the change",
    light: false,
    score,
};

/// What is missing, and the height of a week's course.
const CASES: [(&str, Missing, f64); 5] = [
    ("a day in ten, before and after", Missing::Everywhere(0.1), 0.0),
    ("a day in three", Missing::After(1.0 / 3.0), 0.0),
    ("a week in a row", Missing::Gap(7), 0.0),
    ("two weeks in a row, of a week's course", Missing::Gap(14), 1.0),
    ("all weekends, of a week's course", Missing::Weekends, 1.0),
];

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for phi in [0.0, 0.3, 0.6] {
        for (name, missing, height) in CASES {
            let scenario = Scenario {
                missing,
                week: (height, height),
                ..Scenario::plain(phi, 0.0)
            };
            cells.extend(held_and_called(seeds, &format!("φ {phi}, {name}"), &scenario)?);
        }
    }
    Ok(cells)
}
