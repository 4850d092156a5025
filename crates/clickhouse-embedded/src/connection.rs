//! One connection, and what has been written on it.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;

use crate::handle::handle;
use crate::serve::Server;

/// Serves the requests of one client until it leaves or the server stops.
pub async fn serve_connection(server: Arc<Server>, stream: TcpStream, watcher: Watcher) {
    // Answers are written whole; waiting to fill packets only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection is gone already");
        return;
    }
    let flushes = Arc::new(Flushes::default());
    let io = Counted {
        io: TokioIo::new(stream),
        flushes: flushes.clone(),
    };
    let service = service_fn(move |request| {
        let (server, flushes) = (server.clone(), flushes.clone());
        async move { Ok::<_, Infallible>(handle(&server, request, flushes).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(io, service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// How often everything written so far has gone to the operating system.
#[derive(Default)]
pub struct Flushes {
    count: AtomicU64,
    waiting: AtomicWaker,
}

impl Flushes {
    /// The number so far.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Ready when there have been more than `count`.
    pub fn poll_beyond(&self, count: u64, context: &mut Context<'_>) -> Poll<()> {
        self.waiting.register(context.waker());
        if self.count() > count {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// A connection whose flushes are counted: hyper flushes when its own buffer is empty.
struct Counted {
    io: TokioIo<TcpStream>,
    flushes: Arc<Flushes>,
}

impl Read for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(Pin::new(&mut self.io).poll_flush(context))?;
        self.flushes.count.fetch_add(1, Ordering::AcqRel);
        self.flushes.waiting.wake();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, buffers)
    }
}
