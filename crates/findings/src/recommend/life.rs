//! What becomes of a recommendation from run to run. Pure: what happened goes in, in the order it happened, and the history of
//! its state comes out.
//!
//! A finding that is found again is the same recommendation. It is *reopened* when it comes back: after runs that did not find
//! it, after its ticket ended, or after it was dismissed if its evidence became materially worse. Only a run over a later period
//! than was known then can bring it back: the same week analysed once more says nothing new.

use crate::recommend::Estimate;
use crate::words::difference;

/// A dismissed effect is materially worse when it is larger by this factor and its interval lies wholly beyond that of the
/// dismissal.
const MATERIALLY: f64 = 1.25;
const DAY: i64 = 86_400;

/// Where a recommendation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has decided about it.
    Open,
    /// It will be done.
    Accepted,
    /// It will not be done.
    Dismissed,
    /// Its ticket has ended.
    Closed,
    /// The latest run did not find it.
    Gone,
    /// It came back.
    Reopened,
}

/// A change of where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Where it stands from then on.
    pub standing: Standing,
    /// Why.
    pub reason: String,
    /// Who decided; empty where a run or a ticket did.
    pub actor: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What.
    pub what: What,
}

/// What may happen to a recommendation.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A run ended.
    Run {
        /// End of its period, in seconds since 1970.
        end: i64,
        /// The effect, if it found it.
        found: Option<Estimate>,
    },
    /// Somebody decided.
    Decided {
        /// What: open, accepted or dismissed.
        standing: Standing,
        /// Why.
        reason: String,
        /// Who.
        actor: String,
    },
    /// Its ticket ended, or was taken up again.
    Ticket {
        /// Identity of the ticket.
        id: String,
        /// Its state, in a word.
        state: String,
        /// Whether that is an end.
        is_end: bool,
        /// When what was done went live, in seconds since 1970.
        live: Option<i64>,
        /// Who.
        actor: String,
    },
}

/// The history of a recommendation, oldest first. `unit` is that of its effects.
pub fn history(happened: &[Happened], unit: &str) -> Vec<Change> {
    let mut ordered: Vec<&Happened> = happened.iter().collect();
    ordered.sort_by_key(|it| it.at);
    let mut life = Life {
        unit,
        ..Life::default()
    };
    for it in ordered {
        match &it.what {
            What::Run { end, found } => life.run(it.at, *end, *found),
            What::Decided {
                standing,
                reason,
                actor,
            } => life.decided(it.at, *standing, reason, actor),
            What::Ticket {
                id,
                state,
                is_end,
                live,
                actor,
            } => life.ticket(it.at, (id, state), (*is_end, *live), actor),
        }
    }
    life.changes
}

#[derive(Default)]
struct Life<'a> {
    unit: &'a str,
    changes: Vec<Change>,
    /// End of the latest period that was analysed.
    analysed: Option<i64>,
    /// End of the latest period it was found in.
    found: Option<i64>,
    /// The latest effect.
    effect: Option<Estimate>,
    /// The effect when it was dismissed.
    dismissed: Option<Estimate>,
    /// What ended, and the end of the latest period that says nothing of whether it came back.
    ended: Option<(String, i64)>,
}

impl Life<'_> {
    fn standing(&self) -> Option<Standing> {
        self.changes.last().map(|it| it.standing)
    }

    fn becomes(&mut self, at: i64, standing: Standing, reason: String, actor: &str) {
        self.changes.push(Change {
            at,
            standing,
            reason,
            actor: actor.to_owned(),
        });
    }

    fn run(&mut self, at: i64, end: i64, found: Option<Estimate>) {
        if self.analysed.is_some_and(|analysed| end <= analysed) {
            return;
        }
        self.analysed = Some(end);
        let Some(effect) = found else {
            if let Some(Standing::Open | Standing::Accepted | Standing::Reopened) = self.standing() {
                self.becomes(at, Standing::Gone, "the run did not find it".to_owned(), "");
            }
            return;
        };
        let (standing, reason) = match self.standing() {
            None => (Standing::Open, "found first".to_owned()),
            Some(Standing::Gone) => {
                let away = self.found.map_or(0, |found| (end - found) / DAY);
                (
                    Standing::Reopened,
                    format!("came back after {away} days; runs in between did not find it"),
                )
            }
            Some(Standing::Closed) => match &self.ended {
                Some((what, until)) if end > *until => {
                    (Standing::Reopened, format!("came back after {what}"))
                }
                _ => return self.seen(end, effect),
            },
            Some(Standing::Dismissed) => match self.dismissed {
                Some(then) if is_materially_worse(then, effect) => (
                    Standing::Reopened,
                    format!(
                        "came back worse after it was dismissed: {} against {}",
                        self.told(effect),
                        self.told(then)
                    ),
                ),
                _ => return self.seen(end, effect),
            },
            Some(Standing::Open | Standing::Accepted | Standing::Reopened) => return self.seen(end, effect),
        };
        self.seen(end, effect);
        self.becomes(at, standing, reason, "");
    }

    fn seen(&mut self, end: i64, effect: Estimate) {
        self.found = Some(end);
        self.effect = Some(effect);
    }

    fn told(&self, it: Estimate) -> String {
        let of = |value| difference(value, self.unit);
        format!("{} ({} to {})", of(it.value), of(it.lower), of(it.upper))
    }

    fn decided(&mut self, at: i64, standing: Standing, reason: &str, actor: &str) {
        if standing == Standing::Dismissed {
            self.dismissed = self.effect;
        }
        self.becomes(at, standing, reason.to_owned(), actor);
    }

    fn ticket(
        &mut self,
        at: i64,
        (id, state): (&str, &str),
        (is_end, live): (bool, Option<i64>),
        actor: &str,
    ) {
        let what = format!("ticket {id} ended as {state}");
        if is_end {
            let until = self.analysed.into_iter().chain(live).max();
            self.ended = Some((what.clone(), until.unwrap_or_default()));
            self.becomes(at, Standing::Closed, what, actor);
        } else if self.standing() == Some(Standing::Closed) {
            let reason = format!("ticket {id} is {state} again");
            self.becomes(at, Standing::Accepted, reason, actor);
        }
    }
}

/// Larger, the same way round, and surely so.
fn is_materially_worse(then: Estimate, now: Estimate) -> bool {
    let beyond = if then.value < 0.0 {
        now.upper < then.lower
    } else {
        now.lower > then.upper
    };
    beyond && now.value.abs() >= MATERIALLY * then.value.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: i64 = 7 * DAY;

    fn run(week: i64, effect: Option<f64>) -> Happened {
        let found = effect.map(|it| Estimate::new(it, (it - 0.01, it + 0.01)));
        Happened {
            at: (week * WEEK + DAY) * 1000,
            what: What::Run {
                end: week * WEEK,
                found,
            },
        }
    }

    fn decided(day: i64, standing: Standing) -> Happened {
        Happened {
            at: day * DAY * 1000,
            what: What::Decided {
                standing,
                reason: "why".to_owned(),
                actor: "somebody".to_owned(),
            },
        }
    }

    fn ticket(day: i64, state: &str, is_end: bool, live: Option<i64>) -> Happened {
        Happened {
            at: day * DAY * 1000,
            what: What::Ticket {
                id: "T-1".to_owned(),
                state: state.to_owned(),
                is_end,
                live: live.map(|day| day * DAY),
                actor: "somebody".to_owned(),
            },
        }
    }

    fn told(happened: &[Happened]) -> Vec<(Standing, String)> {
        let changes = history(happened, "ratio");
        assert!(changes.is_sorted_by_key(|it| it.at));
        changes.into_iter().map(|it| (it.standing, it.reason)).collect()
    }

    fn last(happened: &[Happened]) -> (Standing, String) {
        told(happened).pop().expect("a history")
    }

    #[test]
    fn what_every_run_finds_is_open_since_the_first() {
        let all = told(&[run(1, Some(-0.1)), run(2, Some(-0.2)), run(3, Some(-0.1))]);
        assert_eq!(all, [(Standing::Open, "found first".to_owned())]);
    }

    #[test]
    fn what_a_run_does_not_find_is_gone_and_reopened_when_it_comes_back() {
        let gone = [run(1, Some(-0.1)), run(2, None), run(3, None)];
        assert_eq!(last(&gone).0, Standing::Gone);
        let all = told(&[gone.to_vec(), vec![run(4, Some(-0.1))]].concat());
        assert_eq!(
            all.iter().map(|it| it.0).collect::<Vec<_>>(),
            [Standing::Open, Standing::Gone, Standing::Reopened]
        );
        assert_eq!(
            all[2].1,
            "came back after 21 days; runs in between did not find it"
        );
    }

    #[test]
    fn the_same_period_again_or_an_earlier_one_changes_nothing() {
        let again = Happened {
            at: 30 * DAY * 1000,
            ..run(1, Some(-0.1))
        };
        let earlier = Happened {
            at: 31 * DAY * 1000,
            ..run(0, None)
        };
        let closed = ticket(20, "cancelled", true, None);
        let all = [run(1, Some(-0.1)), closed, again, earlier];
        assert_eq!(last(&all).0, Standing::Closed);
    }

    #[test]
    fn what_its_ticket_ended_is_reopened_by_the_next_period_that_has_it() {
        for state in ["verified", "no_effect", "worse", "inconclusive", "cancelled"] {
            let all = [
                run(1, Some(-0.1)),
                decided(9, Standing::Accepted),
                ticket(10, state, true, None),
                run(2, Some(-0.1)),
            ];
            let reason = format!("came back after ticket T-1 ended as {state}");
            assert_eq!(last(&all), (Standing::Reopened, reason));
        }
    }

    #[test]
    fn a_period_before_what_was_done_went_live_says_nothing_of_it() {
        let done = [run(1, Some(-0.1)), ticket(10, "verified", true, Some(15))];
        let before = [done.to_vec(), vec![run(2, Some(-0.1))]].concat();
        assert_eq!(last(&before).0, Standing::Closed);
        let after = [before, vec![run(3, Some(-0.1))]].concat();
        assert_eq!(last(&after).0, Standing::Reopened);
    }

    #[test]
    fn a_ticket_that_is_taken_up_again_is_under_way() {
        let all = [
            run(1, Some(-0.1)),
            ticket(10, "cancelled", true, None),
            ticket(11, "reopened", false, None),
        ];
        assert_eq!(
            last(&all),
            (Standing::Accepted, "ticket T-1 is reopened again".to_owned())
        );
    }

    #[test]
    fn what_is_dismissed_stays_so_unless_it_is_materially_worse() {
        let dismissed = [run(1, Some(-0.1)), decided(9, Standing::Dismissed)];
        // The same; a little more; much more and the other way round; gone and back.
        for effect in [Some(-0.1), Some(-0.115), Some(0.3), None] {
            let all = [dismissed.to_vec(), vec![run(2, effect), run(3, Some(-0.1))]].concat();
            assert_eq!(last(&all).0, Standing::Dismissed, "{effect:?}");
        }
        let worse = [dismissed.to_vec(), vec![run(2, Some(-0.2))]].concat();
        assert_eq!(
            last(&worse),
            (
                Standing::Reopened,
                "came back worse after it was dismissed: -20.0 points (-21.0 points to -19.0 points) against \
                 -10.0 points (-11.0 points to -9.0 points)"
                    .to_owned()
            )
        );
        // Dismissed again, it is measured against what it was then.
        let again = [worse, vec![decided(16, Standing::Dismissed), run(3, Some(-0.21))]].concat();
        assert_eq!(last(&again).0, Standing::Dismissed);
        let positive = [
            run(1, Some(0.1)),
            decided(9, Standing::Dismissed),
            run(2, Some(0.2)),
        ];
        assert_eq!(last(&positive).0, Standing::Reopened);
    }

    #[test]
    fn the_order_in_which_it_is_told_is_no_matter() {
        let mut all = vec![
            run(1, Some(-0.1)),
            ticket(10, "verified", true, None),
            run(2, Some(-0.1)),
            run(3, None),
        ];
        let forward = told(&all);
        all.reverse();
        assert_eq!(told(&all), forward);
    }
}
