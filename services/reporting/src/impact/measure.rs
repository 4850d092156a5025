//! Measures what a ticket changed.

use std::ops::Range;

use kaizen_api::tracker::v1 as wire;
use kaizen_catalogue::Direction;
use kaizen_ledger::LedgerError;
use kaizen_stats::{Arms, Control, Impact, Question, Unmeasurable, impact, impact_following};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{QueryError, Split, Volume, volume};

use super::controls::{self, Controls};
use super::course::Course;
use super::series::{self, Series, Wanted, is_number};
use super::{Asked, Measurer, Unasked, answer, arms, guardrails, overlaps};

/// Days of a week: the season of the days' values.
const WEEK: usize = 7;

/// Why an impact was not measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The ticket asks nothing.
    #[error(transparent)]
    Unasked(#[from] Unasked),
    /// The days tell nothing.
    #[error(transparent)]
    Unmeasurable(#[from] Unmeasurable),
    /// ClickHouse gave no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The ledger gave no answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The days around a change.
pub(super) struct Days {
    pub(super) course: Course,
    /// Days before the change that are no baseline.
    pub(super) excluded: Range<usize>,
    /// What the coverage of the component rests on in these days; `None` without any.
    pub(super) volume: Option<Volume>,
}

impl Days {
    /// The days of a ticket's change.
    async fn of(client: &Client, asked: &Asked<'_>) -> Result<Self, QueryError> {
        let course = Course::around(asked.change.at, asked.period, asked.now);
        let volume = match course.window()? {
            Some(window) => Some(volume(client, asked.component, window).await?),
            None => None,
        };
        Ok(Self {
            excluded: asked.raised().map_or(0..0, |raised| course.overlapping(raised)),
            course,
            volume,
        })
    }
}

/// A metric on the days around a change, and what it is compared with.
pub(super) struct Observed {
    pub(super) days: Days,
    pub(super) series: Series,
    pub(super) controls: Controls,
}

/// Measures what `asked` asks, with the data there are.
///
/// # Errors
/// Any [`MeasureError`].
pub async fn measure(measurer: &Measurer, asked: &Asked<'_>) -> Result<wire::Impact, MeasureError> {
    let client = &measurer.client;
    let days = Days::of(client, asked).await?;
    let others = overlaps::tickets(measurer, asked, &days.course).await?;
    let wanted = Wanted {
        component: asked.component,
        metric: asked.metric,
        filters: asked.filters(),
        split: Split::Whole,
        now: asked.now,
    };
    let mut found = series::fetch(client, &wanted, &days).await?;
    let observed = Observed {
        series: found.pop().ok_or(Unmeasurable::Before(0))?,
        controls: controls::find(client, asked, &days, &others).await?,
        days,
    };
    let Observed {
        days,
        series,
        controls,
    } = &observed;
    let arms = arms::find(client, asked, &days.course).await?;
    let measured = put(asked, days, series, controls, arms.as_ref())?;
    let used = controls.used_by(&measured);
    let guardrails = guardrails::measure(client, asked, days, &used).await?;
    let overlaps = overlaps::find(client, asked, &days.course, &others).await?;
    Ok(answer::put_together(
        asked,
        &measurer.costs,
        &observed,
        &measured,
        guardrails,
        overlaps,
    ))
}

/// Puts the question of a metric to the statistics: its series on the days, beside controls, with arms if there are any.
pub(super) fn put(
    asked: &Asked<'_>,
    days: &Days,
    series: &Series,
    controls: &Controls,
    arms: Option<&Arms>,
) -> Result<Impact, Unmeasurable> {
    let controls: Vec<Control<'_>> = (controls.names.iter().zip(&controls.series))
        .map(|(name, control)| Control {
            name,
            values: &control.values,
        })
        .collect();
    let samples = series.samples();
    let (raised, before) = (&days.excluded, days.course.before);
    let sides = [0..raised.start, raised.start..before, before..series.days.len()];
    let is_number = is_number(&asked.metric.expression);
    let scales = if is_number { None } else { series.scales(&sides) };
    let question = Question {
        values: &series.values,
        change: before,
        samples: (!is_number).then_some(&samples),
        scales: scales.as_deref(),
        controls: &controls,
        seasons: &[WEEK],
        excluded: std::slice::from_ref(raised),
        higher_is_better: asked.metric.direction == Direction::HigherIsBetter,
        horizon: asked.horizon as usize,
        arms,
    };
    if asked.restores() && !raised.is_empty() {
        impact_following(&question, raised)
    } else {
        impact(&question)
    }
}
