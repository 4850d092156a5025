//! Draws decisions in the order of their time.

use jiff::{SignedDuration, Timestamp};
use kaizen_catalogue::Catalogue;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use crate::event::{Decimal, Drawn, Event};
use crate::later::{self, Session};
use crate::scenario::{Component, Dimension, Fault, LogNormal, Method, Scenario};
use crate::truth::{Facts, Truth, TruthBuilder};

const HOUR_MILLISECONDS: f64 = 3_600_000.0;
const HOURS_A_WEEK: usize = 168;
/// Decisions of one session.
const SESSION: u64 = 4;
/// Different leads.
const LEADS: u32 = 30_000;

/// The events of a scenario, in the order of their time; the same ones for the same seed.
///
/// Times are those of an inhomogeneous Poisson process, given the number of events: sorted uniform numbers, made one after
/// the other from exponential spacings (L. Devroye, "Non-Uniform Random Variate Generation", 1986, V.3.1), through the
/// inverse of the cumulative intensity. Memory does not grow with the number of events.
pub struct Simulation<'a> {
    scenario: &'a Scenario,
    seed: u64,
    truth: TruthBuilder,
    /// Cumulative intensity at the end of each hour.
    intensity: Vec<f64>,
    hour: usize,
    /// Draws what the events are.
    draws: ChaCha12Rng,
    /// Draws when they are.
    spacings: ChaCha12Rng,
    /// Draws what becomes of them later: apart, so that the events stay the same whatever does.
    fates: ChaCha12Rng,
    session: Session<'a>,
    outcomes: Vec<Event>,
    /// Sum of all spacings, and of those so far.
    spaced: (f64, f64),
    made: u64,
}

impl<'a> Simulation<'a> {
    /// The simulation of a scenario, with the truth of the catalogue's metrics.
    pub fn new(scenario: &'a Scenario, catalogue: &Catalogue, seed: u64) -> Self {
        let hours = scenario.weeks as usize * HOURS_A_WEEK;
        let mut sum = 0.0;
        let intensity = (0..hours).map(|hour| {
            sum += scenario
                .components
                .iter()
                .map(|component| volume(scenario, component, hour))
                .sum::<f64>();
            sum
        });
        let spacings = ChaCha12Rng::seed_from_u64(seed.wrapping_mul(2).wrapping_add(1));
        let mut ahead = spacings.clone();
        let total = (0..=scenario.events).map(|_| spacing(&mut ahead)).sum();
        Self {
            intensity: intensity.collect(),
            truth: TruthBuilder::new(scenario, catalogue, seed),
            draws: ChaCha12Rng::seed_from_u64(seed.wrapping_mul(2)),
            fates: {
                let mut fates = ChaCha12Rng::seed_from_u64(seed.wrapping_mul(2));
                fates.set_stream(1);
                fates
            },
            session: Session::default(),
            outcomes: Vec::new(),
            spaced: (total, 0.0),
            scenario,
            seed,
            hour: 0,
            spacings,
            made: 0,
        }
    }

    /// Everything that is true of the events yielded so far.
    pub fn truth(self) -> Truth {
        self.truth.build()
    }

    /// The outcomes of the sessions that ended since this was last asked; of all, once there are no more events.
    pub fn outcomes(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.outcomes)
    }

    /// The ledger of changes.
    pub fn changes(&self) -> Vec<Event> {
        let write = |(index, change)| {
            let event_id = format!("{}-{}-c{index}", self.scenario.name, self.seed);
            later::write_change(change, event_id)
        };
        self.scenario.changes.iter().enumerate().map(write).collect()
    }

    /// What becomes of the session, which has no more decisions.
    fn end_session(&mut self) {
        for (outcomes, decision) in self.session.end() {
            for happened in later::draw(outcomes, decision.timestamp, &mut self.fates) {
                self.truth.add_outcome(&Facts::of(&decision), &happened);
                self.outcomes.push(happened.write(&decision));
            }
        }
    }

    /// The time of the next event, and the hour it lies in.
    fn next_time(&mut self) -> (Timestamp, usize) {
        self.spaced.1 += spacing(&mut self.spacings);
        let whole = self.intensity.last().copied().unwrap_or_default();
        let at = (self.spaced.1 / self.spaced.0).min(1.0) * whole;
        while self.hour + 1 < self.intensity.len() && self.intensity[self.hour] <= at {
            self.hour += 1;
        }
        let begin = self
            .hour
            .checked_sub(1)
            .map_or(0.0, |before| self.intensity[before]);
        let within = (at - begin) / (self.intensity[self.hour] - begin);
        let within = (within * HOUR_MILLISECONDS).clamp(0.0, HOUR_MILLISECONDS - 1.0) as i64;
        let hours = self.hour as i64 * HOUR_MILLISECONDS as i64;
        (
            self.scenario.start + SignedDuration::from_millis(hours + within),
            self.hour,
        )
    }

    /// What decides, what it decides on, and when.
    fn choose(&mut self) -> Choice<'a> {
        let (timestamp, hour) = self.next_time();
        let (scenario, draws) = (self.scenario, &mut self.draws);
        let volumes = scenario
            .components
            .iter()
            .map(|component| (component, volume(scenario, component, hour)));
        let component = pick(volumes, draws);
        Choice {
            timestamp,
            component,
            method: pick(
                component.methods.iter().map(|method| (method, method.weight)),
                draws,
            ),
            industry: pick(
                scenario
                    .industries
                    .iter()
                    .map(|(name, weight)| (name.as_str(), *weight)),
                draws,
            ),
            dimensions: component
                .dimensions
                .iter()
                .map(|dimension| value_of(dimension, draws))
                .collect(),
        }
    }

    fn draw(&mut self) -> Drawn<'a> {
        let choice = self.choose();
        let effects = Effects::of(self.scenario, &choice, &mut self.draws);
        let draws = &mut self.draws;
        let Choice {
            timestamp,
            component,
            method,
            industry,
            mut dimensions,
        } = choice;
        let success = draws.random_bool((method.success + effects.success).clamp(0.0, 1.0));
        if let Some(failure) = component.failure.as_ref().filter(|_| !success) {
            dimensions.push(value_of(failure, draws));
        }
        let labelled = draws.random_bool(component.labelled);
        let reached = draws.random_bool((method.approval + effects.approval).clamp(0.0, 1.0));
        let quality = method.quality.map(|quality| {
            let deviation: f64 = StandardNormal.sample(draws);
            let drawn = quality.mean + effects.quality + quality.deviation * deviation;
            Decimal::round(drawn.clamp(0.0, 100.0), 1, 0)
        });
        let measures = component.measures.iter().map(|measure| {
            (
                measure.pointer.as_str(),
                Decimal::round(log_normal(measure.value, draws), measure.decimals, 0),
            )
        });
        Drawn {
            event_id: format!("{}-{}-{}", self.scenario.name, self.seed, self.made),
            session_id: format!("{}-{}-s{}", self.scenario.name, self.seed, self.made / SESSION),
            timestamp,
            industry,
            log_type: &component.log_type,
            method: &method.name,
            dimensions,
            measures: measures.collect(),
            seconds: Decimal::round(log_normal(method.seconds, draws) * effects.slowdown, 3, 1),
            success,
            quality,
            success_indicator: labelled.then_some(reached && success),
            confidence: pick([("high", 5.0), ("medium", 3.0), ("low", 1.0)].into_iter(), draws),
            lead: draws.random_range(0..LEADS),
            text: component.text,
        }
    }
}

impl Iterator for Simulation<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.made == self.scenario.events {
            return None;
        }
        let drawn = self.draw();
        self.made += 1;
        self.truth.add(&Facts::of(&drawn));
        let event = drawn.write();
        let component = (self.scenario.components.iter()).find(|it| it.log_type == drawn.log_type);
        self.session
            .decided(component.map_or(&[], |it| it.outcomes.as_slice()), drawn);
        if self.made.is_multiple_of(SESSION) || self.made == self.scenario.events {
            self.end_session();
        }
        Some(event)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.scenario.events - self.made).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

/// A decision before its outcome.
struct Choice<'a> {
    timestamp: Timestamp,
    component: &'a Component,
    method: &'a Method,
    industry: &'a str,
    /// Pointer and value.
    dimensions: Vec<(&'a str, &'a str)>,
}

impl Choice<'_> {
    fn dimension(&self, name: &str) -> Option<&str> {
        match name {
            "method_used" => Some(&self.method.name),
            "industry" => Some(self.industry),
            pointer => self
                .dimensions
                .iter()
                .find(|(known, _)| *known == pointer)
                .map(|(_, value)| *value),
        }
    }
}

/// What the faults of this moment do to one decision.
struct Effects {
    success: f64,
    approval: f64,
    quality: f64,
    slowdown: f64,
}

impl Effects {
    fn of(scenario: &Scenario, choice: &Choice<'_>, draws: &mut ChaCha12Rng) -> Self {
        let mut effects = Self {
            success: 0.0,
            approval: 0.0,
            quality: 0.0,
            slowdown: 1.0,
        };
        let befalls = |fault: &&Fault| {
            holds(scenario, fault, choice.component, choice.timestamp)
                && fault
                    .slice
                    .iter()
                    .all(|(name, value)| choice.dimension(name) == Some(value))
        };
        for fault in scenario.faults.iter().filter(befalls) {
            effects.success += fault.effect.success;
            effects.approval += fault.effect.approval;
            effects.quality += fault.effect.quality;
            if let Some(slow) = fault.effect.seconds
                && draws.random_bool(slow.share)
            {
                effects.slowdown *= slow.factor;
            }
        }
        effects
    }
}

fn holds(scenario: &Scenario, fault: &Fault, component: &Component, time: Timestamp) -> bool {
    fault.log_type == component.log_type && fault.from <= time && time < fault.to.unwrap_or(scenario.end())
}

/// Expected decisions of a component in an hour, in an arbitrary unit.
fn volume(scenario: &Scenario, component: &Component, hour: usize) -> f64 {
    let mean = |weights: &[f64]| weights.iter().sum::<f64>() / weights.len() as f64;
    let (hours, days) = (component.hours, component.days);
    let seasonal = hours[hour % 24] / mean(&hours) * days[hour / 24 % 7] / mean(&days);
    let time = scenario.start + SignedDuration::from_hours(hour as i64);
    let faults = scenario
        .faults
        .iter()
        .filter(|fault| holds(scenario, fault, component, time));
    component.weight * seasonal * faults.filter_map(|fault| fault.effect.volume).product::<f64>()
}

fn spacing(random: &mut ChaCha12Rng) -> f64 {
    Exp1.sample(random)
}

pub(crate) fn log_normal(of: LogNormal, draws: &mut ChaCha12Rng) -> f64 {
    let deviation: f64 = StandardNormal.sample(draws);
    of.median * (of.sigma * deviation).exp()
}

fn value_of<'a>(dimension: &'a Dimension, draws: &mut ChaCha12Rng) -> (&'a str, &'a str) {
    let values = dimension
        .values
        .iter()
        .map(|(value, weight)| (value.as_str(), *weight));
    (dimension.pointer.as_str(), pick(values, draws))
}

/// One of the items, with a probability in proportion to its weight. There is one: scenarios are checked for it.
fn pick<T>(items: impl Iterator<Item = (T, f64)> + Clone, draws: &mut ChaCha12Rng) -> T {
    let mut left = draws.random::<f64>() * items.clone().map(|(_, weight)| weight).sum::<f64>();
    let mut last = None;
    for (item, weight) in items {
        if weight > 0.0 {
            left -= weight;
            if left < 0.0 {
                return item;
            }
            last = Some(item);
        }
    }
    match last {
        Some(item) => item,
        None => unreachable!("weights are checked to be not all zero"),
    }
}
