//! What became of every event, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the closed list once: variant, word, meaning.
macro_rules! reasons {
    ($($(#[$doc:meta])+ $variant:ident = $word:literal,)+) => {
        /// Why an event was dropped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum DropReason {
            $($(#[$doc])+ $variant,)+
        }

        impl DropReason {
            /// Every reason there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The reason in one word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

reasons! {
    /// The buffer was full, by events or bytes, and the policy drops the newest.
    BufferFull = "buffer_full",
    /// The buffer was full, and the policy dropped this one as the oldest.
    Evicted = "evicted",
    /// Kafka was away and the spill folder holds as much as it may.
    SpillFull = "spill_full",
    /// The spill folder could not be written, or what was written could not be read again.
    SpillFailed = "spill_failed",
    /// Kafka was away for too long, and there is no spill folder.
    NotDelivered = "not_delivered",
    /// Kafka refuses the event for good, such as one larger than the topic allows.
    Refused = "refused",
    /// The logger was shut down before.
    Closed = "closed",
    /// The process is a fork of the one that built the logger, and the logger's thread lives in that one.
    Forked = "forked",
}

const REASONS: usize = DropReason::ALL.len();

/// What became of the events so far. `logged + adopted` is `delivered`, `dropped`, and what is on its way: `buffered`,
/// `in_flight` and `on_disk`; exactly so while events neither come nor go, and after a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Events given to `log`.
    pub logged: u64,
    /// Events found in the spill folders of processes that died.
    pub adopted: u64,
    /// Events that Kafka has acknowledged.
    pub delivered: u64,
    /// Events written to the spill folder, since Kafka was away or its queue full; they are delivered later.
    pub spilled: u64,
    /// Events of which something was cut or left out; see [`crate::Decision::adjustments`].
    pub adjusted: u64,
    /// Damaged places of spill files that were skipped, such as the end of a file at the moment of a crash.
    pub torn: u64,
    /// Events in the buffer, which the logger's thread has yet to take.
    pub buffered: u64,
    /// Events on their way to Kafka that are in memory alone.
    pub in_flight: u64,
    /// Events in the spill folder.
    pub on_disk: u64,
    /// Size of the spill files, in bytes, adopted ones included.
    pub on_disk_bytes: u64,
    dropped: [u64; REASONS],
}

impl Stats {
    /// Events dropped for the reason.
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Events dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub logged: AtomicU64,
    pub adopted: AtomicU64,
    pub delivered: AtomicU64,
    pub spilled: AtomicU64,
    pub adjusted: AtomicU64,
    pub torn: AtomicU64,
    pub in_flight: AtomicU64,
    pub on_disk: AtomicU64,
    pub on_disk_bytes: AtomicU64,
    dropped: [AtomicU64; REASONS],
}

impl Counters {
    pub(crate) fn drop(&self, reason: DropReason, events: u64) {
        add(&self.dropped[reason as usize], events);
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn read(&self, buffered: usize) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            logged: read(&self.logged),
            adopted: read(&self.adopted),
            delivered: read(&self.delivered),
            spilled: read(&self.spilled),
            adjusted: read(&self.adjusted),
            torn: read(&self.torn),
            buffered: buffered as u64,
            in_flight: read(&self.in_flight),
            on_disk: read(&self.on_disk),
            on_disk_bytes: read(&self.on_disk_bytes),
            dropped: std::array::from_fn(|reason| read(&self.dropped[reason])),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

pub(crate) fn set(gauge: &AtomicU64, value: u64) {
    gauge.store(value, Ordering::Relaxed);
}
