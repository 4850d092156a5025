//! How much of a fault reaches the size that its scenario gives.

use super::expect::{Expectation, Rate};
use super::latency::bisect;
use super::plan::Plan;
use super::plant::Planted;
use super::size;
use crate::scenario::{Amount, Deviations, Scenario};

/// Most that is added to log-odds: what is certain then is no longer.
const MOST: f64 = 60.0;

/// Works out what each fault adds to log-odds and quality.
pub(crate) fn resize(plan: &mut Plan<'_>, scenario: &Scenario, scale: f64) {
    let mut planted = std::mem::take(&mut plan.planted);
    let expectation = Expectation::new(plan, scenario, scale);
    for fault in &mut planted {
        let effect = fault.fault.effect;
        fault.success = added(plan, &expectation, fault, Rate::Success, effect.success);
        fault.approval = added(plan, &expectation, fault, Rate::Approval, effect.approval);
        for (class, befallen) in fault.befalls.iter().enumerate() {
            if *befallen {
                fault.success[class] += effect.log_odds;
                fault.approval[class] += effect.log_odds;
            }
        }
        fault.quality = match effect.quality {
            Amount::Absolute(added) => added,
            Amount::Deviations(Deviations { sd }) => {
                let (_, a_day) = expectation.decisions(&fault.befalls, &Vec::new());
                sd * size::quality(plan, &fault.befalls, a_day).map_or(0.0, |(_, deviation)| deviation)
            }
        };
    }
    plan.planted = planted;
}

/// What is added to the log-odds of each class.
fn added(
    plan: &Plan<'_>,
    expectation: &Expectation<'_, '_>,
    fault: &Planted<'_>,
    rate: Rate,
    amount: Amount,
) -> Vec<f64> {
    let mut added = vec![0.0; plan.classes.len()];
    if amount.number() == 0.0 {
        return added;
    }
    let befallen = (0..plan.classes.len()).filter(|class| fault.befalls[*class]);
    match amount {
        // Each decision's probability changes by that much, whatever it was.
        Amount::Absolute(change) => {
            for class in befallen {
                let (success, approval) = plan.log_odds(plan.classes[class].method);
                let base = if rate == Rate::Success { success } else { approval };
                let wanted = expectation.probability(class, base) + change;
                added[class] = bisect(-MOST, MOST, |it| {
                    expectation.probability(class, base + it) < wanted
                });
            }
        }
        // The rate of the slice changes by that much, by the same log-odds for all.
        Amount::Deviations(Deviations { sd }) => {
            let whole = Whole { plan, fault, rate };
            let change = sd * expectation.deviation(rate, &fault.befalls);
            let wanted = whole.rate(expectation, 0.0) + change;
            let log_odds = bisect(-MOST, MOST, |it| whole.rate(expectation, it) < wanted);
            befallen.for_each(|class| added[class] = log_odds);
        }
    }
    added
}

/// The slice that a fault befalls.
struct Whole<'w, 'a> {
    plan: &'w Plan<'a>,
    fault: &'w Planted<'a>,
    rate: Rate,
}

impl Whole<'_, '_> {
    /// Its rate, with so much added to the log-odds.
    fn rate(&self, expectation: &Expectation<'_, '_>, log_odds: f64) -> f64 {
        let added: Vec<f64> = self
            .fault
            .befalls
            .iter()
            .map(|it| if *it { log_odds } else { 0.0 })
            .collect();
        let nothing = vec![0.0; self.plan.classes.len()];
        let (success, approval) = match self.rate {
            Rate::Success => (added, nothing),
            Rate::Approval => (nothing, added),
        };
        expectation.rate_with(self.rate, &self.fault.befalls, &success, &approval)
    }
}
