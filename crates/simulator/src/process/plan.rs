//! A component as one seed has it.

use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Gamma, StandardNormal};

use super::class::{self, Class};
use super::latency::Latency;
use super::plant::Planted;
use super::stream::{Purpose, Streams};
use crate::scenario::{Component, Dimension, LogNormal, Scenario, Tenant};

/// Hours of a week.
pub(crate) const WEEK: usize = 168;
/// Most strings of a decision: method, industry, nine dimensions, and the kind of a failure.
pub(crate) const AXES: usize = 12;
/// Place of the method.
pub(crate) const METHOD: usize = 0;
/// Place of the kind of a failure.
pub(crate) const FAILURE: usize = AXES - 1;
/// The decision has no such string.
pub(crate) const ABSENT: u8 = u8::MAX;
/// Stream of what all components share.
const SHARED: usize = u16::MAX as usize;

/// A string of each decision, and what its values are.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    /// `method_used`, `industry`, or the pointer.
    pub name: String,
    pub values: Vec<String>,
    /// Their shares, 1 in sum.
    pub shares: Vec<f64>,
    /// What they add to the log-odds of success and approval.
    pub log_odds: Vec<f64>,
}

/// A number of each decision.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    pub pointer: String,
    pub decimals: u32,
    /// Its distribution; the stated probability of success when absent.
    pub value: Option<LogNormal>,
}

/// A component as one seed has it.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub component: &'a Component,
    pub index: usize,
    /// Method, industry, dimensions.
    pub axes: Vec<Axis>,
    pub failure: Option<Axis>,
    pub numbers: Vec<Number>,
    /// Added to the log-odds of every method.
    pub base: f64,
    /// Added to the log-odds in each hour of the week.
    pub season: Vec<f64>,
    /// Expected decisions in each hour of the week, in a unit that all components share.
    pub volume: Vec<f64>,
    /// One for each method.
    pub latencies: Vec<Latency>,
    /// The axis each shock of the scenario goes by.
    pub shocked_by: Vec<Option<usize>>,
    pub classes: Vec<Class>,
    pub planted: Vec<Planted<'a>>,
}

impl<'a> Plan<'a> {
    /// Draws everything but what is planted.
    pub(crate) fn draw(scenario: &'a Scenario, index: usize, streams: &Streams) -> Self {
        let component = &scenario.components[index];
        let tenant = scenario.tenant;
        let mut draws = streams.of(Purpose::Tenant, index, 0);
        // Industries have the same shares and effects wherever they are met.
        let mut shared = streams.of(Purpose::Tenant, SHARED, 0);
        let mut axes = vec![
            Axis::draw("method_used", scenario, component, 0.0, &mut draws),
            Axis::draw("industry", scenario, component, tenant.spread, &mut shared),
        ];
        for dimension in &component.dimensions {
            let mut axis = Axis::draw(&dimension.pointer, scenario, component, tenant.spread, &mut draws);
            axis.fix(dimension);
            axes.push(axis);
        }
        let deviation: f64 = StandardNormal.sample(&mut draws);
        let peak = draws.random::<f64>() * WEEK as f64;
        let season = component.season;
        let peak = season.peak_hour.unwrap_or(peak);
        let cosine = |hour: f64, period: f64| libm::cos((hour - peak) / period * std::f64::consts::TAU);
        let seasonal = |hour: usize| {
            season.daily * cosine(hour as f64, 24.0) + season.weekly * cosine(hour as f64, 168.0)
        };
        let axis_of = |name: &String| axes.iter().position(|axis| axis.name == *name);
        let shocked_by: Vec<_> = (scenario.noise.shocks.iter())
            .map(|shock| shock.by.as_ref().and_then(axis_of))
            .collect();
        let mut plan = Self {
            failure: component.failure.as_ref().map(Axis::of_failure),
            numbers: numbers(component),
            base: tenant.base * deviation,
            season: (0..WEEK).map(seasonal).collect(),
            volume: (0..WEEK).map(|hour| volume(component, hour)).collect(),
            latencies: component.methods.iter().map(Latency::of).collect(),
            classes: Vec::new(),
            planted: Vec::new(),
            component,
            index,
            axes,
            shocked_by,
        };
        plan.classes = class::classes(&plan, scenario);
        plan
    }

    /// Place of a dimension; the failure's kind too.
    pub(crate) fn axis(&self, name: &str) -> Option<usize> {
        let failure = self.failure.as_ref().filter(|axis| axis.name == name);
        let among = self.axes.iter().position(|axis| axis.name == name);
        among.or(failure.map(|_| FAILURE))
    }

    /// The dimension at a place.
    pub(crate) fn axis_at(&self, place: usize) -> Option<&Axis> {
        self.axes
            .get(place)
            .or(self.failure.as_ref().filter(|_| place == FAILURE))
    }

    /// Log-odds of success and approval of a method, before anything else.
    pub(crate) fn log_odds(&self, method: usize) -> (f64, f64) {
        let method = &self.component.methods[method];
        (
            logit(method.success) + self.base,
            logit(method.approval) + self.base,
        )
    }
}

impl Axis {
    fn draw(
        name: &str,
        scenario: &Scenario,
        component: &Component,
        spread: f64,
        draws: &mut ChaCha12Rng,
    ) -> Self {
        let (values, weights): (Vec<_>, Vec<_>) = scenario.values(component, name).into_iter().unzip();
        let shares = shares(&weights, scenario.tenant, draws);
        let mut log_odds: Vec<f64> = values
            .iter()
            .map(|_| StandardNormal.sample(draws))
            .map(|deviation: f64| deviation * spread)
            .collect();
        // In the mean over the decisions a value adds nothing: the base stays what it is.
        let mean: f64 = shares.iter().zip(&log_odds).map(|(share, it)| share * it).sum();
        log_odds.iter_mut().for_each(|it| *it -= mean);
        Self {
            name: name.to_owned(),
            values,
            shares,
            log_odds,
        }
    }

    /// Sets what the scenario gives.
    fn fix(&mut self, dimension: &Dimension) {
        for (value, log_odds) in self.values.iter().zip(&mut self.log_odds) {
            *log_odds = *dimension.log_odds.get(value).unwrap_or(log_odds);
        }
    }

    fn of_failure(dimension: &Dimension) -> Self {
        let (values, weights): (Vec<_>, Vec<f64>) = dimension.values.list().into_iter().unzip();
        let whole: f64 = weights.iter().sum();
        Self {
            name: dimension.pointer.clone(),
            log_odds: vec![0.0; values.len()],
            shares: weights.iter().map(|weight| weight / whole).collect(),
            values,
        }
    }
}

/// The weights, or shares drawn from a Dirichlet distribution around them; 1 in sum.
fn shares(weights: &[f64], tenant: Tenant, draws: &mut ChaCha12Rng) -> Vec<f64> {
    let whole: f64 = weights.iter().sum();
    let given = weights.iter().map(|weight| weight / whole);
    let Some(concentration) = tenant.concentration else {
        return given.collect();
    };
    let gamma = |share: f64| {
        let shape = share * concentration * weights.len() as f64;
        Gamma::new(shape, 1.0).map_or(0.0, |gamma| gamma.sample(draws))
    };
    let drawn: Vec<f64> = given.clone().map(gamma).collect();
    let sum: f64 = drawn.iter().sum();
    // With a tiny concentration all may be too small for a number.
    if sum > 1e-290 {
        drawn.iter().map(|it| it / sum).collect()
    } else {
        given.collect()
    }
}

fn numbers(component: &Component) -> Vec<Number> {
    let drawn = component.measures.iter().map(|measure| Number {
        pointer: measure.pointer.clone(),
        decimals: measure.decimals,
        value: Some(measure.value),
    });
    let stated = component.confidence.iter().filter_map(|it| it.pointer.clone());
    let stated = stated.map(|pointer| Number {
        pointer,
        decimals: 4,
        value: None,
    });
    drawn.chain(stated).collect()
}

/// Expected decisions of a component in an hour of the week, in an arbitrary unit.
fn volume(component: &Component, hour: usize) -> f64 {
    let mean = |weights: &[f64]| weights.iter().sum::<f64>() / weights.len() as f64;
    let (hours, days) = (component.hours, component.days);
    component.weight * hours[hour % 24] / mean(&hours) * days[hour / 24 % 7] / mean(&days)
}

/// ln(p ÷ (1 − p)), at most 30 in size: what is certain stays so to 13 digits.
pub(crate) fn logit(probability: f64) -> f64 {
    libm::log(probability / (1.0 - probability)).clamp(-30.0, 30.0)
}

/// The inverse of [`logit`].
pub(crate) fn expit(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_shares_sum_to_one_and_are_the_given_ones_in_the_mean() {
        for concentration in [0.01, 1.0, 50.0] {
            let tenant = Tenant {
                concentration: Some(concentration),
                ..Tenant::default()
            };
            let mut mean = [0.0; 3];
            for seed in 0..4000 {
                let mut draws = Streams::new(seed).of(Purpose::Tenant, 0, 0);
                let drawn = shares(&[5.0, 3.0, 2.0], tenant, &mut draws);
                assert!((drawn.iter().sum::<f64>() - 1.0).abs() < 1e-12 && drawn.iter().all(|it| *it >= 0.0));
                mean.iter_mut()
                    .zip(&drawn)
                    .for_each(|(sum, share)| *sum += share / 4000.0);
            }
            for (found, given) in mean.iter().zip([0.5, 0.3, 0.2]) {
                assert!((found - given).abs() < 0.03, "{concentration}: {mean:?}");
            }
        }
    }
}
