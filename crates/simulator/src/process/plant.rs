//! A fault, as it befalls one component.

use jiff::SignedDuration;

use super::class::named_value;
use super::plan::Plan;
use super::slow;
use crate::scenario::{Fault, Scenario};

/// A fault, as it befalls one component.
#[derive(Debug)]
pub(crate) struct Planted<'a> {
    pub fault: &'a Fault,
    /// Its place among the scenario's faults.
    pub index: usize,
    /// The hours it holds in.
    pub hours: std::ops::Range<usize>,
    /// Values of axes.
    pub slice: Vec<(usize, u8)>,
    /// Whether it befalls a class.
    pub befalls: Vec<bool>,
    /// Added to the log-odds of success of each class, at whole strength.
    pub success: Vec<f64>,
    /// Added to the log-odds of reaching the aim.
    pub approval: Vec<f64>,
    /// Added to the mean quality.
    pub quality: f64,
    /// Decisions that would take from this to that many seconds are slowed down.
    pub slow: (f64, f64),
}

impl<'a> Planted<'a> {
    /// The faults that befall a component; their sizes are worked out later.
    pub(crate) fn all(scenario: &'a Scenario, plan: &Plan<'_>) -> Vec<Self> {
        let faults = scenario.faults.iter().enumerate();
        let befalling = faults.filter(|(_, fault)| fault.befalls(plan.component));
        befalling
            .map(|(index, fault)| Self::new(scenario, plan, index, fault))
            .collect()
    }

    fn new(scenario: &Scenario, plan: &Plan<'_>, index: usize, fault: &'a Fault) -> Self {
        let hour = |time: jiff::Timestamp| {
            let hours = time.duration_since(scenario.start).as_hours();
            usize::try_from(hours).unwrap_or(0).min(scenario.hours())
        };
        let slice: Vec<_> = (fault.slice.iter())
            .filter_map(|(name, value)| named_value(plan, name, value))
            .collect();
        let befalls: Vec<_> = plan.classes.iter().map(|class| class.is_in(&slice)).collect();
        let nothing = vec![0.0; plan.classes.len()];
        Self {
            hours: hour(fault.from)..hour(fault.to.unwrap_or(scenario.end())),
            slow: (fault.effect.seconds).map_or((0.0, 0.0), |it| slow::bounds(plan, &befalls, it)),
            befalls,
            success: nothing.clone(),
            approval: nothing,
            quality: 0.0,
            fault,
            index,
            slice,
        }
    }

    /// How strong it is in an hour; 0 when it does not hold.
    pub(crate) fn strength(&self, scenario: &Scenario, hour: usize) -> f64 {
        if !self.hours.contains(&hour) {
            return 0.0;
        }
        let since: SignedDuration = scenario.hour(hour).duration_since(self.fault.from);
        self.fault.shape.strength(since)
    }
}

/// A factor at less than whole strength.
pub(crate) fn weakened(factor: f64, strength: f64) -> f64 {
    (1.0 + (factor - 1.0) * strength).max(0.0)
}
