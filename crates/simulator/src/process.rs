//! One seed of a scenario: a tenant, its noise, and what befalls it.
//!
//! Counts come first. For each hour and component the number of decisions is drawn, then how many succeed and reach their aim; only
//! then are decisions dealt from these counts, and only when somebody asks. Counts, rollups and events of a seed are therefore
//! the same numbers, and the counts of a thousand seeds cost no events.

mod class;
pub(crate) mod deal;
mod expect;
pub(crate) mod fill;
mod latency;
mod nodes;
mod odds;
pub(crate) mod plan;
mod plant;
mod resize;
mod shock;
pub(crate) mod size;
mod slow;
mod split;
pub(crate) mod stream;
mod volume;

use deal::Dealt;
use expect::Expectation;
use odds::Odds;
use plan::Plan;
use plant::Planted;
use shock::Path;
use split::Split;
use stream::{Purpose, Streams};
use volume::Volume;

pub use size::Size;
pub use split::HourCounts;

use crate::scenario::Scenario;

/// One seed of a scenario.
pub struct Process<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) streams: Streams,
    pub(crate) plans: Vec<Plan<'a>>,
    paths: Vec<Path<'a>>,
    volume: Volume,
}

/// What else than its class a decision is dealt with: what nobody asks for is not drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub confidence: bool,
    pub seconds: bool,
    pub quality: bool,
    pub numbers: bool,
    pub moments: bool,
}

impl Parts {
    pub(crate) const ALL: Self = Self {
        confidence: true,
        seconds: true,
        quality: true,
        numbers: true,
        moments: true,
    };
}

impl<'a> Process<'a> {
    /// Draws the tenant, the shocks and the number of decisions of each hour.
    pub fn new(scenario: &'a Scenario, seed: u64) -> Self {
        let streams = Streams::new(seed);
        let components = 0..scenario.components.len();
        let mut plans: Vec<_> = components
            .map(|index| Plan::draw(scenario, index, &streams))
            .collect();
        for plan in &mut plans {
            plan.planted = Planted::all(scenario, plan);
        }
        let values = |place: usize| {
            let axes = plans
                .iter()
                .filter_map(|plan| Some(&plan.axes[plan.shocked_by[place]?]));
            axes.map(|axis| axis.values.len()).max().unwrap_or(0)
        };
        let paths: Vec<_> = (scenario.noise.shocks.iter().enumerate())
            .map(|(index, shock)| Path::draw(shock, index, scenario.hours(), values(index), &streams))
            .collect();
        let volume = volume::draw(scenario, &plans, &paths, &streams);
        for plan in &mut plans {
            resize::resize(plan, scenario, volume.scale);
        }
        Self {
            scenario,
            streams,
            plans,
            paths,
            volume,
        }
    }

    /// Its length in hours.
    pub fn hours(&self) -> usize {
        self.scenario.hours()
    }

    /// Number of all decisions, each counted once.
    pub fn decisions(&self) -> u64 {
        self.volume.decisions.iter().flatten().sum()
    }

    /// Number of all decisions of a component.
    pub fn decisions_of(&self, component: usize) -> u64 {
        self.volume.decisions[component].iter().sum()
    }

    /// Place of a component by the kind of its decisions.
    pub fn component(&self, log_type: &str) -> Option<usize> {
        self.plans
            .iter()
            .position(|plan| plan.component.log_type == log_type)
    }

    /// What became of a component's decisions in an hour, without dealing any. None beyond the scenario.
    pub fn counts(&self, component: usize, hour: usize) -> HourCounts {
        match self
            .volume
            .decisions
            .get(component)
            .and_then(|hours| hours.get(hour))
        {
            None | Some(0) => HourCounts::default(),
            Some(_) => self.split(component, hour, &self.odds(component, hour)).counts(),
        }
    }

    fn odds(&self, component: usize, hour: usize) -> Odds {
        let plan = &self.plans[component];
        let active = odds::active(plan, self.scenario, hour);
        Odds::of(plan, &self.paths, hour, &active)
    }

    fn split(&self, component: usize, hour: usize, odds: &Odds) -> Split {
        let mut draws = self.streams.of(Purpose::Split, component, hour);
        let labelled = self.plans[component].component.labelled;
        Split::draw(self.volume.decisions[component][hour], odds, labelled, &mut draws)
    }

    /// Appends the decisions of an hour to `dealt`, in no order of time.
    pub(crate) fn deal(&self, component: usize, hour: usize, parts: Parts, dealt: &mut Vec<Dealt>) {
        if self.volume.decisions[component][hour] == 0 {
            return;
        }
        let plan = &self.plans[component];
        let active = odds::active(plan, self.scenario, hour);
        let odds = Odds::of(plan, &self.paths, hour, &active);
        let split = self.split(component, hour, &odds);
        let first = dealt.len();
        let stream = |purpose| self.streams.of(purpose, component, hour);
        deal::deal(plan, &odds, &split, &mut stream(Purpose::Cells), dealt);
        let dealt = &mut dealt[first..];
        // Confidence may be stated as a number: whoever wants the numbers wants it too.
        if parts.confidence || parts.numbers {
            fill::confidence(plan, &active, &mut stream(Purpose::Confidence), dealt);
        }
        if parts.seconds {
            fill::seconds(plan, &active, &mut stream(Purpose::Seconds), dealt);
        }
        if parts.quality {
            fill::quality(plan, &active, &mut stream(Purpose::Quality), dealt);
        }
        if parts.numbers {
            fill::numbers(plan, &mut stream(Purpose::Measures), dealt);
        }
        if parts.moments {
            fill::moments(&mut stream(Purpose::Moments), dealt);
        }
        fill::repeats(&active, &mut stream(Purpose::Repeats), dealt);
    }

    /// Share of the slice that a fault befalls in the component's decisions, and the expected number of its decisions a day, before.
    pub(crate) fn slice(&self, plan: &Plan<'_>, planted: &Planted<'_>) -> (f64, f64) {
        let expectation = Expectation::new(plan, self.scenario, self.volume.scale);
        expectation.decisions(&planted.befalls, &Vec::new())
    }

    /// What a fault changes in a component.
    pub(crate) fn sizes(&self, plan: &Plan<'_>, planted: &Planted<'_>) -> Vec<Size> {
        let expectation = Expectation::new(plan, self.scenario, self.volume.scale);
        size::sizes(plan, planted, &expectation)
    }
}
