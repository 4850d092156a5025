//! The events of a seed, in the order of their time.

use std::collections::VecDeque;

use kaizen_catalogue::Catalogue;
use rand_chacha::ChaCha12Rng;

use crate::event::{Event, Hour, Writer};
use crate::later::{self, Decided, Session};
use crate::process::deal::Dealt;
use crate::process::stream::Purpose;
use crate::process::{Parts, Process};
use crate::scenario::Scenario;
use crate::truth::{Truth, TruthBuilder};

/// Decisions of one session.
const SESSION: u64 = 4;
/// Events between one and its repetition.
const UNTIL_REPEATED: u64 = 10;

/// The events of a scenario, in the order of their time; the same ones for the same seed.
///
/// They are dealt an hour at a time: memory grows with the events of an hour, not with those of the scenario.
pub struct Simulation<'a> {
    process: Process<'a>,
    seed: u64,
    truth: TruthBuilder,
    writers: Vec<Writer>,
    /// Draws what becomes of the decisions later.
    fates: ChaCha12Rng,
    session: Session,
    outcomes: Vec<Event>,
    hour: usize,
    /// The hour's decisions from the last to the next one.
    dealt: Vec<Dealt>,
    clock: Hour,
    /// Events that are sent again, and when.
    again: VecDeque<(u64, Event)>,
    made: u64,
    decisions: u64,
}

impl<'a> Simulation<'a> {
    /// The simulation of a scenario, with the truth of the catalogue's metrics.
    pub fn new(scenario: &'a Scenario, catalogue: &Catalogue, seed: u64) -> Self {
        let process = Process::new(scenario, seed);
        Self {
            truth: TruthBuilder::new(&process, catalogue, seed),
            writers: process.plans.iter().map(Writer::new).collect(),
            fates: process.streams.of(Purpose::Fates, 0, 0),
            session: Session::default(),
            outcomes: Vec::new(),
            hour: 0,
            dealt: Vec::new(),
            clock: Hour::new(scenario.start),
            again: VecDeque::new(),
            made: 0,
            decisions: process.decisions(),
            process,
            seed,
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
        let scenario = self.process.scenario;
        let write = |(index, change)| {
            let event_id = format!("{}-{}-c{index}", scenario.name, self.seed);
            later::write_change(change, event_id)
        };
        scenario.changes.iter().enumerate().map(write).collect()
    }

    /// The next decision; hours without any are passed over.
    fn next_dealt(&mut self) -> Option<Dealt> {
        while self.dealt.is_empty() {
            if self.hour == self.process.hours() {
                return None;
            }
            for component in 0..self.writers.len() {
                self.process
                    .deal(component, self.hour, Parts::ALL, &mut self.dealt);
            }
            // Those of the same millisecond stay in the order they were dealt in.
            self.dealt.reverse();
            self.dealt.sort_by_key(|dealt| std::cmp::Reverse(dealt.at));
            self.clock = Hour::new(self.process.scenario.hour(self.hour));
            self.hour += 1;
        }
        self.dealt.pop()
    }

    fn next_event(&mut self) -> Option<Event> {
        let dealt = self.next_dealt()?;
        let name = &self.process.scenario.name;
        let event_id = format!("{name}-{}-{}", self.seed, self.made);
        let session_id = format!("{name}-{}-s{}", self.seed, self.made / SESSION);
        let component = usize::from(dealt.component);
        let event = self.writers[component].write(&dealt, event_id, &session_id, &self.clock);
        self.made += 1;
        self.truth.add(&dealt, self.hour - 1);
        if dealt.repeated {
            self.again.push_back((self.made + UNTIL_REPEATED, event.clone()));
        }
        if !self.process.plans[component].component.outcomes.is_empty() {
            self.session.decided(Decided {
                timestamp: event.timestamp,
                event_id: event.event_id.clone(),
                session_id,
                dealt,
            });
        }
        if self.made.is_multiple_of(SESSION) || self.made == self.decisions {
            self.end_session();
        }
        Some(event)
    }

    /// What becomes of the session, which has no more decisions.
    fn end_session(&mut self) {
        for decision in self.session.end() {
            let component = self.process.plans[usize::from(decision.dealt.component)].component;
            for happened in later::draw(&component.outcomes, decision.timestamp, &mut self.fates) {
                self.truth.add_outcome(&decision, &happened);
                self.outcomes.push(happened.write(&decision));
            }
        }
    }
}

impl Iterator for Simulation<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.again.front().is_some_and(|(at, _)| *at <= self.made) {
            return self.again.pop_front().map(|(_, event)| event);
        }
        self.next_event()
            .or_else(|| self.again.pop_front().map(|(_, event)| event))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // Those that are sent twice are known when their hour is dealt.
        let left = self.decisions - self.made + self.again.len() as u64;
        (usize::try_from(left).unwrap_or(usize::MAX), None)
    }
}
