use super::{About, Detail, Finding};
use crate::judge::Move;
use crate::words::difference;

/// Tells a change of level.
pub fn level_change(about: About<'_>, found: Move) -> Finding {
    let unit = about.unit;
    let text = format!(
        "{} {} and stayed there: {} (95 % interval {} to {})",
        about.title,
        if found.effect > 0.0 { "rose" } else { "fell" },
        difference(found.effect, unit),
        difference(found.interval.0, unit),
        difference(found.interval.1, unit),
    );
    about.finding(text, Some(!found.is_improving), Detail::LevelChange(found))
}
