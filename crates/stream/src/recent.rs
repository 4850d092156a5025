//! The identities a partition stored lately, to tell a record that its producer published twice.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::batch::digest;

/// How far back a repeated identity is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Offsets of the partition.
    pub offsets: i64,
    /// Milliseconds between Kafka's times of the two records.
    pub milliseconds: i64,
}

/// The identity of a stored record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// 128 bits of its event id.
    id: u128,
    /// Kafka's time of the record, milliseconds since 1970.
    time: i64,
    /// Its offset.
    offset: i64,
}

impl Identity {
    /// Of an event id, in a record of this time and offset. Its 128 bits of CityHash stand for the
    /// id: within a window of 100,000, two of 10¹² ids share them with a probability of 3·10⁻²² (10¹² · 10⁵ / 2¹²⁸).
    pub fn of(event_id: &str, time: i64, offset: i64) -> Self {
        Self {
            id: digest(event_id.as_bytes()),
            time,
            offset,
        }
    }
}

/// What a window holds: identities in the order of their offsets. Which ones depends on nothing but the stored records,
/// so that whoever reads the partition next knows the same ones.
#[derive(Debug)]
pub struct Recent {
    window: Window,
    identities: VecDeque<Identity>,
    /// Where each stands, counted from the first one ever held.
    places: HashTable<u64>,
    forgotten: u64,
}

impl Recent {
    /// A window that knows `identities`, oldest first.
    pub fn new(window: Window, identities: impl IntoIterator<Item = Identity>) -> Self {
        let mut recent = Self {
            window,
            identities: VecDeque::new(),
            places: HashTable::new(),
            forgotten: 0,
        };
        for identity in identities {
            recent.remember(identity);
        }
        recent
    }

    /// Whether a record with this identity was stored within the window.
    pub fn knows(&self, identity: Identity) -> bool {
        let place = self
            .places
            .find(identity.id as u64, |place| self.at(*place).id == identity.id);
        place.is_some_and(|place| {
            let known = self.at(*place);
            identity.offset - known.offset <= self.window.offsets
                && identity.time.saturating_sub(known.time) <= self.window.milliseconds
        })
    }

    /// Notes that a record was stored; what is beyond the window from there is forgotten.
    pub fn remember(&mut self, identity: Identity) {
        let offsets = self.window.offsets;
        let beyond = |oldest: &Identity| identity.offset - oldest.offset >= offsets;
        while self.identities.front().is_some_and(beyond) {
            self.forget_oldest();
        }
        let place = self.forgotten + self.identities.len() as u64;
        self.identities.push_back(identity);
        let Self {
            places,
            identities,
            forgotten,
            ..
        } = self;
        let id_at = |place: &u64| identities[(place - *forgotten) as usize].id;
        let hash = identity.id as u64;
        // The same identity again, beyond the time: only its last place matters.
        match places.find_mut(hash, |place| id_at(place) == identity.id) {
            Some(known) => *known = place,
            None => {
                places.insert_unique(hash, place, |place| id_at(place) as u64);
            }
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.identities.front().copied() else {
            return;
        };
        let place = self.forgotten;
        if let Ok(entry) = self.places.find_entry(oldest.id as u64, |known| *known == place) {
            entry.remove();
        }
        self.identities.pop_front();
        self.forgotten += 1;
    }

    fn at(&self, place: u64) -> Identity {
        self.identities[(place - self.forgotten) as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Window = Window {
        offsets: 7,
        milliseconds: 100,
    };

    /// The same, the slow way.
    fn knows(history: &[Identity], identity: Identity) -> bool {
        let last = history.iter().rev().find(|known| known.id == identity.id);
        last.is_some_and(|known| {
            identity.time - known.time <= WINDOW.milliseconds
                && identity.offset - known.offset <= WINDOW.offsets
        })
    }

    proptest! {
        #[test]
        fn it_knows_what_the_stored_records_say_and_so_does_one_made_from_them(
            records in prop::collection::vec((0..8_u8, 0..400_i64, 1..4_i64), 0..200),
        ) {
            let mut recent = Recent::new(WINDOW, []);
            let mut history: Vec<Identity> = Vec::new();
            let mut offset = 0;
            for (id, time, step) in records {
                offset += step;
                let identity = Identity::of(&id.to_string(), time, offset);
                let from = offset - WINDOW.offsets;
                let recalled = history.iter().copied().filter(|known| known.offset >= from);
                prop_assert_eq!(Recent::new(WINDOW, recalled).knows(identity), knows(&history, identity));
                prop_assert_eq!(recent.knows(identity), knows(&history, identity));
                if !recent.knows(identity) {
                    recent.remember(identity);
                    history.push(identity);
                }
                prop_assert!(recent.identities.len() <= WINDOW.offsets as usize);
                prop_assert!(recent.places.len() <= recent.identities.len());
            }
        }
    }

    #[test]
    fn a_window_without_offsets_knows_nothing() {
        let nothing = Window { offsets: 0, ..WINDOW };
        let mut recent = Recent::new(nothing, []);
        recent.remember(Identity::of("a", 0, 0));
        assert!(!recent.knows(Identity::of("a", 0, 1)));
    }
}
