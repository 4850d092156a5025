//! Slices that the change did not touch: of one of its dimensions the other values, the rest of the slice kept.

use kaizen_catalogue::Metric;
use kaizen_ledger::Ticket;
use kaizen_stats::Impact;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{QueryError, Split};

use super::Asked;
use super::asked::filter;
use super::measure::Days;
use super::series::{Series, Wanted, fetch};

/// Values of a dimension that are looked at.
const MOST: u32 = 12;
/// A control has a value on this share of the days.
const PRESENT: f64 = 0.8;

/// Comparable slices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Controls {
    /// What they are other values of; `None` where the change touched everything.
    pub beside: Option<Beside>,
    /// What they are called: `source = Hunter`.
    pub names: Vec<String>,
    /// Their days.
    pub series: Vec<Series>,
    /// Slices that are none, and why.
    pub refused: Vec<(String, String)>,
}

/// A condition of the slice, whose other values are looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// Its dimension.
    pub dimension: String,
    /// Its value.
    pub value: String,
    /// The other conditions, which hold for the controls too.
    pub kept: Vec<(String, String)>,
}

/// Of the slice's dimensions, the one whose other values have the most decisions.
///
/// # Errors
/// Any [`QueryError`].
pub async fn find(
    client: &Client,
    asked: &Asked<'_>,
    days: &Days,
    others: &[Ticket],
) -> Result<Controls, QueryError> {
    let mut best: Option<(f64, Controls)> = None;
    for at in 0..asked.slice.len() {
        let beside = Beside::of(&asked.slice, at);
        let wanted = Wanted {
            component: asked.component,
            metric: asked.metric,
            filters: beside.kept.iter().map(filter).collect(),
            split: Split::Largest(beside.dimension.clone(), MOST),
            now: asked.now,
        };
        let groups = fetch(client, &wanted, days).await?;
        let groups = groups.into_iter().filter(|it| it.group != beside.value);
        let mut controls = Controls::default();
        for series in groups {
            let slice = beside.slice(&series.group);
            let name = beside.name(&series.group);
            let why = touched(asked, &slice, others).or_else(|| too_little(asked.metric, &series));
            match why {
                Some(why) => controls.refused.push((name, why)),
                None => {
                    controls.names.push(name);
                    controls.series.push(series);
                }
            }
        }
        controls.beside = Some(beside);
        let size: f64 = (controls.series.iter().flat_map(Series::samples)).sum();
        if best.as_ref().is_none_or(|(largest, _)| size > *largest) {
            best = Some((size, controls));
        }
    }
    Ok(best.map(|(_, controls)| controls).unwrap_or_default())
}

/// A metric in the slice, and in the controls that have enough of it.
///
/// # Errors
/// Any [`QueryError`].
pub async fn with_controls(
    client: &Client,
    asked: &Asked<'_>,
    days: &Days,
    used: &Used<'_>,
) -> Result<(Option<Series>, Controls), QueryError> {
    let Some(beside) = used.beside.filter(|_| !used.groups.is_empty()) else {
        let wanted = Wanted {
            component: asked.component,
            metric: asked.metric,
            filters: asked.filters(),
            split: Split::Whole,
            now: asked.now,
        };
        return Ok((fetch(client, &wanted, days).await?.pop(), Controls::default()));
    };
    let groups = [beside.value.as_str()]
        .into_iter()
        .chain(used.groups.iter().copied());
    let wanted = Wanted {
        component: asked.component,
        metric: asked.metric,
        filters: beside.kept.iter().map(filter).collect(),
        split: Split::Among(beside.dimension.clone(), groups.map(str::to_owned).collect()),
        now: asked.now,
    };
    let mut own = None;
    let mut controls = Controls::default();
    for series in fetch(client, &wanted, days).await? {
        if series.group == beside.value {
            own = Some(series);
        } else if too_little(asked.metric, &series).is_none() {
            controls.names.push(beside.name(&series.group));
            controls.series.push(series);
        }
    }
    Ok((own, controls))
}

/// The controls that a measurement used.
pub struct Used<'a> {
    /// What they are other values of.
    pub beside: Option<&'a Beside>,
    /// Their values.
    pub groups: Vec<&'a str>,
}

impl Controls {
    /// Those that were used to measure the change. Where chance dealt the change no series was looked at: any may be used.
    pub fn used_by(&self, measured: &Impact) -> Used<'_> {
        let uses = measured.series.as_ref().map(|it| &it.controls);
        let is_used = |name: &str| {
            uses.is_none_or(|uses| uses.iter().any(|it| it.name == name && it.refused.is_none()))
        };
        let all = self.names.iter().zip(&self.series);
        Used {
            beside: self.beside.as_ref(),
            groups: all
                .filter(|(name, _)| is_used(name))
                .map(|(_, series)| series.group.as_str())
                .collect(),
        }
    }
}

impl Beside {
    /// The condition of that place, beside the others.
    fn of(slice: &[(String, String)], at: usize) -> Self {
        let mut kept = slice.to_vec();
        let (dimension, value) = kept.remove(at);
        Self {
            dimension,
            value,
            kept,
        }
    }

    /// The slice with another value.
    fn slice(&self, value: &str) -> Vec<(String, String)> {
        let mut slice = self.kept.clone();
        slice.push((self.dimension.clone(), value.to_owned()));
        slice
    }

    /// What it is called.
    fn name(&self, value: &str) -> String {
        kaizen_findings::in_words(&[(self.dimension.clone(), value.to_owned())])
    }
}

/// Which ticket changed a slice and not the one that is measured; what touched both sides is no difference between them.
fn touched(asked: &Asked<'_>, slice: &[(String, String)], others: &[Ticket]) -> Option<String> {
    let touching = (others.iter()).find(|it| touches(it, slice) && !touches(it, &asked.slice));
    touching.map(|ticket| format!("{} changed it in these days", ticket.id()))
}

/// Why a slice has too little of a metric to be a control.
fn too_little(metric: &Metric, series: &Series) -> Option<String> {
    let there = series.values.iter().filter(|value| value.is_finite()).count();
    if (there as f64) < PRESENT * series.values.len() as f64 {
        return Some("it has no value on too many days".to_owned());
    }
    let decisions: f64 = series.samples().iter().sum();
    let days = series.days.len().max(1) as f64;
    let least = metric.minimum_sample as f64;
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
