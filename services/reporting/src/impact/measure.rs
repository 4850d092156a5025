//! Measures what a ticket changed.

use kaizen_api::tracker::v1 as wire;
use kaizen_catalogue::Direction;
use kaizen_ledger::LedgerError;
use kaizen_stats::{Control, Impact, Question, Unmeasurable, impact, impact_following};
use kaizen_warehouse::queries::QueryError;

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

/// The days around a change, and what they are compared with.
pub(super) struct Observed {
    pub(super) course: Course,
    pub(super) series: Series,
    pub(super) controls: Controls,
    /// Days before the change that are no baseline.
    pub(super) excluded: std::ops::Range<usize>,
}

/// Measures what `asked` asks, with the data there are.
///
/// # Errors
/// Any [`MeasureError`].
pub async fn measure(measurer: &Measurer, asked: &Asked<'_>) -> Result<wire::Impact, MeasureError> {
    let course = Course::around(asked.change.at, asked.period, asked.now);
    let others = overlaps::tickets(measurer, asked, &course).await?;
    let client = &measurer.client;
    let wanted = Wanted {
        component: asked.component,
        metric: asked.metric,
        filters: asked.filters(),
        split: None,
        now: asked.now,
    };
    let mut found = series::fetch(client, &wanted, &course).await?;
    let series = found.pop().ok_or(Unmeasurable::Before(0))?;
    let observed = Observed {
        controls: controls::find(client, asked, &course, &others).await?,
        excluded: asked.raised().map_or(0..0, |raised| course.overlapping(raised)),
        course,
        series,
    };
    let arms = arms::find(client, asked, &observed.course).await?;
    let measured = put(asked, &observed, &observed.series, arms.as_ref())?;
    let guardrails = guardrails::measure(client, asked, &observed).await?;
    let overlaps = overlaps::find(client, asked, &observed.course, &others).await?;
    Ok(answer::put_together(
        asked,
        &measurer.costs,
        &observed,
        &measured,
        guardrails,
        overlaps,
    ))
}

/// Puts the question to the statistics.
pub(super) fn put(
    asked: &Asked<'_>,
    observed: &Observed,
    series: &Series,
    arms: Option<&kaizen_stats::Arms>,
) -> Result<Impact, Unmeasurable> {
    let names = observed.controls.names.iter();
    let controls: Vec<Control<'_>> = names
        .zip(&observed.controls.series)
        .map(|(name, control)| Control {
            name,
            values: &control.values,
        })
        .collect();
    let samples = series.samples();
    let (raised, before) = (&observed.excluded, observed.course.before);
    let sides = [0..raised.start, raised.start..before, before..series.days.len()];
    let scales = if is_number(&asked.metric.expression) {
        None
    } else {
        series.scales(&sides)
    };
    let question = Question {
        values: &series.values,
        change: observed.course.before,
        samples: (!is_number(&asked.metric.expression)).then_some(&samples),
        scales: scales.as_deref(),
        controls: &controls,
        seasons: &[WEEK],
        excluded: std::slice::from_ref(&observed.excluded),
        higher_is_better: asked.metric.direction == Direction::HigherIsBetter,
        horizon: asked.horizon as usize,
        arms,
    };
    if asked.restores() && !observed.excluded.is_empty() {
        impact_following(&question, &observed.excluded)
    } else {
        impact(&question)
    }
}
