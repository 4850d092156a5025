//! Where decisions are missing, and why.

use jiff::Timestamp;
use kaizen_catalogue::Component;
use kaizen_findings::{Coverage, Finding, Gap, Missing, Reason, missing_data};
use kaizen_warehouse::queries::{QueryError, Window, data_window, rejections};

use super::super::Work;
use super::about;

/// Most gaps of a component that are told: the largest.
const MOST: usize = 10;

/// The gaps of every component in the period.
pub(super) async fn missing(work: &Work<'_>) -> Result<Vec<Finding>, QueryError> {
    let mut all: Vec<(&Component, Coverage)> = Vec::new();
    for component in work.catalogue.components() {
        let (period, now) = (work.analysis.period, work.analysis.created_at);
        if let Some(volume) = work.volume(component) {
            all.push((component, volume.coverage(period, now)));
        }
    }
    let mut found = Vec::new();
    for (at, (component, covered)) in all.iter().enumerate() {
        let others: Vec<&Coverage> = (all.iter().enumerate())
            .filter(|(other, _)| *other != at)
            .map(|(_, (_, covered))| covered)
            .collect();
        for gap in largest(covered.gaps()) {
            let missing = Missing {
                start: gap.start.as_second(),
                end: gap.end.as_second(),
                expected: gap.expected,
                present: gap.present,
                reason: reason(work, component, &gap, &others).await?,
            };
            found.push(missing_data(about(component), missing));
        }
    }
    Ok(found)
}

/// The gaps that lack most, in the order of time.
fn largest(gaps: &[Gap]) -> Vec<Gap> {
    let mut gaps = gaps.to_vec();
    gaps.sort_by(|a, b| (b.expected - b.present).total_cmp(&(a.expected - a.present)));
    gaps.truncate(MOST);
    gaps.sort_by_key(|gap| gap.start);
    gaps
}

async fn reason(
    work: &Work<'_>,
    component: &Component,
    gap: &Gap,
    others: &[&Coverage],
) -> Result<Reason, QueryError> {
    let rejected = rejections(&work.client, Window::new("gap", gap.start, gap.end)?).await?;
    if rejected as f64 >= (gap.expected - gap.present) / 2.0 {
        return Ok(Reason::Rejected);
    }
    let last = data_window(&work.client, Some(&component.log_type)).await?;
    if last.is_some_and(|window| window.end() <= first_after(gap)) {
        return Ok(Reason::NotYet);
    }
    // What others bring in the same hours; those that expect nothing say nothing.
    let brought: Vec<f64> = (others.iter())
        .filter_map(|it| it.between(gap.start, gap.end))
        .collect();
    Ok(match brought.as_slice() {
        [] => Reason::Unknown,
        all if all.iter().all(|it| *it < HALF) => Reason::AllSilent,
        _ => Reason::Silent,
    })
}

const HALF: f64 = 0.5;

/// An hour cut by the outage still has some decisions.
fn first_after(gap: &Gap) -> Timestamp {
    if gap.present > 0.0 { gap.end } else { gap.start }
}
