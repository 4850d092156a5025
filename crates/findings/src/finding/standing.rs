use kaizen_stats::{Moments, standings_by_mean};
use serde::{Deserialize, Serialize};

use super::{About, Detail, Finding};
use crate::facts::Groups;
use crate::words::{difference, told};

/// How a group, a template or method, stands against the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupStanding {
    /// The dimension that the metric is split by.
    pub dimension: String,
    /// Its value.
    pub group: String,
    /// Decisions of the group in the period.
    pub n: f64,
    /// The metric over these.
    pub value: f64,
    /// That less the same of the rest.
    pub lift: f64,
    /// 95 % interval of the lift.
    pub interval: (f64, f64),
    /// The lift to expect from now on: what chance has most likely added is taken off.
    pub expected_lift: f64,
    /// p-value of no difference, adjusted for the number of groups (false discovery rate).
    pub p_value: f64,
}

/// Of the groups called winners or losers, one in twenty may be none.
const FALSE_DISCOVERIES: f64 = 0.05;

/// Which groups, and how they are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Decisions that a group must have.
    pub minimum_sample: f64,
    /// Which way is better.
    pub higher_is_better: bool,
    /// How many times more than chance the metric scatters from day to day, at least 1.
    pub dispersion: f64,
}

/// Compares every group of a metric that has enough decisions with the rest. Told are those that differ.
pub fn standings(about: About<'_>, groups: &Groups, comparison: Comparison) -> Vec<Finding> {
    let Comparison {
        minimum_sample,
        higher_is_better,
        dispersion,
    } = comparison;
    if groups.of_the_whole {
        return Vec::new();
    }
    let known: Vec<_> = (groups.groups.iter())
        .filter(|(_, _, now)| now.n >= minimum_sample)
        .collect();
    let moments: Vec<Moments> = known.iter().map(|(_, _, now)| now.into()).collect();
    let placed = known.iter().zip(standings_by_mean(&moments, dispersion, 0.95));
    let told = placed.filter_map(|((group, _, now), standing)| {
        let standing = standing.filter(|it| it.adjusted_p_value < FALSE_DISCOVERIES)?;
        let detail = GroupStanding {
            dimension: groups.dimension.clone(),
            group: group.clone(),
            n: now.n,
            value: now.mean()?,
            lift: standing.lift,
            interval: standing.interval,
            expected_lift: standing.shrunken_lift,
            p_value: standing.adjusted_p_value,
        };
        let is_worse = (detail.lift < 0.0) == higher_is_better;
        Some(about.finding(
            in_a_sentence(about, &detail),
            Some(is_worse),
            Detail::Standing(detail),
        ))
    });
    told.collect()
}

fn in_a_sentence(about: About<'_>, it: &GroupStanding) -> String {
    let unit = about.unit;
    format!(
        "{}: {} {} has {} over {:.0} decisions, {} against the rest (95 % interval {} to {})",
        about.title,
        it.dimension,
        it.group,
        told(it.value, unit),
        it.n,
        difference(it.lift, unit),
        difference(it.interval.0, unit),
        difference(it.interval.1, unit),
    )
}
