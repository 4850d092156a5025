//! Which hours of the rollup to compare next, and which differences are real. The rollup is behind its table for a moment
//! whenever something is inserted; only a difference that stays the same in several looks is one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kaizen_warehouse::queries::{HourCount, RollupAudit, Window};

/// Looks in a row in which a difference must be the same, or gone.
const LOOKS: u32 = 3;
/// Hours whose differences are looked at again in one run; further ones wait for the next round.
const AGAIN: usize = 24;
const HOUR: i64 = 3600;

type Hour = (String, u32);

/// Goes round all hours, the newest first.
#[derive(Debug, Default)]
pub struct Hours {
    /// Still to come in this round; the next one last.
    windows: Vec<Window>,
    /// Differences, with the looks in which each was the same.
    suspects: BTreeMap<Hour, (RollupAudit, u32)>,
    /// Differences that stood.
    wrong: BTreeMap<Hour, Wrong>,
}

/// An hour that is wrong.
#[derive(Debug)]
struct Wrong {
    /// How, when it was last looked at and was not right.
    difference: RollupAudit,
    /// Looks in a row in which it was the same; none since the hour was to be mended.
    same: u32,
    /// Looks since then in which there was none.
    right: u32,
}

impl Hours {
    /// Whether a round is over, so that [`Hours::begin`] needs the hours there are.
    pub fn is_over(&self) -> bool {
        self.windows.is_empty()
    }

    /// Begins a round over these hours from second `since` on, in windows of at most `budget` decisions or one hour.
    pub fn begin(&mut self, hours: &[HourCount], since: u32, budget: u64) {
        let mut windows: Vec<(u32, u32, u64)> = Vec::new();
        for HourCount { hour, decisions } in hours.iter().filter(|it| it.hour >= since) {
            match windows.last_mut() {
                // Hours between that the rollup does not know are looked at too.
                Some((_, last, together)) if *together + decisions <= budget => {
                    *last = *hour;
                    *together += decisions;
                }
                before => {
                    let first = before.map_or(*hour, |(_, last, _)| *last + HOUR as u32);
                    windows.push((first, *hour, *decisions));
                }
            }
        }
        self.windows = windows
            .into_iter()
            .filter_map(|(first, last, _)| window(first, last))
            .collect();
    }

    /// What to compare now: the next window of the round, then the hours of suspects.
    pub fn next(&mut self) -> Vec<Window> {
        let mut windows: Vec<_> = self.windows.pop().into_iter().collect();
        let within = |second: u32| {
            let hour = i64::from(second);
            windows
                .first()
                .is_some_and(|it| (it.start().as_second()..it.end().as_second()).contains(&hour))
        };
        // Those that only stay as wrong as they are known to be wait for the next round.
        let changing = self.wrong.iter().filter(|(_, wrong)| wrong.same < LOOKS);
        let changing = changing.map(|((_, hour), _)| *hour).take(AGAIN);
        let again = self.suspects.keys().map(|(_, hour)| *hour);
        let mut again: Vec<u32> = again.chain(changing).filter(|hour| !within(*hour)).collect();
        again.sort_unstable();
        again.dedup();
        windows.extend(again.into_iter().filter_map(|hour| window(hour, hour)));
        windows
    }

    /// Notes how a window differs. Returns the hours that are wrong for the first time, and those that are right again.
    pub fn compared(
        &mut self,
        window: Window,
        differences: Vec<RollupAudit>,
    ) -> (Vec<RollupAudit>, Vec<RollupAudit>) {
        let mut now: BTreeMap<Hour, RollupAudit> = BTreeMap::new();
        for difference in differences {
            now.insert((difference.log_type.clone(), difference.hour), difference);
        }
        let (start, end) = (window.start().as_second(), window.end().as_second());
        let mut mended = Vec::new();
        self.wrong.retain(|hour, wrong| {
            if !(start..end).contains(&hour.1.into()) {
                return true;
            }
            // An insert under way can hide a difference as well as make one.
            wrong.look(now.remove(hour));
            let is_mended = wrong.right >= LOOKS;
            if is_mended {
                mended.push(wrong.difference.clone());
            }
            !is_mended
        });
        let mut before = BTreeMap::new();
        self.suspects.retain(|hour, suspect| {
            let other = !(start..end).contains(&hour.1.into());
            if !other {
                before.insert(hour.clone(), suspect.clone());
            }
            other
        });
        let mut found = Vec::new();
        for (hour, difference) in now {
            let same = before
                .remove(&hour)
                .filter(|(it, _)| it.digest == difference.digest);
            let looks = same.map_or(1, |(_, looks)| looks + 1);
            if looks >= LOOKS {
                found.push(difference.clone());
                let wrong = Wrong {
                    difference,
                    same: looks,
                    right: 0,
                };
                self.wrong.insert(hour, wrong);
            } else if self.suspects.len() < AGAIN {
                self.suspects.insert(hour, (difference, looks));
            }
        }
        (found, mended)
    }

    /// Hours to rebuild: those that are wrong, and were the same in several looks since they were last to be.
    pub fn due_to_mend(&mut self) -> Vec<Window> {
        let due = self.wrong.iter_mut().filter(|(_, wrong)| wrong.same >= LOOKS);
        let mut hours: Vec<u32> = due
            .map(|((_, hour), wrong)| {
                wrong.same = 0;
                *hour
            })
            .collect();
        hours.sort_unstable();
        hours.dedup();
        hours.into_iter().filter_map(|hour| window(hour, hour)).collect()
    }

    /// Hours that are wrong.
    pub fn standing(&self) -> u64 {
        self.wrong.len() as u64
    }
}

impl Wrong {
    fn look(&mut self, now: Option<RollupAudit>) {
        match now {
            None => (self.same, self.right) = (0, self.right + 1),
            Some(difference) => {
                let is_same = difference.digest == self.difference.digest;
                (self.same, self.right) = (if is_same { self.same + 1 } else { 1 }, 0);
                self.difference = difference;
            }
        }
    }
}

/// From the hour that begins at `first` to the end of the one that begins at `last`.
fn window(first: u32, last: u32) -> Option<Window> {
    let time = |second: i64| Timestamp::from_second(second).ok();
    Window::new("window", time(first.into())?, time(i64::from(last) + HOUR)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(hour: u32, missing: i64) -> RollupAudit {
        RollupAudit {
            log_type: "a".to_owned(),
            hour: hour * 3600,
            missing,
            rows: 0,
            digest: missing.unsigned_abs(),
        }
    }

    fn bounds(windows: &[Window]) -> Vec<(i64, i64)> {
        let hour = |time: Timestamp| time.as_second() / HOUR;
        windows
            .iter()
            .map(|it| (hour(it.start()), hour(it.end())))
            .collect()
    }

    #[test]
    fn a_round_goes_from_the_newest_hour_to_the_oldest_and_skips_none() {
        let mut hours = Hours::default();
        let counts = [(1, 9), (2, 1), (5, 3), (6, 20), (9, 1)].map(|(hour, decisions)| HourCount {
            hour: hour * 3600,
            decisions,
        });
        hours.begin(&counts, 2 * 3600, 10);
        assert_eq!(bounds(&hours.next()), [(7, 10)]);
        assert_eq!(bounds(&hours.next()), [(6, 7)]);
        assert_eq!(bounds(&hours.next()), [(2, 6)], "from the hour that is whole");
        assert!(hours.is_over());
    }

    #[test]
    fn only_a_difference_that_stays_is_one_and_it_is_told_once_and_when_it_is_mended() {
        let mut hours = Hours::default();
        let day = window(0, 23 * 3600).unwrap();
        let mut look = |missing: &[i64]| {
            let differences = missing.iter().map(|missing| difference(5, *missing)).collect();
            let (found, mended) = hours.compared(day, differences);
            (found.len(), mended.len(), hours.standing())
        };
        for moving in [3, 4, 4, 5, 5] {
            assert_eq!(look(&[moving]), (0, 0, 0), "behind by a moment");
        }
        assert_eq!(look(&[]), (0, 0, 0));
        assert_eq!(
            (look(&[7]), look(&[7]), look(&[7])),
            ((0, 0, 0), (0, 0, 0), (1, 0, 1))
        );
        assert_eq!((look(&[7]), look(&[8])), ((0, 0, 1), (0, 0, 1)), "once");
        assert_eq!(
            (look(&[]), look(&[]), look(&[7])),
            ((0, 0, 1), (0, 0, 1), (0, 0, 1)),
            "hidden by a moment"
        );
        assert_eq!(
            (look(&[]), look(&[]), look(&[])),
            ((0, 0, 1), (0, 0, 1), (0, 1, 0))
        );
        assert_eq!(look(&[]), (0, 0, 0));
    }

    #[test]
    fn an_hour_is_to_be_mended_when_it_is_found_wrong_and_again_when_that_did_not_help() {
        let mut hours = Hours::default();
        let day = window(0, 23 * 3600).unwrap();
        let mut look = |missing: &[i64]| {
            hours.compared(
                day,
                missing.iter().map(|missing| difference(5, *missing)).collect(),
            );
            bounds(&hours.due_to_mend())
        };
        assert_eq!(
            (look(&[7]), look(&[7]), look(&[7])),
            (vec![], vec![], vec![(5, 6)])
        );
        assert_eq!(
            look(&[-7]),
            [],
            "another insert came between: is it the same in a while?"
        );
        assert_eq!((look(&[-7]), look(&[-7])), (vec![], vec![(5, 6)]));
        assert_eq!((look(&[]), look(&[]), look(&[])), (vec![], vec![], vec![]));
    }

    #[test]
    fn a_suspect_is_looked_at_again_before_its_turn() {
        let mut hours = Hours::default();
        let day = window(0, 23 * 3600).unwrap();
        for _ in 0..LOOKS {
            hours.compared(day, vec![difference(5, 1)]);
            let again = if hours.standing() == 0 {
                vec![(5, 6)]
            } else {
                vec![]
            };
            assert_eq!(bounds(&hours.next()), again);
        }
        hours.compared(day, vec![]);
        assert_eq!(bounds(&hours.next()), [(5, 6)], "is it right now?");
    }
}
