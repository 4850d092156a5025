use super::{About, Detail, Finding};
use crate::judge::Anomaly;
use crate::words::told;

/// Tells an anomaly.
pub fn anomaly(about: About<'_>, found: Anomaly) -> Finding {
    let text = format!(
        "{} was {} for {}, unusually {}: {:.0} standard deviations from what was likely",
        about.title,
        told(found.value, about.unit),
        if found.step > 3_600 { "a day" } else { "an hour" },
        if found.is_high { "high" } else { "low" },
        found.score,
    );
    about.finding(text, Some(!found.is_improving), Detail::Anomaly(found))
}
