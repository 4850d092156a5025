//! How much may be under way at once: a bound on requests and one on the bytes they hold.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refuse::Refusal;
use crate::instruments::IngestInstruments;

/// Lets requests in while there is room.
pub struct Gate {
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    instruments: IngestInstruments,
}

/// What a request under way holds; given back when it is dropped.
pub struct Passage {
    _request: OwnedSemaphorePermit,
    /// Of no bytes at first.
    held: OwnedSemaphorePermit,
    bytes: Arc<Semaphore>,
    instruments: IngestInstruments,
}

impl Gate {
    /// A gate for so many requests that hold so many bytes.
    pub fn new(requests: usize, bytes: usize, instruments: IngestInstruments) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(requests)),
            bytes: Arc::new(Semaphore::new(bytes)),
            instruments,
        }
    }

    /// Lets one request in.
    ///
    /// # Errors
    /// As many as may be are under way.
    pub fn enter(&self) -> Result<Passage, Refusal> {
        let busy = |_| Refusal::Busy("requests");
        let request = self.requests.clone().try_acquire_owned().map_err(busy)?;
        let held = self.bytes.clone().try_acquire_many_owned(0).map_err(busy)?;
        self.instruments.entered();
        Ok(Passage {
            _request: request,
            held,
            bytes: self.bytes.clone(),
            instruments: self.instruments.clone(),
        })
    }
}

impl Passage {
    /// Holds so many bytes more.
    ///
    /// # Errors
    /// The requests under way hold as many as they may.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), Refusal> {
        let busy = Refusal::Busy("bytes");
        let Ok(count) = u32::try_from(bytes) else {
            return Err(busy);
        };
        let more = self
            .bytes
            .clone()
            .try_acquire_many_owned(count)
            .map_err(|_| busy)?;
        self.held.merge(more);
        self.instruments.reserved(bytes);
        Ok(())
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.instruments.left(self.held.num_permits());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    #[test]
    fn what_is_over_a_bound_is_refused_until_something_is_given_back() {
        let instruments = IngestInstruments::register(&mut Registry::default());
        let gate = Gate::new(2, 100, instruments);
        let mut first = gate.enter().unwrap();
        let mut second = gate.enter().unwrap();
        assert!(matches!(gate.enter(), Err(Refusal::Busy("requests"))));
        first.reserve(60).unwrap();
        assert!(matches!(second.reserve(41), Err(Refusal::Busy("bytes"))));
        second.reserve(40).unwrap();
        assert!(matches!(second.reserve(usize::MAX), Err(Refusal::Busy("bytes"))));
        drop(first);
        second.reserve(60).unwrap();
        assert!(gate.enter().is_ok());
    }
}
