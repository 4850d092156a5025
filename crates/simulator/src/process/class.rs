//! Classes of decisions: those that faults, shocks and methods tell apart.

use super::nodes::{self, NOTHING, Node};
use super::plan::{ABSENT, AXES, METHOD, Plan};
use crate::scenario::{Fault, Scenario};

/// Points of the distribution of what a class's values add to log-odds.
const POINTS: usize = 40;
/// The same beside a decision's own deviation.
const POINTS_BESIDE: usize = 12;
const POINTS_IN_ALL: usize = 160;

/// Decisions that what is planted befalls alike.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    /// Share of the component's decisions.
    pub share: f64,
    pub method: usize,
    /// Value at each axis that tells classes apart; [`ABSENT`] at the others.
    pub fixed: [u8; AXES],
    /// The values to choose from at each axis.
    pub choices: Vec<Choice>,
    /// What the values add to log-odds, a decision's own deviation included.
    pub nodes: Vec<Node>,
    /// e^−v for each of these.
    pub exponentials: Vec<f64>,
    /// Least and most that the values alone add.
    pub bounds: (f64, f64),
}

/// A choice of values of an axis.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub axis: usize,
    /// Values with their cumulative shares, and what they add to log-odds.
    values: Vec<(f64, u8, f64)>,
}

impl Choice {
    /// The value at a random number from 0 to 1, and what it adds.
    pub(crate) fn at(&self, random: f64) -> (u8, f64) {
        if let [only] = self.values.as_slice() {
            return (only.1, only.2);
        }
        let whole = self.values.last().map_or(0.0, |last| last.0);
        let at = random * whole;
        let found = self.values.iter().find(|it| at < it.0).or(self.values.last());
        found.map_or((ABSENT, 0.0), |it| (it.1, it.2))
    }

    /// Whether there is more than one value.
    pub(crate) fn is_free(&self) -> bool {
        self.values.len() > 1
    }

    /// Least and most that a value adds.
    fn bounds(&self) -> (f64, f64) {
        let added = self.values.iter().map(|it| it.2);
        added.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| {
            (low.min(it), high.max(it))
        })
    }
}

impl Class {
    /// Its decisions with these values at one more axis.
    fn with(&self, place: usize, values: &[u8], plan: &Plan<'_>, points: usize) -> Self {
        let axis = &plan.axes[place];
        let mut class = self.clone();
        let mut choice = Choice {
            axis: place,
            values: Vec::new(),
        };
        let mut whole = 0.0;
        for value in values {
            let index = usize::from(*value);
            whole += axis.shares[index];
            choice.values.push((whole, *value, axis.log_odds[index]));
        }
        let added: Vec<Node> = values
            .iter()
            .map(|value| Node {
                at: axis.log_odds[usize::from(*value)],
                weight: axis.shares[usize::from(*value)] / whole,
            })
            .collect();
        class.share *= whole;
        class.nodes = nodes::sum(&self.nodes, &added, points);
        if let [value] = values {
            class.fixed[place] = *value;
        }
        // A fixed axis is a choice of one: what it adds must be added when a decision is drawn.
        class.choices.push(choice);
        class
    }

    /// Whether its decisions are of that slice, given as values of axes.
    pub(crate) fn is_in(&self, slice: &[(usize, u8)]) -> bool {
        slice.iter().all(|(axis, value)| self.fixed[*axis] == *value)
    }
}

/// All classes of a component: every combination of methods, of values that faults and controls name, and of values with a shock
/// of their own.
pub(crate) fn classes(plan: &Plan<'_>, scenario: &Scenario) -> Vec<Class> {
    let told_apart = told_apart(plan, scenario);
    let mut classes = vec![Class {
        share: 1.0,
        method: 0,
        fixed: [ABSENT; AXES],
        choices: Vec::new(),
        nodes: vec![NOTHING],
        exponentials: Vec::new(),
        bounds: (0.0, 0.0),
    }];
    let deviation = plan.component.confidence.as_ref().map_or(0.0, |it| it.spread);
    let points = if deviation > 0.0 { POINTS_BESIDE } else { POINTS };
    for (place, named) in told_apart.iter().enumerate() {
        let options = options(plan, place, named);
        let join = |class: &Class| -> Vec<Class> {
            options
                .iter()
                .map(|option| class.with(place, option, plan, points))
                .collect()
        };
        classes = classes.iter().flat_map(join).collect();
    }
    let own = nodes::normal(deviation);
    for class in &mut classes {
        class.nodes = nodes::sum(&class.nodes, &own, POINTS_IN_ALL);
        class.exponentials = class.nodes.iter().map(|node| libm::exp(-node.at)).collect();
        class.method = usize::from(class.fixed[METHOD]);
        let bounds = class.choices.iter().map(Choice::bounds);
        class.bounds = bounds.fold((0.0, 0.0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    }
    classes.retain(|class| class.share > 0.0);
    classes
}

/// For each axis the values that classes are told apart by.
fn told_apart(plan: &Plan<'_>, scenario: &Scenario) -> Vec<Vec<u8>> {
    let all = |place: usize| (0..plan.axes[place].values.len()).map(|value| value as u8);
    let mut named: Vec<Vec<u8>> = vec![Vec::new(); plan.axes.len()];
    named[METHOD].extend(all(METHOD));
    for place in plan.shocked_by.iter().copied().flatten() {
        named[place].extend(all(place));
    }
    let befalling = |fault: &&Fault| fault.befalls(plan.component);
    for fault in scenario.faults.iter().filter(befalling) {
        let controls = fault.improvement.iter().flat_map(|it| &it.controls).flatten();
        for (name, value) in fault.slice.iter().chain(controls) {
            if let Some((place, value)) = named_value(plan, name, value) {
                named[place].push(value);
            }
        }
    }
    for values in &mut named {
        values.sort_unstable();
        values.dedup();
    }
    named
}

/// Place of an axis and of a value on it.
pub(crate) fn named_value(plan: &Plan<'_>, name: &str, value: &str) -> Option<(usize, u8)> {
    let place = plan.axes.iter().position(|axis| axis.name == name)?;
    let value = plan.axes[place].values.iter().position(|it| it == value)?;
    Some((place, value as u8))
}

/// One value, or the values that are not told apart.
fn options(plan: &Plan<'_>, place: usize, named: &[u8]) -> Vec<Vec<u8>> {
    let rest = (0..plan.axes[place].values.len() as u8).filter(|value| !named.contains(value));
    let (mut options, rest): (Vec<_>, Vec<_>) =
        (named.iter().map(|value| vec![*value]).collect(), rest.collect());
    if !rest.is_empty() {
        options.push(rest);
    }
    let share = |values: &[u8]| {
        values
            .iter()
            .map(|value| plan.axes[place].shares[usize::from(*value)])
            .sum::<f64>()
    };
    options.retain(|values| share(values) > 0.0);
    options
}
