//! Decisions that show what is recommended, so that a reader can look at some and list all.

use kaizen_catalogue::{Component, Direction, Metric};
use kaizen_findings::{Detail, Examples, LabelShape, Missing, REST, Recommendation};
use kaizen_warehouse::queries::{ExamplesQuery, Filter, Label, QueryError, Which, Window, examples};

use super::Work;

/// Examples of each side.
const FEW: u32 = 5;
const HOUR: i64 = 3_600;

/// Finds examples for every recommendation: within its slice, of the period the worst first, of the one before the latest.
///
/// # Errors
/// Any [`QueryError`].
pub async fn exemplify(work: &mut Work<'_>) -> Result<(), QueryError> {
    let catalogue = work.catalogue;
    let mut recommendations = std::mem::take(&mut work.recommendations);
    for (_, it) in &mut recommendations {
        let mut components = catalogue.components().iter();
        if let Some(component) = components.find(|component| component.name == it.component) {
            it.examples = of(work, component, it).await?;
        }
    }
    work.recommendations = recommendations;
    Ok(())
}

async fn of(work: &Work<'_>, component: &Component, it: &Recommendation) -> Result<Examples, QueryError> {
    let metric = work.catalogue.metric(&it.metric).map(|(_, metric)| metric);
    let (window, before) = (around(work, it)?, work.analysis.previous);
    let which = which(work, it, metric);
    // The slice of all other values cannot be asked for: its conditions that can be are shown.
    let filters = it.slice.iter().filter(|(_, value)| value != REST);
    let filters: Vec<(String, String)> = filters.cloned().collect();
    let query = ExamplesQuery {
        component,
        window,
        filters: filters.iter().map(filter).collect(),
        which,
        limit: FEW,
    };
    let earlier = ExamplesQuery {
        window: before,
        which: Which::Latest,
        ..query.clone()
    };
    let (what, unit) = shown(component, metric, which);
    Ok(Examples {
        what,
        unit,
        filters,
        window: seconds(window),
        window_before: seconds(before),
        now: examples(&work.client, &query).await?,
        before: examples(&work.client, &earlier).await?,
    })
}

fn filter((dimension, value): &(String, String)) -> Filter {
    Filter {
        dimension: dimension.clone(),
        values: vec![value.clone()],
    }
}

fn seconds(window: Window) -> (i64, i64) {
    (window.start().as_second(), window.end().as_second())
}

/// Which decisions show it best.
fn which<'a>(work: &Work<'_>, it: &Recommendation, metric: Option<&'a Metric>) -> Which<'a> {
    match metric {
        Some(metric) => Which::Worst {
            expression: &metric.expression,
            higher_is_better: metric.direction == Direction::HigherIsBetter,
        },
        None if it.rule == "miscalibrated_confidence" => Which::SureAndWrong,
        None if it.rule == "quality_outcome_mismatch" => {
            praised(work, it).map_or(Which::Latest, Which::PraisedAndWrong)
        }
        None => Which::Latest,
    }
}

/// The label of the output that it is about: of several, one that is the wrong way round, as its evidence is.
fn praised(work: &Work<'_>, it: &Recommendation) -> Option<Label> {
    let orders = work.findings.iter().filter_map(|found| match &found.detail {
        Detail::LabelOrder(order) if found.component == it.component => Some(order),
        _ => None,
    });
    let of_output = orders.filter(|order| order.label != Label::ConfidenceLevel.name());
    let first = of_output.min_by_key(|order| order.shape != LabelShape::Inverted)?;
    Label::ALL.into_iter().find(|label| label.name() == first.label)
}

/// What the values of the examples are, and their unit.
fn shown(component: &Component, metric: Option<&Metric>, which: Which<'_>) -> (String, String) {
    match (metric, which) {
        (Some(metric), _) => (metric.title.clone(), metric.unit.clone()),
        (None, Which::SureAndWrong) => match &component.stated_probability {
            Some(stated) => (stated.measure.clone(), "ratio".to_owned()),
            None => ("high confidence".to_owned(), String::new()),
        },
        (None, Which::PraisedAndWrong(Label::QualityScore)) => {
            ("Quality score".to_owned(), "score".to_owned())
        }
        (None, _) => (String::new(), String::new()),
    }
}

/// Where to look: in the period; for decisions that are missing, at the edges of the largest gap.
fn around(work: &Work<'_>, it: &Recommendation) -> Result<Window, QueryError> {
    let period = work.analysis.period;
    let gaps = work.findings.iter().filter_map(|found| match &found.detail {
        Detail::MissingData(gap) if found.component == it.component => Some(*gap),
        _ => None,
    });
    let lacks = |gap: &Missing| gap.expected - gap.present;
    let largest = gaps.max_by(|a, b| lacks(a).total_cmp(&lacks(b)));
    let Some(gap) = largest.filter(|_| it.rule == "low_coverage") else {
        return Ok(period);
    };
    let time = |second: i64| jiff::Timestamp::from_second(second).unwrap_or(period.start());
    let (start, end) = (time(gap.start - HOUR), time(gap.end + HOUR));
    Window::new("gap", start.max(period.start()), end.min(period.end()))
}
