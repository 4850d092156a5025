//! How far each partition this collector owns is stored.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kaizen_stream::{Completion, Partition};

/// The offset after the last stored one of each partition that is owned. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Settled(Arc<Mutex<BTreeMap<Partition, i64>>>);

impl Settled {
    /// A partition is owned from now on; what lies before the offset is stored.
    pub fn assigned(&self, partition: &Partition, from: i64) {
        self.locked().insert(partition.clone(), from);
    }

    /// A partition is not owned any more.
    pub fn revoked(&self, partition: &Partition) {
        self.locked().remove(partition);
    }

    /// A batch is stored.
    pub fn durable(&self, completion: &Completion) {
        if let Some(to) = self.locked().get_mut(&completion.partition) {
            *to = completion.next.max(*to);
        }
    }

    /// As it is now.
    pub fn now(&self) -> BTreeMap<Partition, i64> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Partition, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
