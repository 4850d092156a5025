//! Which of a sequence of events are settled, and up to which one all are.

use std::collections::VecDeque;

/// Events numbered from 0 on; memory for those after the first that is not settled.
#[derive(Debug, Default)]
pub(crate) struct Window {
    base: usize,
    settled: VecDeque<bool>,
    open: usize,
}

impl Window {
    /// Numbers a new event.
    pub(crate) fn push(&mut self) -> usize {
        self.settled.push_back(false);
        self.open += 1;
        self.next() - 1
    }

    /// Settles an event; whether it was not before.
    pub(crate) fn settle(&mut self, number: usize) -> bool {
        let at = number.checked_sub(self.base);
        let Some(settled) = at.and_then(|at| self.settled.get_mut(at)) else {
            return false;
        };
        if std::mem::replace(settled, true) {
            return false;
        }
        self.open -= 1;
        while self.settled.front() == Some(&true) {
            self.settled.pop_front();
            self.base += 1;
        }
        true
    }

    pub(crate) fn is_settled(&self, number: usize) -> bool {
        number
            .checked_sub(self.base)
            .is_none_or(|at| self.settled.get(at) == Some(&true))
    }

    /// The first event that is not settled; all before it are.
    pub(crate) const fn base(&self) -> usize {
        self.base
    }

    /// The number of the next event.
    pub(crate) fn next(&self) -> usize {
        self.base + self.settled.len()
    }

    /// Events that are not settled.
    pub(crate) const fn open(&self) -> usize {
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_base_is_the_first_event_that_is_not_settled(
            count in 1_usize..40, order in prop::collection::vec(0_usize..50, 0..80),
        ) {
            let mut window = Window::default();
            let mut settled = vec![false; count];
            for number in 0..count {
                prop_assert_eq!(window.push(), number);
            }
            for number in order {
                let new = settled.get_mut(number).is_some_and(|settled| !std::mem::replace(settled, true));
                prop_assert_eq!(window.settle(number), new);
                let base = settled.iter().position(|settled| !settled).unwrap_or(count);
                prop_assert_eq!((window.base(), window.next()), (base, count));
                prop_assert_eq!(window.open(), settled.iter().filter(|settled| !**settled).count());
                for (number, settled) in settled.iter().enumerate() {
                    prop_assert_eq!(window.is_settled(number), *settled);
                }
            }
        }
    }
}
