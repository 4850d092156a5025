//! What a run over all components says, of what is in memory: the stages of `services/analysis`, put to sums that no engine made.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Result;
use kaizen_catalogue::{Component, Direction, Expression, Measure, Metric, SplitDenominator};
use kaizen_findings::{
    About, CellSums, Comparison, Detail, Explanation, Finding, Groups, History, Judgement, LabelCounts,
    MetricCube, Missing, Naming, Quantity, Reason, Stated, Trend, anomaly, explain, judge, label_order,
    latency_tail, level_change, level_order, missing_data, standings, stated_probabilities,
};
use kaizen_simulator::{Quantiles, Totals};
use kaizen_stats::{Predicted, proportion_dispersion};

use super::memory::{Memory, hits, moments};
use super::{PAST, WEEK, spans};

const DAY: usize = 24;
/// Chances that a run names any slice, and tells of any tail, label or confidence, when nothing happened.
const FALSE_ALARM: f64 = 0.01;
/// Most gaps of a component that are told.
const MOST_GAPS: usize = 10;

/// What a run found.
#[derive(Debug, Default)]
pub struct Run {
    /// The past of each metric, in the order of the catalogue.
    pub histories: Vec<History>,
    /// Which way each goes.
    pub trends: Vec<(String, Trend)>,
    /// Why they changed.
    pub explanations: Vec<(String, Explanation)>,
    /// What else was found.
    pub findings: Vec<Finding>,
}

/// A component, what its decisions add up to, and what they state, if anything checks that.
pub struct Of<'a> {
    /// In the catalogue of all.
    pub component: &'a Component,
    /// Its sums.
    pub memory: Memory<'a>,
    /// Stated probabilities of the last week; none where they are not counted.
    pub predicted: Vec<Predicted>,
    /// Decisions of the last week by their labels.
    pub labels: [LabelCounts; 3],
}

/// Runs over all of them, in the order of the catalogue.
///
/// # Errors
/// A scenario lacks a dimension of the catalogue.
pub fn run(all: &[Of<'_>]) -> Result<Run> {
    let metrics = all
        .iter()
        .flat_map(|it| it.component.metrics.iter().map(move |metric| (it, metric)));
    let metrics: Vec<(&Of<'_>, &Metric)> = metrics.collect();
    let histories: Vec<History> = metrics
        .iter()
        .map(|(it, metric)| it.memory.history(metric))
        .collect();
    let judged = judge(&histories, spans());
    let mut run = Run::default();
    for (((it, metric), history), found) in metrics.iter().zip(&histories).zip(judged) {
        run.trends.push((history.metric.clone(), found.trend.clone()));
        if is_new(it.component, metric) {
            run.findings
                .extend(turns(it.component, metric, &history.metric, &found));
        }
    }
    let wanted: Vec<_> = metrics
        .iter()
        .filter(|(it, metric)| is_new(it.component, metric))
        .collect();
    for (it, metric) in &wanted {
        let false_alarm = FALSE_ALARM / wanted.len() as f64;
        let name = it.component.full_name(metric);
        let before = histories
            .iter()
            .find(|it| it.metric == name)
            .and_then(|it| it.before.value);
        run.explanations
            .extend(why(it, metric, before, false_alarm)?.map(|found| (name, found)));
    }
    let significance = FALSE_ALARM / all.len() as f64;
    for it in all {
        run.findings.extend(inspected(it, &histories, significance)?);
    }
    run.findings.extend(all.iter().flat_map(gaps));
    run.histories = histories;
    Ok(run)
}

/// Whether no earlier metric has the same expression.
fn is_new(component: &Component, metric: &Metric) -> bool {
    let mut earlier = component.metrics.iter().take_while(|it| it.name != metric.name);
    !earlier.any(|it| it.expression == metric.expression)
}

fn turns(component: &Component, metric: &Metric, name: &str, found: &Judgement) -> Vec<Finding> {
    let about = of_metric(component, metric, name);
    let moves = found.moves.iter().map(|it| level_change(about, *it));
    moves
        .chain(found.anomalies.iter().map(|it| anomaly(about, *it)))
        .collect()
}

const fn of_metric<'a>(component: &'a Component, metric: &'a Metric, name: &'a str) -> About<'a> {
    About {
        component: component.name.as_str(),
        metric: name,
        title: metric.title.as_str(),
        unit: metric.unit.as_str(),
    }
}

const fn of_component(component: &Component) -> About<'_> {
    About {
        component: component.name.as_str(),
        metric: "",
        title: component.title.as_str(),
        unit: "",
    }
}

const fn week(before: usize) -> Range<usize> {
    PAST - (before + 1) * WEEK..PAST - before * WEEK
}

fn why(it: &Of<'_>, metric: &Metric, before: Option<f64>, false_alarm: f64) -> Result<Option<Explanation>> {
    let Some(before) = before else { return Ok(None) };
    let quantity = match metric.expression {
        Expression::Mean(_) | Expression::Share(_) => Quantity::Mean,
        Expression::Quantile(..) => Quantity::Above(before),
        _ => return Ok(None),
    };
    let dimensions: Vec<&str> = it.component.explaining(metric).collect();
    let naming = Naming {
        least_count: metric.minimum_sample as f64,
        least_effect: None,
        false_alarm,
    };
    Ok(Some(explain(&cube(it, metric, quantity, &dimensions)?, &naming)))
}

fn cube(it: &Of<'_>, metric: &Metric, quantity: Quantity, dimensions: &[&str]) -> Result<MetricCube> {
    let cells = cells(it, metric, quantity, dimensions)?;
    Ok(MetricCube::of(quantity, dimensions, cells)?)
}

/// In the order of the engine's: of the values' JSON.
fn cells(
    it: &Of<'_>,
    metric: &Metric,
    quantity: Quantity,
    dimensions: &[&str],
) -> Result<Vec<(Vec<String>, [CellSums; 2])>> {
    let mut cells: BTreeMap<String, (Vec<String>, [CellSums; 2])> = BTreeMap::new();
    for (at, hours) in [week(1), week(0)].into_iter().enumerate() {
        for (values, totals) in it.memory.by(dimensions, hours)? {
            let key = serde_json::to_string(&values)?;
            let (_, sums) = cells
                .entry(key)
                .or_insert_with(|| (values, [CellSums::default(); 2]));
            sums[at] = sums_of(it.component, &metric.expression, quantity, &totals);
        }
    }
    Ok(cells.into_values().collect())
}

fn sums_of(component: &Component, expression: &Expression, quantity: Quantity, totals: &Totals) -> CellSums {
    let of_hits = |n: u64, hits: u64| CellSums {
        n: n as f64,
        sum: hits as f64,
        sum_squares: hits as f64,
    };
    match (quantity, expression) {
        (Quantity::Above(seconds), _) => {
            let nanos = (seconds * 1e9).round() as u64;
            let slower = totals.times.counts().filter(|(time, _)| *time > nanos);
            of_hits(totals.seconds.sum.count(), slower.map(|(_, n)| n).sum())
        }
        (_, Expression::Share(condition)) => {
            let (n, hits) = hits(condition, totals);
            of_hits(n, hits)
        }
        (_, Expression::Mean(measure)) => {
            let moments = moments(measure, component, totals);
            CellSums {
                n: moments.sum.count() as f64,
                sum: moments.sum.sum(),
                sum_squares: moments.squares_nanos as f64 / 1e9,
            }
        }
        _ => CellSums::default(),
    }
}

/// Tail, labels, confidence and standings of a component.
fn inspected(it: &Of<'_>, histories: &[History], significance: f64) -> Result<Vec<Finding>> {
    let component = it.component;
    let mut found: Vec<Finding> = tail(it, significance).into_iter().collect();
    let labels = it.labels.iter();
    found.extend(labels.filter_map(|counts| label_order(of_component(component), counts, significance)));
    let is_told =
        |it: &Finding| matches!(&it.detail, Detail::LabelOrder(it) if it.label == "confidence_level");
    if !found.iter().any(is_told) {
        let levels = levels(&it.memory)?;
        found.extend(level_order(of_component(component), &levels, significance));
    }
    if let Some(stated) = &component.stated_probability {
        let about = of_component(component);
        found.extend(stated_probabilities(
            about,
            &stated.measure,
            &it.predicted,
            significance,
        ));
    }
    for metric in &component.metrics {
        let Some(groups) = groups(it, metric)? else {
            continue;
        };
        let name = component.full_name(metric);
        let comparison = Comparison {
            minimum_sample: metric.minimum_sample as f64,
            higher_is_better: metric.direction == Direction::HigherIsBetter,
            dispersion: dispersion(metric, histories.iter().find(|it| it.metric == name)),
        };
        found.extend(standings(
            of_metric(component, metric, &name),
            &groups,
            comparison,
        ));
    }
    Ok(found)
}

fn tail(it: &Of<'_>, significance: f64) -> Option<Finding> {
    let of_time = it.component.metrics.iter().find(|metric| {
        matches!(
            metric.expression,
            Expression::Quantile(..) | Expression::Mean(Measure::ProcessingTime)
        )
    })?;
    let days = |hours: Range<usize>| -> Vec<Vec<(f64, f64)>> {
        let days = hours.step_by(DAY).map(|day| it.memory.totals(day..day + DAY));
        let days = days.filter(|totals| totals.decisions > 0);
        days.map(|totals| seconds(&totals.times)).collect()
    };
    let name = it.component.full_name(of_time);
    let about = About {
        metric: &name,
        ..of_component(it.component)
    };
    latency_tail(about, &days(week(1)), &days(week(0)), significance)
}

fn seconds(times: &Quantiles) -> Vec<(f64, f64)> {
    let counts = times.counts().filter(|(nanos, _)| *nanos > 0);
    counts.map(|(nanos, n)| (nanos as f64 / 1e9, n as f64)).collect()
}

fn levels(memory: &Memory<'_>) -> Result<Vec<Stated>> {
    let found = memory.by(&["confidence_level"], week(0))?;
    let of = |level: &&str| {
        let (_, totals) = found
            .iter()
            .find(|(values, _)| values.iter().any(|it| it == level))?;
        Some(Stated {
            stated: (*level).to_owned(),
            n: totals.decisions as f64,
            successes: totals.successes as f64,
        })
    };
    Ok(["high", "medium", "low"].iter().filter_map(of).collect())
}

fn groups(it: &Of<'_>, metric: &Metric) -> Result<Option<Groups>> {
    let Some(dimension) = &metric.split_by else {
        return Ok(None);
    };
    let cells = cells(it, metric, Quantity::Mean, &[dimension.as_str()])?;
    let of_the_whole = metric.split_denominator == SplitDenominator::All;
    let named = cells.into_iter().filter_map(|(values, [before, now])| {
        let name = values.into_iter().next().filter(|name| !name.is_empty())?;
        Some((name, before, now))
    });
    Ok(Some(Groups {
        dimension: dimension.clone(),
        of_the_whole,
        groups: named.collect(),
    }))
}

fn dispersion(metric: &Metric, history: Option<&History>) -> f64 {
    let Some(history) = history.filter(|_| metric.is_share()) else {
        return 1.0;
    };
    let days = history.days.iter().filter(|day| day.start >= spans().now.0);
    let shares: Vec<(f64, f64)> = days.filter_map(|day| Some((day.value? * day.n, day.n))).collect();
    proportion_dispersion(&shares)
}

/// The gaps that lack most. All end at the same instant, nothing is refused, and the others are there.
fn gaps(it: &Of<'_>) -> Vec<Finding> {
    let (start, end) = spans().now;
    let covered = it.memory.coverage(start, end);
    let mut gaps = covered.gaps().to_vec();
    gaps.sort_by(|a, b| (b.expected - b.present).total_cmp(&(a.expected - a.present)));
    gaps.truncate(MOST_GAPS);
    gaps.sort_by_key(|gap| gap.start);
    let told = gaps.iter().map(|gap| Missing {
        start: gap.start.as_second(),
        end: gap.end.as_second(),
        expected: gap.expected,
        present: gap.present,
        reason: Reason::Silent,
    });
    let about = of_component(it.component);
    told.map(|missing| missing_data(about, missing)).collect()
}
