//! A kind of failure that came up: mend its cause.

use kaizen_stats::{benjamini_hochberg, two_proportions};

use crate::CellSums;
use crate::facts::{ComponentFacts, Facts, Groups, MetricFacts};
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence, Gain};
use crate::words::{difference, told};

const HOURS: f64 = 8.0;
/// Of the kinds called risen, one in twenty may not have (false discovery rate).
const FALSE_DISCOVERIES: f64 = 0.05;
/// A rise is worth work from this part of all decisions on.
const LEAST_RISE: f64 = 0.005;

pub(super) struct ErrorSurge;

impl Rule for ErrorSurge {
    fn name(&self) -> &'static str {
        "error_surge"
    }

    fn restores(&self) -> bool {
        true
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>> {
        let metrics = component.metrics.iter();
        let split = metrics.filter_map(|metric| Some((metric, metric.groups.as_ref()?)));
        let kinds = split.filter(|(metric, groups)| groups.of_the_whole && !metric.higher_is_better);
        kinds
            .flat_map(|(metric, groups)| risen(component, metric, groups, facts.weeks))
            .collect()
    }
}

/// A kind that rose.
struct Risen<'a> {
    name: &'a str,
    before: CellSums,
    now: CellSums,
    rise: Estimate,
    p_value: f64,
}

fn risen<'a>(
    component: &'a ComponentFacts,
    metric: &'a MetricFacts,
    groups: &Groups,
    weeks: f64,
) -> Vec<Draft<'a>> {
    let share = |it: &CellSums| (it.sum, it.n);
    let tests = groups.groups.iter().filter_map(|(name, before, now)| {
        let test = two_proportions(share(before), share(now), 1.0, 0.95)?;
        Some(Risen {
            name,
            before: *before,
            now: *now,
            rise: Estimate::new(test.difference, test.interval),
            p_value: test.p_value,
        })
    });
    let tests: Vec<_> = tests.collect();
    let adjusted = benjamini_hochberg(&tests.iter().map(|it| it.p_value).collect::<Vec<_>>());
    let tests = tests.into_iter().zip(adjusted);
    let tests = tests.map(|(test, p_value)| Risen { p_value, ..test });
    tests
        .filter(|it| it.p_value < FALSE_DISCOVERIES && it.rise.value > LEAST_RISE)
        .map(|it| of(component, metric, &groups.dimension, &it, weeks))
        .collect()
}

fn of<'a>(
    component: &'a ComponentFacts,
    metric: &'a MetricFacts,
    dimension: &str,
    risen: &Risen<'_>,
    weeks: f64,
) -> Draft<'a> {
    let Risen {
        name,
        before,
        now,
        rise,
        p_value,
    } = risen;
    let (was, is) = (before.mean(), now.mean());
    Draft {
        rule: ErrorSurge.name(),
        component,
        metric: &metric.name,
        title: format!("{}: failures of kind {name} came up", component.title),
        description: format!(
            "{} of all decisions fail with {dimension} = {name}, {} before: {} (95 % interval {} to {}).",
            told(is.unwrap_or_default(), "ratio"),
            told(was.unwrap_or_default(), "ratio"),
            difference(rise.value, "ratio"),
            difference(rise.lower, "ratio"),
            difference(rise.upper, "ratio"),
        ),
        action_items: vec![
            format!(
                "Read the latest decisions that failed with {name}, and group them by what they have in common"
            ),
            format!("Mend the cause, or retry {name} where a repetition helps"),
        ],
        difficulty: Difficulty::Medium,
        effort_hours: HOURS,
        evidence: Evidence {
            what: format!("share of decisions that fail with {name}"),
            unit: "ratio".to_owned(),
            before: was,
            now: is,
            n: now.n,
            effect: *rise,
            p_value: *p_value,
        },
        gain: Some(Gain {
            per_week: rise.times(now.n / weeks),
            whole: *rise,
        }),
        value: metric.value_per_unit.clone(),
        before: metric.before,
        urgency: 0.0,
        coverage: component.coverage,
        slice: vec![(dimension.to_owned(), (*name).to_owned())],
    }
}
