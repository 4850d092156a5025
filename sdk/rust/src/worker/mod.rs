//! The logger's thread: takes events out of the buffer and sees to it that Kafka or the disk has them.
//!
//! While Kafka takes events and nothing waits on disk, they go straight to it. From the first that it does not take in
//! time, or as soon as no broker is connected or the producer's queue is full, all events go to the end of the spill, and
//! from its front to Kafka, until the spill is empty. So the order is kept, and memory holds no more events than Kafka is
//! just being given.

mod end;
mod outcomes;
mod resend;
mod route;
mod warn;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;

use crate::builder::Builder;
use crate::config_error::ConfigError;
use crate::event::Event;
use crate::logger::Shared;
use crate::producer::Producer;
use crate::spill::{Backlog, Bounds};
use crate::stats::set;
use crate::window::Window;

use end::{Ending, Flush};
use warn::Warnings;

/// How long the thread leaves the buffer alone while events come, and while none do.
const BUSY: Duration = Duration::from_millis(5);
const IDLE: Duration = Duration::from_millis(20);
/// How often folders of dead processes are looked for.
const ADOPTION: Duration = Duration::from_secs(10);

/// When a spill file is followed by a new one.
const SEGMENT_BYTES: u64 = 4 << 20;

/// What a handle asks of the thread.
pub(crate) enum Command {
    /// Answer when all that was logged before is settled.
    Flush(SyncSender<()>),
    /// End, at the latest then; `None` for never.
    Shutdown {
        deadline: Option<Instant>,
        done: SyncSender<()>,
    },
}

/// The state of the thread.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    commands: Receiver<Command>,
    topic: String,
    producer: Producer,
    /// Events that went from memory to the producer.
    live: Window,
    /// `None`: there is no spill folder.
    backlog: Option<Backlog>,
    /// An event that was taken out of the buffer and has nowhere to go yet; only without a spill folder.
    held: Option<Event>,
    /// Events taken out of the buffer that are no longer this module's business.
    routed: u64,
    /// Kafka failed to take an event, and has taken none since.
    away: bool,
    /// Events of the backlog that are with the producer.
    resending: usize,
    /// One of them failed: when the others are back too, the backlog is read again.
    rewind: bool,
    looked_for_orphans: Option<Instant>,
    flushes: Vec<Flush>,
    ending: Option<Ending>,
    warnings: Warnings,
}

impl Worker {
    /// Makes what the thread needs, and starts it.
    pub(crate) fn start(
        builder: &Builder,
        shared: Arc<Shared>,
        commands: Receiver<Command>,
    ) -> Result<(), ConfigError> {
        let producer = Producer::create(builder.producer()).map_err(|error| refused(&error))?;
        let bounds = Bounds {
            all: builder.spill_bytes,
            segment: SEGMENT_BYTES,
        };
        let backlog = match &builder.spill_dir {
            None => None,
            Some(root) => Some(Backlog::create(root, &builder.topic, bounds).map_err(|error| {
                ConfigError::new(
                    "spill_dir",
                    format!("must be a folder that can be written: {error}"),
                )
            })?),
        };
        let worker = Self {
            shared,
            commands,
            topic: builder.topic.clone(),
            producer,
            live: Window::default(),
            backlog,
            held: None,
            routed: 0,
            away: false,
            resending: 0,
            rewind: false,
            looked_for_orphans: None,
            flushes: Vec::new(),
            ending: None,
            warnings: Warnings::default(),
        };
        std::thread::Builder::new()
            .name("kaizen-logger".to_owned())
            .spawn(move || worker.run_guarded())
            .map_err(|error| ConfigError::new("thread", format!("must be startable: {error}")))?;
        Ok(())
    }

    /// Whatever happens in the thread, callers are told that it has ended.
    fn run_guarded(mut self) {
        let shared = self.shared.clone();
        if catch_unwind(AssertUnwindSafe(|| self.run())).is_err() {
            tracing::error!("the logger's thread panicked: decisions are dropped from here on");
        }
        shared.finish();
        let ending = self.ending.take();
        // The folder's lock is let go before whoever asked goes on, and before the client is taken down, which may take.
        self.backlog = None;
        drop(self);
        if let Some(ending) = ending {
            // It may have stopped waiting.
            let _ = ending.done.send(());
        }
    }

    fn run(&mut self) {
        loop {
            self.take_commands();
            let taken = self.take();
            self.resend();
            let is_busy = taken > 0 || self.live.open() > 0 || self.resending > 0;
            let outcomes = self.producer.poll(if is_busy { BUSY } else { IDLE });
            self.settle(outcomes);
            self.repair();
            self.adopt();
            self.publish();
            self.answer_flushes();
            if self.has_ended() {
                self.end();
                return;
            }
        }
    }

    fn take_commands(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Flush(done)) => self.begin_flush(done),
                Ok(Command::Shutdown { deadline, done }) => self.ending = Some(Ending { deadline, done }),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Looks after what dead processes left, one segment at a time.
    fn adopt(&mut self) {
        let Some(backlog) = self.backlog.as_mut().filter(|backlog| backlog.is_empty()) else {
            return;
        };
        if self.ending.is_some() {
            return;
        }
        if self
            .looked_for_orphans
            .is_none_or(|looked| looked.elapsed() >= ADOPTION)
        {
            self.looked_for_orphans = Some(Instant::now());
            backlog.find_orphans();
        }
        let (events, torn) = backlog.take_over();
        let counters = &self.shared.counters;
        crate::stats::add(&counters.adopted, events);
        crate::stats::add(&counters.torn, torn);
    }

    /// Shows what only the thread knows.
    fn publish(&mut self) {
        let counters = &self.shared.counters;
        let held = u64::from(self.held.is_some());
        set(&counters.in_flight, self.live.open() as u64 + held);
        if let Some(backlog) = &self.backlog {
            set(&counters.on_disk, backlog.events() as u64);
            set(&counters.on_disk_bytes, backlog.bytes());
        }
        self.warnings.report(counters);
    }
}

/// The option that librdkafka refuses. Its value may be secret, and is not shown.
fn refused(error: &KafkaError) -> ConfigError {
    match error {
        KafkaError::ClientConfig(_, _, name, _) => ConfigError::new(
            format!("kafka.{name}"),
            "must be an option of librdkafka with a value it allows",
        ),
        // Rules between options, in librdkafka's words; they name options and no values.
        error => ConfigError::new("kafka", format!("must be options that go together: {error}")),
    }
}
