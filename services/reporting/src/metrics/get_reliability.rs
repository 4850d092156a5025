use kaizen_api::analysis::v1::{
    GetReliabilityRequest, GetReliabilityResponse, ReliabilityCurve, ReliabilityLevel,
};
use kaizen_api::convert;
use kaizen_api::status::{invalid_argument, query_failed};
use kaizen_catalogue::{Component, StatedOf};
use kaizen_stats::{
    Predicted, ReliabilityBin, calibration, expected_calibration_error, reliability_curve, wilson_interval,
};
use kaizen_warehouse::queries::{Label, Labelled, Window, labelled, stated_probabilities};
use tonic::Status;

use super::Metrics;
use super::query_metric::window;

/// Bins of stated probabilities.
const BINS: usize = 10;
/// What came of a decision, by the names that decisions have for it.
const SUCCESS: &str = "success";
const SUCCESS_INDICATOR: &str = "success_indicator";

pub async fn answer(
    metrics: &Metrics,
    request: GetReliabilityRequest,
) -> Result<GetReliabilityResponse, Status> {
    let all = metrics.catalogue.components();
    let component = all.iter().find(|it| it.name == request.component);
    let component = component.ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
        invalid_argument("component", format!("must be one of {}", names.join(", ")))
    })?;
    let window = window("window", request.window)?;
    let mut curves = Vec::new();
    for label in Label::ALL {
        let found = labelled(&metrics.client, component, label, window);
        let found = found.await.map_err(query_failed)?;
        curves.extend(of_label(label, SUCCESS, &found, |it| (it.successes, it.n)));
        curves.extend(of_label(label, SUCCESS_INDICATOR, &found, |it| {
            (it.positives, it.judged)
        }));
    }
    curves.extend(of_probabilities(metrics, component, window).await?);
    Ok(GetReliabilityResponse {
        component: component.name.clone(),
        window: Some(convert::window(window)),
        curves,
    })
}

/// What came of the decisions of each label; `None` where nothing did of any.
fn of_label(
    label: Label,
    of: &str,
    found: &[Labelled],
    counts: impl Fn(&Labelled) -> (u64, u64),
) -> Option<ReliabilityCurve> {
    let level = |it: &Labelled| {
        let (hits, n) = counts(it);
        (n > 0).then(|| ReliabilityLevel {
            stated: it.label.clone(),
            mean_stated: it.score,
            observed: hits as f64 / n as f64,
            interval: Some(convert::ends(wilson_interval(hits as f64, n as f64, 0.95))),
            n,
        })
    };
    let levels: Vec<ReliabilityLevel> = found.iter().filter_map(level).collect();
    (!levels.is_empty()).then(|| ReliabilityCurve {
        stated_by: label.name().to_owned(),
        of: of.to_owned(),
        levels,
        ..ReliabilityCurve::default()
    })
}

/// What came of the decisions of each stated probability, in bins of about the same size.
async fn of_probabilities(
    metrics: &Metrics,
    component: &Component,
    window: Window,
) -> Result<Option<ReliabilityCurve>, Status> {
    let Some(by) = &component.stated_probability else {
        return Ok(None);
    };
    let stated = stated_probabilities(&metrics.client, component, by, window);
    let stated = stated.await.map_err(query_failed)?;
    let predicted = |(probability, trials, successes)| Predicted {
        probability,
        trials,
        successes,
    };
    let predicted: Vec<Predicted> = stated.into_iter().map(predicted).collect();
    let bins = reliability_curve(&predicted, BINS);
    if bins.is_empty() {
        return Ok(None);
    }
    let of = match by.of {
        StatedOf::Success => SUCCESS,
        StatedOf::SuccessIndicator => SUCCESS_INDICATOR,
    };
    Ok(Some(ReliabilityCurve {
        stated_by: by.measure.clone(),
        of: of.to_owned(),
        levels: bins.iter().rev().map(bin).collect(),
        expected_calibration_error: Some(expected_calibration_error(&bins)),
        p_value: calibration(&predicted).map(|it| it.p_value),
    }))
}

fn bin(it: &ReliabilityBin) -> ReliabilityLevel {
    ReliabilityLevel {
        stated: format!("{:.3}", it.stated),
        mean_stated: Some(it.stated),
        observed: it.observed,
        interval: Some(convert::ends(it.interval)),
        n: it.trials as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(label: &str, n: u64, judged: u64) -> Labelled {
        Labelled {
            label: label.to_owned(),
            score: None,
            n,
            successes: n / 2,
            judged,
            positives: judged,
        }
    }

    #[test]
    fn a_label_of_which_nothing_came_is_no_point_of_the_curve() {
        let found = [labelled("high", 10, 4), labelled("low", 6, 0)];
        let of =
            |counts: fn(&Labelled) -> (u64, u64)| of_label(Label::ConfidenceLevel, SUCCESS, &found, counts);
        let told = |curve: Option<ReliabilityCurve>| -> Vec<(String, u64, f64)> {
            let levels = curve.map(|it| it.levels).unwrap_or_default();
            let one = |it: ReliabilityLevel| (it.stated, it.n, it.observed);
            levels.into_iter().map(one).collect()
        };
        let all = [("high".to_owned(), 10, 0.5), ("low".to_owned(), 6, 0.5)];
        assert_eq!(told(of(|it| (it.successes, it.n))), all);
        assert_eq!(
            told(of(|it| (it.positives, it.judged))),
            [("high".to_owned(), 4, 1.0)]
        );
        assert_eq!(of(|_| (0, 0)), None);
        let curve = of(|it| (it.successes, it.n)).unwrap();
        let interval = curve.levels[0].interval.unwrap();
        assert!(
            0.2 < interval.lower && interval.lower < 0.5 && interval.upper < 0.8,
            "{interval:?}"
        );
    }
}
