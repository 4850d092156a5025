//! Measures implemented tickets when it is due, and moves them to their verdict.
//!
//! What is to be done follows from the ticket and its kept measurements alone, one step at a time, and each step is done at
//! most once however many replicas try: a process killed between two steps leaves the next one to be found.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kaizen_api::status::chain;
use kaizen_api::tracker::v1 as wire;
use kaizen_ledger::{Change, Cursor, Filter, LedgerError, Listing, NewMeasurement, Order, State, Ticket};
use kaizen_warehouse::queries::{Window, data_window};
use tokio_util::sync::CancellationToken;

use super::kept::{Unreadable, word_of};
use super::{Asked, Kept, MeasureError, Measurer, kept, learn, measure};
use crate::instruments::Instruments;

/// Days after a change on which it is measured.
const DAYS: [u32; 3] = [7, 14, 28];
/// From this one on, an effect that is seen is the verdict; on the last day, whatever is seen.
pub(super) const DECISIVE: u32 = 14;
const LAST: u32 = 28;
/// Who measures and learns, in the audit.
pub(super) const ACTOR: &str = "kaizen";
/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(30);
/// Tickets read at once.
const PAGE: u32 = 200;
/// Tickets with a verdict are looked at again until so long after their last change.
const AGAIN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Steps from implemented to a verdict, with a second one later, and more than that.
const STEPS: usize = 12;

/// Measures tickets that are due.
pub struct Schedule {
    measurer: Measurer,
    /// How long after a day ends it is measured.
    delay: SignedDuration,
    instruments: Instruments,
}

/// What a ticket needs next.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Nothing,
    /// It moves to `measuring`.
    Begin,
    /// It is measured for a day.
    Measure(u32),
    /// It moves to a verdict, and why.
    Conclude(State, String),
}

#[derive(Debug, thiserror::Error)]
enum ScheduleError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl Schedule {
    /// Measures a day once it is over for `delay`.
    pub fn new(measurer: Measurer, delay: SignedDuration, instruments: Instruments) -> Self {
        Self {
            measurer,
            delay,
            instruments,
        }
    }

    /// Measures until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut committed = self.measurer.ledger.committed();
        let mut learned_until = None;
        while !shutdown.is_cancelled() {
            committed.mark_unchanged();
            if let Err(error) = self.look(&shutdown).await {
                tracing::warn!(error = chain(&error), "implemented tickets were not looked at");
            }
            if let Err(error) = learn::learn(&self.measurer, &mut learned_until).await {
                tracing::warn!(
                    error = chain(&error),
                    "nothing was learned from what was measured"
                );
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
                // The sender lives as long as the ledger, which this holds
                _ = committed.changed() => {}
            }
        }
    }

    /// Does what is due of every ticket.
    async fn look(&self, shutdown: &CancellationToken) -> Result<(), ScheduleError> {
        let mut look = Look {
            schedule: self,
            shutdown,
            now: Timestamp::now(),
            stored: None,
        };
        look.at(&[State::Implemented, State::Measuring], Order::Newest)
            .await?;
        look.at(&super::overlaps::IMPLEMENTED[2..], Order::LatestChange)
            .await
    }

    /// How far the record of decisions goes: what is later may still be on its way, however late it is.
    async fn stored_until(&self) -> Result<Timestamp, ScheduleError> {
        let window = data_window(&self.measurer.client, None).await;
        let window = window.map_err(MeasureError::Query)?;
        Ok(window.map_or(Timestamp::UNIX_EPOCH, Window::end))
    }

    /// Does all that is due of a ticket, when decisions are stored up to that time.
    async fn advance(&self, mut ticket: Ticket, stored: Timestamp) -> Result<(), ScheduleError> {
        for _ in 0..STEPS {
            let Some(change) = &ticket.implementation else {
                return Ok(());
            };
            let mut found = BTreeMap::new();
            for it in self
                .measurer
                .ledger
                .measurements(ticket.number, change.at)
                .await?
            {
                found.insert(it.day, kept(&it)?);
            }
            let now = Timestamp::now();
            let is_due = |day: u32| {
                let (over, due) = self.due(&ticket, change.at, day)?;
                Ok::<_, jiff::Error>(over <= stored && due <= now)
            };
            let due = |day: u32| is_due(day).unwrap_or(false);
            match next(&ticket, &found, due) {
                Step::Nothing => return Ok(()),
                Step::Begin => ticket = self.move_to(&ticket, State::Measuring, String::new()).await?,
                Step::Measure(day) => self.measure(&ticket, change.at, day, now).await?,
                Step::Conclude(verdict, why) => ticket = self.move_to(&ticket, verdict, why).await?,
            }
        }
        Ok(())
    }

    /// When a day is over, and when its measurement is due: once the outcomes that its decisions are given time for have come,
    /// and what comes late.
    fn due(
        &self,
        ticket: &Ticket,
        change: Timestamp,
        day: u32,
    ) -> Result<(Timestamp, Timestamp), jiff::Error> {
        let metric = self.measurer.catalogue.metric(&ticket.metric);
        let outcome = metric.and_then(|(_, metric)| metric.expression.outcome());
        let waits = outcome.and_then(|it| it.horizon).map_or(0, |it| it.hours());
        let over = change.checked_add(SignedDuration::from_hours(i64::from(day) * 24))?;
        // The hour of the change belongs to no day
        let due = over.checked_add(SignedDuration::from_hours(1 + i64::from(waits)))?;
        Ok((over, due.checked_add(self.delay)?))
    }

    async fn move_to(&self, ticket: &Ticket, state: State, comment: String) -> Result<Ticket, LedgerError> {
        let change = Change {
            actor: ACTOR.to_owned(),
            comment,
            state: Some(state),
            ..Change::default()
        };
        let ledger = &self.measurer.ledger;
        ledger.change(ticket.number, Some(ticket.revision), &change).await
    }

    /// Measures a day and keeps what was found.
    async fn measure(
        &self,
        ticket: &Ticket,
        change: Timestamp,
        day: u32,
        now: Timestamp,
    ) -> Result<(), ScheduleError> {
        let asked = Asked::of(&self.measurer.catalogue, ticket, day, now);
        let found = match asked {
            Ok(asked) => measure(&self.measurer, &asked.planned_for(LAST)).await,
            Err(error) => Err(error.into()),
        };
        let found = match found {
            Ok(impact) => Kept::Measured(Box::new(impact)),
            Err(error @ (MeasureError::Unasked(_) | MeasureError::Unmeasurable(_))) => {
                Kept::Unmeasurable(error.to_string())
            }
            Err(error) => return Err(error.into()),
        };
        let verdict = match &found {
            Kept::Measured(impact) => impact.verdict(),
            Kept::Unmeasurable(_) => wire::ImpactVerdict::Unspecified,
        };
        let new = NewMeasurement {
            number: ticket.number,
            implemented_at: change,
            day,
            actor: ACTOR.to_owned(),
            verdict: word_of(verdict),
            summary: found.summary(),
            content: found.content(),
        };
        self.measurer.ledger.keep_measurement(&new).await?;
        self.instruments.measured(verdict);
        tracing::info!(
            ticket = ticket.id(),
            day,
            verdict = verdict.as_str_name(),
            "measured"
        );
        Ok(())
    }
}

/// One look at all tickets.
struct Look<'a> {
    schedule: &'a Schedule,
    shutdown: &'a CancellationToken,
    now: Timestamp,
    /// How far the record of decisions goes, asked when the first ticket needs it.
    stored: Option<Timestamp>,
}

impl Look<'_> {
    /// At the tickets in some states, page by page.
    async fn at(&mut self, states: &[State], order: Order) -> Result<(), ScheduleError> {
        let mut after = None;
        loop {
            let listing = Listing {
                filter: Filter {
                    states: states.to_vec(),
                    ..Filter::default()
                },
                order,
                after,
                most: PAGE,
            };
            let tickets = self.schedule.measurer.ledger.list(&listing).await?;
            after = tickets.last().map(Cursor::behind);
            if after.is_none() || self.at_page(tickets, order).await?.is_break() {
                return Ok(());
            }
        }
    }

    /// At the tickets of a page; breaks where none behind it needs a look.
    async fn at_page(
        &mut self,
        tickets: Vec<Ticket>,
        order: Order,
    ) -> Result<ControlFlow<()>, ScheduleError> {
        for ticket in tickets {
            let is_past = order == Order::LatestChange && self.now.duration_since(ticket.updated_at) > AGAIN;
            if is_past || self.shutdown.is_cancelled() {
                return Ok(ControlFlow::Break(()));
            }
            let stored = match self.stored {
                Some(stored) => stored,
                None => *self.stored.insert(self.schedule.stored_until().await?),
            };
            self.at_ticket(ticket, stored.min(self.now)).await;
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn at_ticket(&self, ticket: Ticket, stored: Timestamp) {
        let id = ticket.id();
        match self.schedule.advance(ticket, stored).await {
            // Somebody else moved it: looked at again, it is as they left it
            Ok(()) | Err(ScheduleError::Ledger(LedgerError::Stale { .. } | LedgerError::Illegal { .. })) => {}
            Err(error) => tracing::warn!(ticket = id, error = chain(&error), "a ticket was not measured"),
        }
    }
}

/// What a ticket needs next, by what is kept of it and what is due.
fn next(ticket: &Ticket, kept: &BTreeMap<u32, wire::Measurement>, due: impl Fn(u32) -> bool) -> Step {
    let open = DAYS.into_iter().find(|day| !kept.contains_key(day) && due(*day));
    match (open, ticket.state) {
        (Some(_), State::Implemented) => return Step::Begin,
        (Some(day), _) => return Step::Measure(day),
        (None, _) => {}
    }
    let Some((state, why)) = kept.iter().rev().find_map(|(day, it)| conclusion(*day, it)) else {
        return Step::Nothing;
    };
    match ticket.state {
        State::Measuring => Step::Conclude(state, why),
        // A verdict of an earlier day is measured again; one that a person gave is left alone
        earlier if earlier != state && by_day(kept, DECISIVE) == Some(earlier) => Step::Begin,
        _ => Step::Nothing,
    }
}

fn by_day(kept: &BTreeMap<u32, wire::Measurement>, day: u32) -> Option<State> {
    kept.get(&day)
        .and_then(|it| conclusion(day, it))
        .map(|(state, _)| state)
}

/// The verdict that the measurement of a day is, and why; `None` while a later one may still tell more.
fn conclusion(day: u32, it: &wire::Measurement) -> Option<(State, String)> {
    let Some(impact) = &it.impact else {
        let why = format!(
            "Nothing could be measured {day} days after the change: {}.",
            it.unmeasurable
        );
        return (day >= LAST).then_some((State::Inconclusive, why));
    };
    let state = match impact.verdict() {
        wire::ImpactVerdict::Improved => State::Verified,
        wire::ImpactVerdict::Worse => State::Worse,
        wire::ImpactVerdict::NoDetectableChange => State::NoEffect,
        wire::ImpactVerdict::CannotTell | wire::ImpactVerdict::Unspecified => State::Inconclusive,
    };
    let is_seen = matches!(state, State::Verified | State::Worse);
    let is_final = day >= LAST || (is_seen && day >= DECISIVE);
    let why = format!(
        "{} Measured {day} days after the change by {}.",
        impact.summary,
        impact.method.replace('_', " ")
    );
    is_final.then_some((state, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(state: State) -> Ticket {
        Ticket {
            number: 1,
            revision: 1,
            state,
            title: String::new(),
            description: String::new(),
            category: String::new(),
            metric: String::new(),
            rule: String::new(),
            owner: String::new(),
            labels: Vec::new(),
            due_date: None,
            links: Vec::new(),
            duplicate_of: None,
            evidence: None,
            implementation: Some(kaizen_ledger::Implementation::default()),
            created_at: Timestamp::UNIX_EPOCH,
            created_by: String::new(),
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn found(verdicts: &[(u32, wire::ImpactVerdict)]) -> BTreeMap<u32, wire::Measurement> {
        let one = |(day, verdict): &(u32, wire::ImpactVerdict)| {
            let impact = wire::Impact {
                verdict: (*verdict).into(),
                ..wire::Impact::default()
            };
            let measurement = wire::Measurement {
                impact: Some(impact),
                ..wire::Measurement::default()
            };
            (*day, measurement)
        };
        verdicts.iter().map(one).collect()
    }

    fn until(last: u32) -> impl Fn(u32) -> bool {
        move |day| day <= last
    }

    use wire::ImpactVerdict::{CannotTell, Improved, NoDetectableChange};

    #[test]
    fn a_ticket_is_measured_when_it_is_due_and_not_before() {
        let none = BTreeMap::new();
        assert_eq!(next(&ticket(State::Implemented), &none, until(6)), Step::Nothing);
        assert_eq!(next(&ticket(State::Implemented), &none, until(7)), Step::Begin);
        assert_eq!(next(&ticket(State::Measuring), &none, until(7)), Step::Measure(7));
        // Late, the days that were missed are made up for, in their order
        let first = found(&[(7, CannotTell)]);
        assert_eq!(
            next(&ticket(State::Measuring), &first, until(28)),
            Step::Measure(14)
        );
    }

    #[test]
    fn an_effect_that_is_seen_ends_it_early_and_none_that_is_seen_at_the_end() {
        let measuring = ticket(State::Measuring);
        let week = found(&[(7, Improved)]);
        assert_eq!(next(&measuring, &week, until(7)), Step::Nothing);
        let fortnight = found(&[(7, CannotTell), (14, Improved)]);
        assert!(matches!(
            next(&measuring, &fortnight, until(14)),
            Step::Conclude(State::Verified, _)
        ));
        let nothing = found(&[(7, CannotTell), (14, NoDetectableChange)]);
        assert_eq!(next(&measuring, &nothing, until(14)), Step::Nothing);
        let at_the_end = found(&[
            (7, CannotTell),
            (14, NoDetectableChange),
            (28, NoDetectableChange),
        ]);
        assert!(matches!(
            next(&measuring, &at_the_end, until(28)),
            Step::Conclude(State::NoEffect, _)
        ));
    }

    #[test]
    fn a_verdict_that_does_not_last_is_revised_and_a_persons_is_left_alone() {
        let all = found(&[(7, Improved), (14, Improved), (28, NoDetectableChange)]);
        assert_eq!(next(&ticket(State::Verified), &all, until(28)), Step::Begin);
        assert!(matches!(
            next(&ticket(State::Measuring), &all, until(28)),
            Step::Conclude(State::NoEffect, _)
        ));
        assert_eq!(next(&ticket(State::NoEffect), &all, until(28)), Step::Nothing);
        assert_eq!(next(&ticket(State::Inconclusive), &all, until(28)), Step::Nothing);
        // It is still measured for the last day
        let fortnight = found(&[(7, Improved), (14, Improved)]);
        assert_eq!(
            next(&ticket(State::Verified), &fortnight, until(28)),
            Step::Measure(28)
        );
    }

    #[test]
    fn what_cannot_be_measured_is_inconclusive_at_the_end() {
        let nothing = wire::Measurement {
            unmeasurable: "there are 3 values before the change".to_owned(),
            ..wire::Measurement::default()
        };
        let all: BTreeMap<u32, wire::Measurement> = DAYS.map(|day| (day, nothing.clone())).into();
        let Step::Conclude(state, why) = next(&ticket(State::Measuring), &all, until(28)) else {
            panic!("no conclusion");
        };
        assert_eq!(state, State::Inconclusive);
        assert!(why.contains("3 values before the change"), "{why}");
    }
}
