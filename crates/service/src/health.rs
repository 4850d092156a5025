//! Health that means something: live is a service that gets on with its work, ready is one that has what it stands on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// The health of a service, shared by its parts. Cheap to clone.
#[derive(Clone)]
pub struct Health(Arc<Shared>);

struct Shared {
    loops: Mutex<Vec<Arc<Loop>>>,
    needs: Mutex<Vec<Arc<Need>>>,
    ready: watch::Sender<bool>,
}

struct Loop {
    name: &'static str,
    max_silence: Duration,
    /// When it last got on; `None` while it has nothing to do.
    marked: Mutex<Option<Instant>>,
}

struct Need {
    name: &'static str,
    state: Mutex<Result<(), String>>,
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(Shared {
            loops: Mutex::default(),
            needs: Mutex::default(),
            ready: watch::Sender::new(true),
        }))
    }
}

impl Health {
    /// Watches a loop: the service is dead when the loop has work and has made no progress for longer than
    /// `max_silence`. It begins with nothing to do.
    pub fn watch(&self, name: &'static str, max_silence: Duration) -> Progress {
        let watched = Arc::new(Loop {
            name,
            max_silence,
            marked: Mutex::new(None),
        });
        locked(&self.0.loops).push(watched.clone());
        Progress(watched)
    }

    /// Names something the service needs; it is not ready until told otherwise.
    pub fn require(&self, name: &'static str) -> Readiness {
        let need = Arc::new(Need {
            name,
            state: Mutex::new(Err("not reached yet".to_owned())),
        });
        locked(&self.0.needs).push(need.clone());
        self.0.ready.send_replace(false);
        Readiness {
            need,
            health: self.clone(),
        }
    }

    /// What is stuck; nothing means the service is alive.
    pub fn stuck(&self) -> Vec<String> {
        locked(&self.0.loops)
            .iter()
            .filter_map(|watched| watched.stuck())
            .collect()
    }

    /// The loops that have work.
    pub fn busy(&self) -> Vec<&'static str> {
        let loops = locked(&self.0.loops);
        let busy = loops.iter().filter(|watched| locked(&watched.marked).is_some());
        busy.map(|watched| watched.name).collect()
    }

    /// What is missing; nothing means the service is ready.
    pub fn missing(&self) -> Vec<String> {
        let needs = locked(&self.0.needs);
        needs
            .iter()
            .filter_map(|need| {
                locked(&need.state)
                    .as_ref()
                    .err()
                    .map(|why| format!("{}: {why}", need.name))
            })
            .collect()
    }

    /// Follows whether the service is ready.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.0.ready.subscribe()
    }
}

impl Loop {
    fn stuck(&self) -> Option<String> {
        let silence = locked(&self.marked).map(|marked| marked.elapsed())?;
        (silence > self.max_silence).then(|| {
            format!(
                "{}: no progress for {} s",
                self.name,
                silence.as_secs_f32().round()
            )
        })
    }
}

/// The hand of a loop on its own watch.
#[derive(Clone)]
pub struct Progress(Arc<Loop>);

impl Progress {
    /// The loop got on, and has more to do.
    pub fn mark(&self) {
        *locked(&self.0.marked) = Some(Instant::now());
    }

    /// The loop has nothing to do: silence is no fault.
    pub fn idle(&self) {
        *locked(&self.0.marked) = None;
    }
}

/// Says whether something the service needs is there.
#[derive(Clone)]
pub struct Readiness {
    need: Arc<Need>,
    health: Health,
}

impl Readiness {
    /// It is there, or why it is not. The reason is shown on `/readyz`.
    pub fn set(&self, state: Result<(), String>) {
        *locked(&self.need.state) = state;
        let ready = self.health.missing().is_empty();
        self.health
            .0
            .ready
            .send_if_modified(|was| std::mem::replace(was, ready) != ready);
    }
}

/// A panic aborts the process, so a poisoned lock is only ever seen in tests.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_with_work_and_without_progress_is_stuck_and_an_idle_one_is_not() {
        let health = Health::default();
        let progress = health.watch("consume", Duration::ZERO);
        assert!(health.stuck().is_empty());
        progress.mark();
        assert_eq!(health.busy(), ["consume"]);
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(2) {}
        assert!(health.stuck()[0].starts_with("consume: no progress"));
        progress.idle();
        assert!(health.stuck().is_empty() && health.busy().is_empty());
        health.watch("other", Duration::from_secs(60)).mark();
        assert!(health.stuck().is_empty());
    }

    #[test]
    fn a_service_is_ready_when_all_it_needs_is_there() {
        let health = Health::default();
        let ready = health.ready();
        assert!(*ready.borrow());
        let (kafka, clickhouse) = (health.require("kafka"), health.require("clickhouse"));
        kafka.set(Ok(()));
        assert_eq!(health.missing(), ["clickhouse: not reached yet"]);
        assert!(!*ready.borrow());
        clickhouse.set(Ok(()));
        assert!(health.missing().is_empty() && *ready.borrow());
        kafka.set(Err("brokers are down".to_owned()));
        assert_eq!(health.missing(), ["kafka: brokers are down"]);
        assert!(!*ready.borrow());
    }
}
