//! Sessions: a connection kept between requests, with its temporary tables and settings, used by one request at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::engine::{Engine, locked};
use crate::exception::{Exception, code};
use crate::library::Connection;
use crate::request::SessionRequest;

/// The most sessions kept, so that clients that never return cannot fill the memory.
const MOST: usize = 4096;

/// All sessions of the server.
#[derive(Default)]
pub struct Sessions {
    slots: Mutex<HashMap<String, Slot>>,
}

enum Slot {
    Busy,
    Idle(Connection, Instant),
}

impl Sessions {
    /// Takes the session, or opens it. Expired ones go first.
    ///
    /// # Errors
    /// Another request is using it; it must exist and does not; there are too many.
    pub fn take(self: &Arc<Self>, engine: &Engine, wish: &SessionRequest) -> Result<Seat, Exception> {
        let id = &wish.id;
        self.expire(Instant::now());
        let mut slots = locked(&self.slots);
        let connection = match slots.remove(id) {
            Some(Slot::Idle(connection, _)) => connection,
            Some(Slot::Busy) => {
                slots.insert(id.clone(), Slot::Busy);
                let message = format_args!("Session {id} is locked by a concurrent client");
                return Err(Exception::raise(
                    code::SESSION_IS_LOCKED,
                    "SESSION_IS_LOCKED",
                    message,
                ));
            }
            None if wish.must_exist => {
                let message = format_args!("Session {id} not found");
                return Err(Exception::raise(
                    code::SESSION_NOT_FOUND,
                    "SESSION_NOT_FOUND",
                    message,
                ));
            }
            None if slots.len() >= MOST => {
                let (code, name) = (
                    code::TOO_MANY_SIMULTANEOUS_QUERIES,
                    "TOO_MANY_SIMULTANEOUS_QUERIES",
                );
                return Err(Exception::raise(
                    code,
                    name,
                    format_args!("There are {MOST} sessions already"),
                ));
            }
            None => engine.connect()?,
        };
        slots.insert(id.clone(), Slot::Busy);
        Ok(Seat {
            connection: Some(connection),
            home: Some(Home {
                sessions: self.clone(),
                id: id.clone(),
                timeout: wish.timeout,
                close: wish.close,
            }),
        })
    }

    /// Closes the sessions unused since before their time.
    pub fn expire(&self, now: Instant) {
        locked(&self.slots).retain(|_, slot| !matches!(slot, Slot::Idle(_, until) if *until < now));
    }

    /// Closes all that are not in use.
    pub fn close(&self) {
        locked(&self.slots).retain(|_, slot| matches!(slot, Slot::Busy));
    }
}

/// A connection for the time of one request; a session's goes home afterwards.
pub struct Seat {
    connection: Option<Connection>,
    home: Option<Home>,
}

struct Home {
    sessions: Arc<Sessions>,
    id: String,
    timeout: Duration,
    close: bool,
}

impl Seat {
    /// A fresh connection, closed after the request.
    ///
    /// # Errors
    /// The engine is closed.
    pub fn fresh(engine: &Engine) -> Result<Self, Exception> {
        Ok(Self {
            connection: Some(engine.connect()?),
            home: None,
        })
    }

    /// Whether the connection outlives the request.
    pub fn in_session(&self) -> bool {
        self.home.is_some()
    }

    /// The connection.
    ///
    /// # Errors
    /// It was discarded.
    pub fn connection(&mut self) -> Result<&mut Connection, Exception> {
        self.connection
            .as_mut()
            .ok_or_else(|| Exception::from_engine("the session's connection is closed"))
    }

    /// Closes the connection, as its state is not what the session's next request expects.
    pub fn discard(&mut self) {
        self.connection = None;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        let mut slots = locked(&home.sessions.slots);
        match self.connection.take() {
            Some(connection) if !home.close => {
                slots.insert(home.id, Slot::Idle(connection, Instant::now() + home.timeout));
            }
            _ => {
                slots.remove(&home.id);
            }
        }
    }
}
