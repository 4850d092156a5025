//! The other metrics of the component: what the change did to them beside what it was for.

use kaizen_api::convert;
use kaizen_api::tracker::v1 as wire;
use kaizen_stats::Impact;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::QueryError;

use super::answer::verdict;
use super::controls::{Used, with_controls};
use super::estimate::estimate;
use super::measure::{Days, put};
use super::{Asked, arms};

/// A guardrail, and the means that go into the record of the numbers.
pub struct Guarded {
    /// As the wire has it.
    pub guardrail: wire::Guardrail,
    /// What was measured.
    pub measured: Option<Impact>,
}

/// Measures every other metric of the component on the same days in the same slice, each expression once, by the same ladder: by
/// the arms of the ticket's experiment, beside the controls that the ticket's own metric used as far as they have enough of
/// this one, or by its season alone.
///
/// # Errors
/// Any [`QueryError`].
pub async fn measure(
    client: &Client,
    asked: &Asked<'_>,
    days: &Days,
    used: &Used<'_>,
) -> Result<Vec<Guarded>, QueryError> {
    let mut seen = vec![&asked.metric.expression];
    let mut all = Vec::new();
    for metric in &asked.component.metrics {
        if seen.contains(&&metric.expression) {
            continue;
        }
        seen.push(&metric.expression);
        let asked = Asked {
            metric,
            ..asked.clone()
        };
        all.push(one(client, &asked, days, used).await?);
    }
    Ok(all)
}

async fn one(
    client: &Client,
    asked: &Asked<'_>,
    days: &Days,
    used: &Used<'_>,
) -> Result<Guarded, QueryError> {
    let (series, controls) = with_controls(client, asked, days, used).await?;
    let arms = arms::find(client, asked, &days.course).await?;
    let measured = match &series {
        Some(series) => put(asked, days, series, &controls, arms.as_ref()).map_err(|error| error.to_string()),
        None => Err("it has no days".to_owned()),
    };
    let wire_metric = Some(convert::metric(asked.component, asked.metric));
    Ok(match measured {
        Ok(measured) => Guarded {
            guardrail: wire::Guardrail {
                metric: wire_metric,
                verdict: verdict(measured.verdict).into(),
                effect: Some(estimate(measured.effect, measured.interval)),
                unmeasurable: String::new(),
                method: measured.method.as_str().to_owned(),
            },
            measured: Some(measured),
        },
        Err(unmeasurable) => Guarded {
            guardrail: wire::Guardrail {
                metric: wire_metric,
                verdict: wire::ImpactVerdict::Unspecified.into(),
                effect: None,
                unmeasurable,
                method: String::new(),
            },
            measured: None,
        },
    })
}
