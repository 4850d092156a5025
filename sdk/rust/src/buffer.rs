//! The bounded buffer between callers and the logger's thread. No lock: a caller never waits for another one, nor for
//! the thread.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_queue::ArrayQueue;

use crate::event::Event;

/// What gives way when the buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DropPolicy {
    /// The event that is being logged; what was logged before it stays.
    #[default]
    Newest,
    /// The events that have waited longest.
    Oldest,
}

/// Whether the buffer has an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It has, and so many others gave way.
    Kept { evicted: u64 },
    /// It was full.
    Full,
}

/// At most so many events and so many bytes of them.
#[derive(Debug)]
pub(crate) struct Buffer {
    queue: ArrayQueue<Event>,
    bytes: AtomicUsize,
    max_bytes: usize,
    policy: DropPolicy,
}

impl Buffer {
    pub(crate) fn new(capacity: usize, max_bytes: usize, policy: DropPolicy) -> Self {
        Self {
            queue: ArrayQueue::new(capacity.max(1)),
            bytes: AtomicUsize::new(0),
            max_bytes,
            policy,
        }
    }

    pub(crate) fn push(&self, event: Event) -> Pushed {
        let size = event.size();
        let before = self.bytes.fetch_add(size, Ordering::Relaxed);
        match self.policy {
            DropPolicy::Newest => {
                let fits = before.saturating_add(size) <= self.max_bytes;
                if fits && self.queue.push(event).is_ok() {
                    return Pushed::Kept { evicted: 0 };
                }
                self.bytes.fetch_sub(size, Ordering::Relaxed);
                Pushed::Full
            }
            DropPolicy::Oldest => {
                let mut evicted = 0;
                while self.bytes.load(Ordering::Relaxed) > self.max_bytes && self.pop().is_some() {
                    evicted += 1;
                }
                if let Some(oldest) = self.queue.force_push(event) {
                    self.bytes.fetch_sub(oldest.size(), Ordering::Relaxed);
                    evicted += 1;
                }
                Pushed::Kept { evicted }
            }
        }
    }

    pub(crate) fn pop(&self) -> Option<Event> {
        let event = self.queue.pop()?;
        self.bytes.fetch_sub(event.size(), Ordering::Relaxed);
        Some(event)
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(name: usize, bytes: usize) -> Event {
        Event {
            key: name.to_string(),
            event_id: String::new(),
            traceparent: None,
            value: vec![b'x'; bytes],
        }
    }

    fn keys(buffer: &Buffer) -> Vec<String> {
        std::iter::from_fn(|| buffer.pop())
            .map(|event| event.key)
            .collect()
    }

    #[test]
    fn a_full_buffer_keeps_what_its_policy_says() {
        for (policy, kept) in [
            (DropPolicy::Newest, ["0", "1", "2"]),
            (DropPolicy::Oldest, ["2", "3", "4"]),
        ] {
            let buffer = Buffer::new(3, usize::MAX, policy);
            let pushed: Vec<_> = (0..5).map(|name| buffer.push(event(name, 10))).collect();
            assert_eq!(keys(&buffer), kept);
            let lost = pushed
                .iter()
                .filter(|pushed| **pushed != Pushed::Kept { evicted: 0 })
                .count();
            assert_eq!(lost, 2, "{pushed:?}");
        }
    }

    #[test]
    fn many_callers_at_once_lose_no_event_uncounted() {
        let buffer = Buffer::new(64, 1 << 20, DropPolicy::Oldest);
        let evicted = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for name in 0..5_000 {
                        if let Pushed::Kept { evicted: some } = buffer.push(event(name, 10)) {
                            evicted.fetch_add(usize::try_from(some).unwrap(), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(evicted.into_inner() + keys(&buffer).len(), 20_000);
        assert_eq!(buffer.bytes.into_inner(), 0);
    }

    proptest! {
        #[test]
        fn the_bounds_hold_and_every_event_is_accounted_for(
            sizes in prop::collection::vec(0_usize..2_000, 0..60), oldest: bool,
        ) {
            let policy = if oldest { DropPolicy::Oldest } else { DropPolicy::Newest };
            let buffer = Buffer::new(8, 5_000, policy);
            let mut lost = 0;
            for (name, size) in sizes.iter().enumerate() {
                match buffer.push(event(name, *size)) {
                    Pushed::Kept { evicted } => lost += usize::try_from(evicted).unwrap(),
                    Pushed::Full => lost += 1,
                }
                prop_assert!(buffer.len() <= 8);
                prop_assert!(buffer.bytes.load(Ordering::Relaxed) <= 5_000);
            }
            prop_assert_eq!(keys(&buffer).len() + lost, sizes.len());
            prop_assert_eq!(buffer.bytes.load(Ordering::Relaxed), 0);
        }
    }
}
