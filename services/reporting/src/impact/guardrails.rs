//! The other metrics of the component: what the change did to them beside what it was for.

use kaizen_api::convert;
use kaizen_api::tracker::v1 as wire;
use kaizen_catalogue::Metric;
use kaizen_stats::Impact;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::QueryError;

use super::Asked;
use super::answer::verdict;
use super::controls::Controls;
use super::estimate::estimate;
use super::measure::{Observed, put};
use super::series::{Wanted, fetch};

/// A guardrail, and the means that go into the record of the numbers.
pub struct Guarded {
    /// As the wire has it.
    pub guardrail: wire::Guardrail,
    /// What was measured.
    pub measured: Option<Impact>,
}

/// Measures every other metric of the component on the same days in the same slice, each expression once, without controls:
/// the season is taken out of each.
///
/// # Errors
/// Any [`QueryError`].
pub async fn measure(
    client: &Client,
    asked: &Asked<'_>,
    observed: &Observed,
) -> Result<Vec<Guarded>, QueryError> {
    let mut seen = vec![&asked.metric.expression];
    let mut all = Vec::new();
    for metric in &asked.component.metrics {
        if seen.contains(&&metric.expression) {
            continue;
        }
        seen.push(&metric.expression);
        all.push(one(client, asked, metric, observed).await?);
    }
    Ok(all)
}

async fn one(
    client: &Client,
    asked: &Asked<'_>,
    metric: &Metric,
    observed: &Observed,
) -> Result<Guarded, QueryError> {
    let wanted = Wanted {
        component: asked.component,
        metric,
        filters: asked.filters(),
        split: None,
        now: asked.now,
    };
    let found = fetch(client, &wanted, &observed.course).await?.pop();
    let asked = Asked {
        metric,
        ..asked.clone()
    };
    let alone = Observed {
        course: observed.course.clone(),
        series: observed.series.clone(),
        controls: Controls::default(),
        excluded: observed.excluded.clone(),
    };
    let measured = match &found {
        Some(series) => put(&asked, &alone, series, None).map_err(|error| error.to_string()),
        None => Err("it has no days".to_owned()),
    };
    let wire_metric = Some(convert::metric(asked.component, metric));
    Ok(match measured {
        Ok(measured) => Guarded {
            guardrail: wire::Guardrail {
                metric: wire_metric,
                verdict: verdict(measured.verdict).into(),
                effect: Some(estimate(measured.effect, measured.interval)),
                unmeasurable: String::new(),
            },
            measured: Some(measured),
        },
        Err(unmeasurable) => Guarded {
            guardrail: wire::Guardrail {
                metric: wire_metric,
                verdict: wire::ImpactVerdict::Unspecified.into(),
                effect: None,
                unmeasurable,
            },
            measured: None,
        },
    })
}
