//! A template or method that does worse than the others, now as before: use the better ones in its place. One that does so only
//! since now has a cause to mend (`slice_regression`).

use kaizen_stats::{Moments, Standing, standings_by_mean};

use crate::facts::{ComponentFacts, Facts, Groups, MetricFacts};
use crate::recommend::rules::Rule;
use crate::recommend::{Difficulty, Draft, Estimate, Evidence, Gain};
use crate::words::{difference, told};
use crate::{CellSums, REST};

const HOURS: f64 = 4.0;
/// Of the groups called losers, one in twenty may be none (false discovery rate).
const FALSE_DISCOVERIES: f64 = 0.05;
/// A difference to the rest is worth a change from this part of the mean on.
const LEAST_EFFECT: f64 = 0.05;

pub(super) struct LosingGroup;

impl Rule for LosingGroup {
    fn name(&self) -> &'static str {
        "losing_group"
    }

    fn restores(&self) -> bool {
        false
    }

    fn drafts<'a>(&self, component: &'a ComponentFacts, facts: &Facts) -> Vec<Draft<'a>> {
        let metrics = component.metrics.iter();
        let split = metrics.filter_map(|metric| Some((metric, metric.groups.as_ref()?)));
        let own = split.filter(|(_, groups)| !groups.of_the_whole);
        own.flat_map(|(metric, groups)| losers(component, metric, groups, facts.weeks))
            .collect()
    }
}

/// A group with its standing.
struct Placed<'a> {
    name: &'a str,
    now: CellSums,
    standing: Standing,
    /// Mean of all others.
    rest: Option<f64>,
    /// Mean less that of all others, in the period before.
    lift_before: Option<f64>,
}

fn losers<'a>(
    component: &'a ComponentFacts,
    metric: &'a MetricFacts,
    groups: &Groups,
    weeks: f64,
) -> Vec<Draft<'a>> {
    let known: Vec<_> = (groups.groups.iter())
        .filter(|(_, _, now)| now.n >= metric.minimum_sample)
        .collect();
    let moments: Vec<Moments> = known.iter().map(|(_, _, now)| now.into()).collect();
    let all = moments.iter().fold(Moments::default(), |all, it| all.plus(it));
    let standings = standings_by_mean(&moments, 1.0, 0.95);
    let before = (known.iter()).fold((0.0, 0.0), |(n, sum), (_, before, _)| {
        (n + before.n, sum + before.sum)
    });
    let lift_before = |it: &CellSums| {
        let (n, sum) = (before.0 - it.n, before.1 - it.sum);
        Some(it.mean()? - (n > 0.0).then(|| sum / n)?)
    };
    let placed: Vec<Placed<'_>> = (known.iter().zip(standings))
        .filter_map(|((name, before, now), standing)| {
            Some(Placed {
                name,
                now: *now,
                standing: standing?,
                rest: (all.count > now.n).then(|| (all.sum - now.sum) / (all.count - now.n)),
                lift_before: lift_before(before),
            })
        })
        .collect();
    let sign = if metric.higher_is_better { 1.0 } else { -1.0 };
    let lift = |it: &Placed<'_>| it.standing.shrunken_lift * sign;
    let named = || placed.iter().filter(|it| it.name != REST);
    let Some(best) = named().max_by(|a, b| lift(a).total_cmp(&lift(b))) else {
        return Vec::new();
    };
    let least = LEAST_EFFECT * all.mean().abs();
    let loses = |it: &&Placed<'_>| {
        let lost_before = it.lift_before.is_some_and(|before| before * sign < -least);
        lost_before
            && it.standing.adjusted_p_value < FALSE_DISCOVERIES
            && lift(it) < -least
            && lift(best) > 0.0
    };
    let scale = (all.count, weeks);
    named()
        .filter(loses)
        .map(|loser| of(component, metric, &groups.dimension, (loser, best), scale))
        .collect()
}

fn of<'a>(
    component: &'a ComponentFacts,
    metric: &'a MetricFacts,
    dimension: &str,
    (loser, best): (&Placed<'_>, &Placed<'_>),
    (all, weeks): (f64, f64),
) -> Draft<'a> {
    let Placed {
        name,
        now,
        standing,
        rest,
        ..
    } = loser;
    let unit = &metric.unit;
    let move_to_best = moved(loser, best, all);
    let better = move_to_best.times(if metric.higher_is_better { 1.0 } else { -1.0 });
    Draft {
        rule: LosingGroup.name(),
        component,
        metric: &metric.name,
        title: format!(
            "{}: {dimension} {name} does worse than the others",
            component.title
        ),
        description: described(metric, dimension, loser, best, move_to_best),
        action_items: vec![
            format!(
                "Check that {name} and {} get comparable decisions; if not, compare them on those that are",
                best.name
            ),
            format!(
                "Send a random half of the decisions of {name} to {}, and name the arm in `allocation`",
                best.name
            ),
            format!("If that half does better, send all of them and retire {name}"),
        ],
        difficulty: Difficulty::Easy,
        effort_hours: HOURS,
        evidence: Evidence {
            what: metric.title.clone(),
            unit: unit.clone(),
            before: *rest,
            now: now.mean(),
            n: now.n,
            effect: Estimate::new(standing.lift, standing.interval),
            p_value: standing.adjusted_p_value,
        },
        gain: Some(Gain {
            per_week: better.times(now.n / weeks),
            whole: better.times(now.n / all),
        }),
        value: metric.value_per_unit.clone(),
        before: metric.before.or(metric.now),
        urgency: 0.0,
        coverage: component.coverage,
        slice: vec![(dimension.to_owned(), (*name).to_owned())],
    }
}

/// What moving a decision from one group to another is worth: what both lifts are expected to be, not what chance showed of
/// them. Each is a lift over the rest, which is further off than the mean of all.
fn moved(from: &Placed<'_>, to: &Placed<'_>, all: f64) -> Estimate {
    let over_all = |it: &Placed<'_>| 1.0 - it.now.n / all;
    let value = |it: &Placed<'_>| it.standing.shrunken_lift * over_all(it);
    let half = |it: &Placed<'_>| {
        let (lower, upper) = it.standing.shrunken_interval;
        (upper - lower) / 2.0 * over_all(it)
    };
    let (value, half) = (value(to) - value(from), half(to).hypot(half(from)));
    Estimate::new(value, (value - half, value + half))
}

fn described(
    metric: &MetricFacts,
    dimension: &str,
    loser: &Placed<'_>,
    best: &Placed<'_>,
    moved: Estimate,
) -> String {
    let (unit, standing) = (&metric.unit, &loser.standing);
    format!(
        "{} of {dimension} = {} is {} over {:.0} decisions: {} against the rest (95 % interval {} to {}). \
         The best is {}: moving to it is worth {} a decision, chance taken off (95 % interval {} to {}).",
        metric.title,
        loser.name,
        loser.now.mean().map(|it| told(it, unit)).unwrap_or_default(),
        loser.now.n,
        difference(standing.lift, unit),
        difference(standing.interval.0, unit),
        difference(standing.interval.1, unit),
        best.name,
        difference(moved.value, unit),
        difference(moved.lower, unit),
        difference(moved.upper, unit),
    )
}
