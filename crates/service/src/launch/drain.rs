//! The end of a service: asked for by a signal, forced when it takes too long.

use anyhow::{Context, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Application, DRAIN};
use crate::health::Health;

/// The signals that ask a service to end.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over from the system, which would end the process at once.
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT")?,
        })
    }

    /// The next one's name.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Runs to the end: after a signal the service has [`DRAIN`], and a second signal cuts that short.
pub(super) async fn drained<A: Application>(
    application: A,
    signals: &mut Signals,
    health: &Health,
) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    let mut run = std::pin::pin!(application.run(shutdown.clone()));
    let signal = tokio::select! {
        ended = &mut run => {
            ended?;
            bail!("the service ended by itself");
        }
        signal = signals.next() => signal,
    };
    tracing::info!(signal, "draining");
    shutdown.cancel();
    tokio::select! {
        ended = run => ended,
        () = tokio::time::sleep(DRAIN) => {
            bail!("did not drain within {} s; still busy: {:?}", DRAIN.as_secs(), health.busy())
        }
        signal = signals.next() => bail!("{signal} while draining; still busy: {:?}", health.busy()),
    }
}
