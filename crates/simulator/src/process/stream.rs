//! Random numbers by purpose, component and hour: any part can be drawn without the others, and always comes out the same.

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

/// What random numbers are for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Tenant,
    Shocks,
    Dispersion,
    Missing,
    Counts,
    Split,
    Cells,
    Confidence,
    Seconds,
    Quality,
    Measures,
    Moments,
    Repeats,
    Fates,
}

/// One generator, of which each purpose, component and hour has a stream of its own.
#[derive(Debug, Clone)]
pub(crate) struct Streams(ChaCha12Rng);

impl Streams {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// The stream of a purpose; `component` below 2^16 and `hour` below 2^32.
    pub(crate) fn of(&self, purpose: Purpose, component: usize, hour: usize) -> ChaCha12Rng {
        let mut stream = self.0.clone();
        stream.set_stream((hour as u64) << 24 | (component as u64) << 8 | purpose as u64);
        stream
    }
}
