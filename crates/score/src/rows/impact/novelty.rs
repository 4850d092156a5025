//! Effects that fade: whether the interval holds their mean, and whether they are told from those that stay.

use anyhow::Result;

use super::super::Row;
use super::{REFERRED_IN, beside, exported, found, held, referred, share};
use crate::cell::Cell;
use crate::generate::change::Scenario;
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 19,
    title: "Novelty that wears off",
    light: false,
    score,
};

/// Effect at first, in standard deviations, and the days in which it halves.
const EFFECT: f64 = 2.0;
const HALF_LIFE: f64 = 7.0;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for phi in [0.0, 0.3, 0.6] {
        for controls in [0, 3] {
            let stays = Scenario {
                controls,
                ..Scenario::plain(phi, EFFECT)
            };
            let fades = Scenario {
                half_life: Some(HALF_LIFE),
                sample: 1,
                ..stays
            };
            let name = |what: &str| format!("φ {phi}, {}, {what}", beside(&stays));
            let fading = |what: &str, found: &[super::Found]| {
                Cell::new(
                    format!("{}: said to fade", name(what)),
                    share(found, |it| it.fading),
                )
                .constant("do nothing", 0.0)
                .constant("always alarm", 1.0)
            };
            let (fading_ones, staying) = (found(seeds, &fades)?, found(seeds, &stays)?);
            let export = exported(&referred(seeds, REFERRED_IN), &fades, "impact_held")?;
            cells.extend([
                held(&name("fades"), &fading_ones).referring(export),
                fading("fades", &fading_ones),
                fading("stays", &staying),
            ]);
        }
    }
    Ok(cells)
}
