//! Which offsets to look at next: first those stored since the last time, then, with what is left of the budget, older ones
//! again, round and round.

use std::collections::BTreeMap;

use kaizen_stream::Partition;
use kaizen_warehouse::queries::Span;

/// Where the audit stands in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Where it begins: what is older is not looked at.
    floor: i64,
    /// Everything from the floor to here was looked at once.
    seen: i64,
    /// Everything from the floor to here was looked at again, in this round.
    again: i64,
}

/// Where the audit stands in each partition that is owned.
#[derive(Debug, Default)]
pub struct Course(BTreeMap<Partition, Place>);

/// Spans to look at, and where the course stands when that is done.
#[derive(Debug)]
pub struct Leg {
    /// By partition; disjoint.
    pub spans: Vec<(Partition, Span)>,
    places: BTreeMap<Partition, Place>,
}

impl Course {
    /// Partitions whose floor is to be asked for: new ones, and those that begin a round.
    pub fn without_floor(&self, settled: &BTreeMap<Partition, i64>) -> Vec<Partition> {
        let begins = |place: &Place| place.again == place.floor;
        let unknown = |partition: &&Partition| self.0.get(partition).is_none_or(begins);
        settled.keys().filter(unknown).cloned().collect()
    }

    /// Floors were asked for.
    pub fn begin(&mut self, floors: impl IntoIterator<Item = (Partition, i64)>) {
        for (partition, floor) in floors {
            let place = self.0.entry(partition).or_insert(Place {
                floor,
                seen: floor,
                again: floor,
            });
            *place = Place {
                floor,
                seen: place.seen.max(floor),
                again: floor,
            };
        }
    }

    /// The next offsets, at most `budget`, shared by the partitions.
    pub fn next(&self, settled: &BTreeMap<Partition, i64>, budget: u64) -> Leg {
        let share = i64::try_from(budget / settled.len().max(1) as u64)
            .unwrap_or(i64::MAX)
            .max(1);
        let mut leg = Leg {
            spans: Vec::new(),
            places: BTreeMap::new(),
        };
        for (partition, end) in settled {
            let Some(place) = self.0.get(partition) else {
                continue;
            };
            // Never beyond what is stored, wherever the floor was taken to be.
            let start = place.seen.max(place.floor).min(*end);
            let seen = (*end).min(start.saturating_add(share));
            let left = share - (seen - start);
            let again = start.min(place.again.saturating_add(left));
            for (first, next) in [(place.again, again), (start, seen)] {
                if first < next {
                    let span = Span {
                        partition: partition.number,
                        first,
                        last: next - 1,
                    };
                    leg.spans.push((partition.clone(), span));
                }
            }
            let round_ends = again >= start;
            let place = Place {
                seen,
                again: if round_ends { place.floor } else { again },
                ..*place
            };
            leg.places.insert(partition.clone(), place);
        }
        leg
    }

    /// The leg is done; partitions that are not in it are given up.
    pub fn done(&mut self, leg: Leg) {
        self.0 = leg.places;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> Partition {
        Partition {
            topic: "t".to_owned(),
            number,
        }
    }

    fn go(course: &mut Course, settled: &BTreeMap<Partition, i64>, budget: u64) -> Vec<(i64, i64)> {
        let leg = course.next(settled, budget);
        let spans = leg
            .spans
            .iter()
            .map(|(_, span)| (span.first, span.last))
            .collect();
        course.done(leg);
        spans
    }

    #[test]
    fn what_is_new_comes_first_and_what_is_old_comes_round_again_within_the_budget() {
        let mut course = Course::default();
        let mut settled = BTreeMap::from([(partition(0), 25)]);
        assert_eq!(course.without_floor(&settled), [partition(0)]);
        course.begin([(partition(0), 5)]);
        assert_eq!(go(&mut course, &settled, 10), [(5, 14)]);
        assert_eq!(go(&mut course, &settled, 10), [(15, 24)]);
        assert_eq!(go(&mut course, &settled, 10), [(5, 14)]);
        settled.insert(partition(0), 28);
        assert_eq!(go(&mut course, &settled, 10), [(15, 21), (25, 27)]);
        assert_eq!(course.without_floor(&settled), []);
        assert_eq!(go(&mut course, &settled, 10), [(22, 27)]);
        assert_eq!(course.without_floor(&settled), [partition(0)], "a round begins");
        course.begin([(partition(0), 20)]);
        assert_eq!(go(&mut course, &settled, 10), [(20, 27)]);
    }

    #[test]
    fn partitions_share_the_budget_and_one_that_is_given_up_and_comes_back_begins_anew() {
        let mut course = Course::default();
        let both = BTreeMap::from([(partition(0), 100), (partition(1), 100)]);
        course.begin([(partition(0), 0), (partition(1), 0)]);
        assert_eq!(go(&mut course, &both, 10), [(0, 4), (0, 4)]);
        let one = BTreeMap::from([(partition(1), 100)]);
        assert_eq!(go(&mut course, &one, 10), [(5, 14)]);
        assert_eq!(course.without_floor(&both), [partition(0), partition(1)]);
        let leg = course.next(&both, 10);
        let spans: Vec<_> = leg
            .spans
            .iter()
            .map(|(of, span)| (of.number, span.first))
            .collect();
        assert_eq!(spans, [(1, 15)], "without a floor there is no place");
    }

    #[test]
    fn what_is_not_stored_is_not_looked_at_also_when_the_floor_was_beyond_it_and_is_lower_now() {
        let mut course = Course::default();
        let mut settled = BTreeMap::from([(partition(0), 0)]);
        course.begin([(partition(0), 239)]);
        assert!(go(&mut course, &settled, 1000).is_empty());
        course.begin([(partition(0), 0)]);
        assert!(go(&mut course, &settled, 1000).is_empty());
        settled.insert(partition(0), 240);
        assert_eq!(go(&mut course, &settled, 1000), [(0, 239)]);
    }

    #[test]
    fn nothing_stored_is_nothing_to_look_at() {
        let mut course = Course::default();
        let settled = BTreeMap::from([(partition(0), 3)]);
        assert!(go(&mut course, &settled, 10).is_empty(), "no floor yet");
        course.begin([(partition(0), 7)]);
        assert!(
            go(&mut course, &settled, 10).is_empty(),
            "removed before it was read"
        );
    }
}
