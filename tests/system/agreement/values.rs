//! The values of every metric by the hour and by the day.

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kaizen_catalogue::{Component, Metric};
use kaizen_findings::Observed;
use kaizen_score::agreement::{self, Run};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{Hours, MetricQuery, Step, Volume, Window, hours, metric, volume};

use super::Seeds;
use super::compare::Differences;

/// The window from one second to another.
pub fn within((start, end): (i64, i64)) -> Result<Window> {
    let [start, end] = [start, end].map(Timestamp::from_second);
    Ok(Window::new("window", start?, end?)?)
}

/// A question about a metric, whole.
pub fn question<'a>(component: &'a Component, metric: &'a Metric, window: Window) -> MetricQuery<'a> {
    MetricQuery {
        component,
        metric,
        window,
        step: None,
        zone: TimeZone::UTC,
        filters: Vec::new(),
        group_by: None,
        compare_to: None,
        now: window.end(),
        volume: None,
        hours: None,
    }
}

/// What is asked of a component once for all of its metrics.
pub struct Known {
    volume: Volume,
    hours: Hours,
}

impl Known {
    /// Asks.
    pub async fn of(client: &Client, component: &Component) -> Result<Self> {
        let past = within(agreement::past())?;
        Ok(Self {
            volume: volume(client, component, past).await?,
            hours: hours(client, component, past).await?,
        })
    }
}

/// The values of a metric step by step: hours from those of the component, as the analysis has them; days by a question of their own,
/// as the API has them.
pub async fn steps(
    client: &Client,
    (component, wanted): (&Component, &Metric),
    step: Step,
    known: &Known,
) -> Result<Vec<Observed>> {
    let query = MetricQuery {
        step: Some(step),
        hours: (step == Step::Hour).then_some(&known.hours),
        volume: Some(&known.volume),
        ..question(component, wanted, within(agreement::past())?)
    };
    let answer = metric(client, &query).await?;
    let points = answer.series.into_iter().flat_map(|series| series.points);
    let observed = points.map(|point| Observed {
        start: point.start.as_second(),
        end: point.end.as_second(),
        value: point.value.value,
        n: point.value.n as f64,
        coverage: point.value.coverage,
        incomplete: point.incomplete,
    });
    Ok(observed.collect())
}

/// Compares all of them.
pub async fn compare(client: &Client, seeds: &Seeds, memory: &Run, found: &mut Differences) -> Result<()> {
    for (tenant, component) in seeds.tenants.iter().zip(seeds.catalogue.components()) {
        let known = Known::of(client, component).await?;
        for wanted in &component.metrics {
            let name = component.full_name(wanted);
            let past = memory
                .histories
                .iter()
                .find(|it| it.metric == name)
                .context("a history")?;
            let by_hour = steps(client, (component, wanted), Step::Hour, &known).await?;
            let by_day = steps(client, (component, wanted), Step::Day, &known).await?;
            for (memory, engine) in [(&past.hours, by_hour), (&past.days, by_day)] {
                found.same(format!("{tenant}: {name}: steps"), &memory.len(), &engine.len());
                let differing = memory
                    .iter()
                    .zip(&engine)
                    .find(|(memory, engine)| memory != engine);
                if let Some((memory, engine)) = differing {
                    found.same(
                        format!("{tenant}: {name}: its first step that differs"),
                        memory,
                        engine,
                    );
                }
            }
        }
    }
    Ok(())
}
