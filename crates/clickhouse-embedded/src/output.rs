//! The way of rows from the engine's thread to the response: compressed here, at most [`QUEUE`] pieces ahead of the client.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::encode::{Compression, Encoder};
use crate::exception::{Exception, code};
use crate::library::Answer;
use crate::spool::{Allowance, Spool};

/// Pieces between engine and client, each about 400 KiB.
pub const QUEUE: usize = 4;
const PIECE: usize = 256 << 10;

/// What a query did, as `X-ClickHouse-Summary` tells it.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Rows and bytes read from tables.
    pub read: (u64, u64),
    /// Rows and bytes written, views included.
    pub written: (u64, u64),
    /// Rows of the result.
    pub result_rows: u64,
    /// Time from the beginning to the first byte of the response.
    pub elapsed: Duration,
}

impl Summary {
    /// Of a whole result.
    pub fn of(answer: &Answer) -> Self {
        Self {
            read: answer.read(),
            written: answer.written(),
            result_rows: answer.rows(),
            elapsed: Duration::ZERO,
        }
    }

    /// Counts a further piece.
    pub fn add(&mut self, piece: &Answer) {
        let (rows, bytes) = piece.read();
        self.read = (
            self.read.0.saturating_add(rows),
            self.read.1.saturating_add(bytes),
        );
        self.result_rows = self.result_rows.saturating_add(piece.rows());
    }

    /// The header's value.
    pub fn json(&self) -> String {
        serde_json::json!({
            "read_rows": self.read.0.to_string(),
            "read_bytes": self.read.1.to_string(),
            "written_rows": self.written.0.to_string(),
            "written_bytes": self.written.1.to_string(),
            "total_rows_to_read": "0",
            "result_rows": self.result_rows.to_string(),
            "result_bytes": "0",
            "elapsed_ns": self.elapsed.as_nanos().to_string(),
        })
        .to_string()
    }
}

/// What the response is made of, in this order: `Failed`, or `Start`, pieces, and `End` or `Broken`.
pub enum Part {
    /// The query failed before any row went out.
    Failed(Exception),
    /// The query succeeded, or has its first rows.
    Start(Summary),
    /// Bytes of the body.
    Piece(Bytes),
    /// The body is complete.
    End,
    /// The query failed; the pieces sent tell why, and the body must not look complete.
    Broken,
}

/// The engine's end of the way.
pub struct Output {
    encoder: Encoder,
    sender: mpsc::Sender<Part>,
    began: Instant,
    started: bool,
    /// Marks an exception in the middle of rows; the header `X-ClickHouse-Exception-Tag` tells it.
    tag: String,
    version: String,
    /// Holds the rows back until the query has ended.
    held: Option<Spool>,
}

/// How rows go out.
pub struct Plan {
    /// Their compression.
    pub compression: Compression,
    /// Holds them back until the query has ended.
    pub wait_for_end: bool,
    /// The engine's version, for error texts.
    pub version: String,
}

impl Output {
    /// A way to the receiver returned with it.
    ///
    /// # Errors
    /// No memory for the compression or for rows held back.
    pub fn new(plan: Plan, allowance: &Arc<Allowance>) -> Result<(Self, mpsc::Receiver<Part>), Exception> {
        let failed = |error: io::Error| Exception::io("Cannot begin the response", &error);
        let (sender, receiver) = mpsc::channel(QUEUE);
        let held = plan
            .wait_for_end
            .then(|| Spool::new(allowance.clone()))
            .transpose()
            .map_err(failed)?;
        let encoder = Encoder::new(plan.compression).map_err(failed)?;
        let output = Self {
            encoder,
            sender,
            began: Instant::now(),
            started: false,
            tag: new_tag(),
            version: plan.version,
            held,
        };
        Ok((output, receiver))
    }

    /// The mark of an exception in the middle of rows.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Sends rows; blocks while the client is slow.
    ///
    /// # Errors
    /// The client has left, or a compression or disk failed.
    pub fn rows(&mut self, rows: &[u8], so_far: &Summary) -> Result<(), Exception> {
        if let Some(held) = &mut self.held {
            return held
                .write_all(rows)
                .map_err(|error| Exception::io("Cannot keep the result", &error));
        }
        self.start(so_far)?;
        self.piece(rows)
    }

    /// Ends the response with what came of the query. A client that has left is no failure of the query.
    pub fn end(mut self, result: Result<Summary, Exception>) {
        let result = result.and_then(|summary| self.release(summary));
        let sent = match result {
            Ok(()) => self.finish(),
            Err(exception) if self.started => self.breaks(&exception),
            Err(exception) => self.send(Part::Failed(exception)),
        };
        if sent.is_err() {
            tracing::debug!("the client left before the end of its response");
        }
    }

    fn release(&mut self, summary: Summary) -> Result<(), Exception> {
        self.start(&summary)?;
        let Some(mut held) = self.held.take() else {
            return Ok(());
        };
        let failed = |error: io::Error| Exception::io("Cannot read the kept result", &error);
        let file = held.rewound().map_err(failed)?;
        let mut piece = vec![0; PIECE];
        loop {
            match file.read(&mut piece).map_err(failed)? {
                0 => return Ok(()),
                length => self.piece(&piece[..length])?,
            }
        }
    }

    fn start(&mut self, summary: &Summary) -> Result<(), Exception> {
        if !self.started {
            self.send(Part::Start(Summary {
                elapsed: self.began.elapsed(),
                ..summary.clone()
            }))?;
            self.started = true;
        }
        Ok(())
    }

    fn piece(&mut self, rows: &[u8]) -> Result<(), Exception> {
        if rows.is_empty() {
            return Ok(());
        }
        let bytes = self
            .encoder
            .push(rows)
            .map_err(|error| Exception::io("Cannot compress the result", &error))?;
        self.send(Part::Piece(bytes.into()))
    }

    fn close_encoder(&mut self) -> Result<(), Exception> {
        let encoder = std::mem::replace(&mut self.encoder, Encoder::None);
        let bytes = encoder
            .finish()
            .map_err(|error| Exception::io("Cannot compress the result", &error))?;
        if bytes.is_empty() {
            Ok(())
        } else {
            self.send(Part::Piece(bytes.into()))
        }
    }

    fn finish(&mut self) -> Result<(), Exception> {
        self.close_encoder()?;
        self.send(Part::End)
    }

    /// Writes the exception after the rows, as ClickHouse 26 does, so that a client can tell it from data.
    fn breaks(&mut self, exception: &Exception) -> Result<(), Exception> {
        let message = exception.body(&self.version);
        let (tag, length) = (&self.tag, message.len());
        let block = format!("\r\n__exception__\r\n{tag}\r\n{message}{length} {tag}\r\n__exception__\r\n");
        self.piece(block.as_bytes())?;
        self.close_encoder()?;
        self.send(Part::Broken)
    }

    fn send(&self, part: Part) -> Result<(), Exception> {
        self.sender.blocking_send(part).map_err(|_| {
            Exception::raise(
                code::QUERY_WAS_CANCELLED,
                "QUERY_WAS_CANCELLED",
                "The client has left",
            )
        })
    }
}

/// Sixteen random lower-case letters, like ClickHouse's.
fn new_tag() -> String {
    Uuid::new_v4()
        .as_bytes()
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect()
}
