//! Slices that the change did not touch: of one of its dimensions the other values, the rest of the slice kept.

use kaizen_ledger::Ticket;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::QueryError;

use super::Asked;
use super::asked::filter;
use super::course::Course;
use super::series::{Series, Wanted, fetch};

/// Values of a dimension that are looked at.
const MOST: u32 = 12;
/// A control has a value on this share of the days.
const PRESENT: f64 = 0.8;

/// Comparable slices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Controls {
    /// What they are called: `source = Hunter`.
    pub names: Vec<String>,
    /// Their days.
    pub series: Vec<Series>,
    /// Slices that are none, and why.
    pub refused: Vec<(String, String)>,
}

/// Of the slice's dimensions, the one whose other values have the most decisions.
///
/// # Errors
/// Any [`QueryError`].
pub async fn find(
    client: &Client,
    asked: &Asked<'_>,
    course: &Course,
    others: &[Ticket],
) -> Result<Controls, QueryError> {
    let mut best: Option<(f64, Controls)> = None;
    for (at, (dimension, value)) in asked.slice.iter().enumerate() {
        let kept: Vec<(String, String)> = (asked.slice.iter().enumerate())
            .filter(|(other, _)| *other != at)
            .map(|(_, condition)| condition.clone())
            .collect();
        let wanted = Wanted {
            component: asked.component,
            metric: asked.metric,
            filters: kept.iter().map(filter).collect(),
            split: Some((dimension.clone(), MOST)),
            now: asked.now,
        };
        let groups = fetch(client, &wanted, course).await?;
        let groups = groups.into_iter().filter(|it| it.group != *value);
        let mut controls = Controls::default();
        for series in groups {
            let mut slice = kept.clone();
            slice.push((dimension.clone(), series.group.clone()));
            let name = kaizen_findings::in_words(&slice[slice.len() - 1..]);
            match refusal(asked, &slice, &series, others) {
                Some(why) => controls.refused.push((name, why)),
                None => {
                    controls.names.push(name);
                    controls.series.push(series);
                }
            }
        }
        let size: f64 = (controls.series.iter().flat_map(Series::samples)).sum();
        if best.as_ref().is_none_or(|(largest, _)| size > *largest) {
            best = Some((size, controls));
        }
    }
    Ok(best.map(|(_, controls)| controls).unwrap_or_default())
}

/// Why a slice is no control.
fn refusal(
    asked: &Asked<'_>,
    slice: &[(String, String)],
    series: &Series,
    others: &[Ticket],
) -> Option<String> {
    // What touched both sides is no difference between them
    let touching = (others.iter()).find(|it| touches(it, slice) && !touches(it, &asked.slice));
    if let Some(ticket) = touching {
        return Some(format!("{} changed it in these days", ticket.id()));
    }
    let there = series.values.iter().filter(|value| value.is_finite()).count();
    if (there as f64) < PRESENT * series.values.len() as f64 {
        return Some("it has no value on too many days".to_owned());
    }
    let decisions: f64 = series.samples().iter().sum();
    let days = series.days.len().max(1) as f64;
    let least = asked.metric.minimum_sample as f64;
    // A week that is thin tells nothing that a day could be compared with
    (decisions / days * 7.0 < least).then(|| format!("it has fewer than {least} decisions a week"))
}

/// Whether a ticket's change applies to some decisions of a slice.
fn touches(ticket: &Ticket, slice: &[(String, String)]) -> bool {
    let Some(change) = &ticket.implementation else {
        return false;
    };
    let recommended = || {
        let frozen = ticket.evidence.as_ref().map(crate::tracker::Frozen::parse);
        // What cannot be read is taken to touch everything
        frozen.and_then(Result::ok).map(|it| it.recommendation.slice)
    };
    let changed = if change.slice.is_empty() {
        recommended().unwrap_or_default()
    } else {
        change.slice.clone()
    };
    changed.iter().all(|(dimension, value)| {
        let same = slice.iter().find(|(other, _)| other == dimension);
        same.is_none_or(|(_, other)| other == value)
    })
}
