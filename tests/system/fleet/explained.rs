//! What changed the fleet's metrics is what the scenario planted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::{ExplainChangeRequest, ExplainChangeResponse, Metric};
use kaizen_testkit::Sandbox;
use tonic::Code;

use super::{Fault, Truth};
use crate::client::{metrics, window};

const LONGEST: Duration = Duration::from_secs(2);

/// Explains the last week of every metric: each fault is named once, and nothing else is.
pub async fn the_planted_slices_are_named_and_no_others(
    sandbox: &Sandbox,
    truth: &Truth,
    listed: &[Metric],
) -> Result<()> {
    let mut named = Vec::new();
    for metric in listed {
        let Some(answer) = explain(sandbox, truth, &metric.name).await? else {
            continue;
        };
        for culprit in answer.culprits {
            let slice: BTreeMap<_, _> = (culprit.slice.into_iter())
                .map(|condition| (condition.dimension, condition.value))
                .collect();
            let interval = culprit.interval.context("an interval")?;
            named.push((metric.name.clone(), slice, [interval.lower, interval.upper]));
        }
    }
    for fault in &truth.faults {
        let slice = slice(fault);
        let found: Vec<_> = named
            .iter()
            .filter(|(metric, it, _)| *metric == fault.metric && *it == slice)
            .collect();
        let [(.., [_, upper])] = found.as_slice() else {
            anyhow::bail!("{}: {slice:?} is not named once in {named:?}", fault.metric);
        };
        ensure!(
            *upper < 0.0,
            "{}: {slice:?} got worse by {upper} or more",
            fault.metric
        );
    }
    // Metrics of one component may share what is planted.
    let is_planted = |name: &str, it: &BTreeMap<_, _>| {
        let component = |name: &str| name.split('.').next().map(str::to_owned);
        let mut faults = truth.faults.iter();
        faults.any(|fault| component(&fault.metric) == component(name) && slice(fault) == *it)
    };
    named.retain(|(metric, slice, _)| !is_planted(metric, slice));
    ensure!(named.is_empty(), "named besides: {named:?}");
    Ok(())
}

/// `None` for what is not explained: numbers and sums.
async fn explain(sandbox: &Sandbox, truth: &Truth, metric: &str) -> Result<Option<ExplainChangeResponse>> {
    let end: jiff::Timestamp = truth.window.end.parse()?;
    let start = end - jiff::SignedDuration::from_hours(168);
    let request = ExplainChangeRequest {
        metric: metric.to_owned(),
        window: Some(window(&start.to_string(), &truth.window.end)?),
        ..ExplainChangeRequest::default()
    };
    let began = Instant::now();
    match metrics(sandbox).await?.explain_change(request).await {
        Ok(answer) => {
            ensure!(began.elapsed() < LONGEST, "{metric} took {:?}", began.elapsed());
            Ok(Some(answer.into_inner()))
        }
        Err(refused)
            if refused.code() == Code::InvalidArgument && refused.message().starts_with("metric ") =>
        {
            Ok(None)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Where the scenario has it: by name, or by pointer.
pub fn slice(fault: &Fault) -> BTreeMap<String, String> {
    let name = |it: &String| it.rsplit('/').next().unwrap_or_default().to_owned();
    (fault.slice.iter())
        .map(|(dimension, value)| (name(dimension), value.clone()))
        .collect()
}
