//! `libchdb.so` called safely. The only unsafe code of the crate but for `write.rs`.
//!
//! The C interface (release 26.5.3) has no thread-bound state between calls: a connection may move between threads, but
//! must not be used by two at once, which `&mut self` guarantees here.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use super::OpenError;
use crate::exception::Exception;

type Handle = *mut c_void;
type RawResult = *mut c_void;
type Lengths = *const usize;
type Strings = *const *const c_char;
type QueryCall = unsafe extern "C" fn(
    Handle,
    *const c_char,
    usize,
    *const c_char,
    usize,
    Strings,
    Lengths,
    Strings,
    Lengths,
    usize,
) -> RawResult;
type CountCall = unsafe extern "C" fn(RawResult) -> u64;

/// The loaded engine library. It stays loaded until the process ends: the engine's own threads run in it.
pub struct Library {
    connect: unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut Handle,
    close: unsafe extern "C" fn(*mut Handle),
    query: QueryCall,
    stream: QueryCall,
    fetch: unsafe extern "C" fn(Handle, RawResult) -> RawResult,
    cancel: unsafe extern "C" fn(Handle, RawResult),
    destroy: unsafe extern "C" fn(RawResult),
    buffer: unsafe extern "C" fn(RawResult) -> *const c_char,
    length: unsafe extern "C" fn(RawResult) -> usize,
    error: unsafe extern "C" fn(RawResult) -> *const c_char,
    rows: CountCall,
    storage_rows: CountCall,
    storage_bytes: CountCall,
    written_rows: CountCall,
    written_bytes: CountCall,
}

impl Library {
    /// Loads the library at `path` and turns its signal handlers off (the process has its own).
    ///
    /// # Errors
    /// The file is missing, is no shared library, or lacks a function of the pinned release.
    pub fn load(path: &Path) -> Result<Self, OpenError> {
        if !path.is_file() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let unusable = |error: libloading::Error| OpenError::Unusable {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        // SAFETY: loading runs the library's initialisers; they only set up its own allocator and tables.
        let file = unsafe { libloading::Library::new(path) }.map_err(unusable)?;
        // Never unloaded, so the function pointers taken below stay valid for the life of the process.
        let file: &'static libloading::Library = Box::leak(Box::new(file));
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the field this goes into has the type of the C declaration in release 26.5.3.
                *unsafe { file.get($name) }.map_err(unusable)?
            };
        }
        let signal_handlers: unsafe extern "C" fn(c_int) = function!("chdb_set_signal_handlers_enabled");
        // SAFETY: sets a process-wide flag; no connection is open yet.
        unsafe { signal_handlers(0) };
        Ok(Self {
            connect: function!("chdb_connect"),
            close: function!("chdb_close_conn"),
            query: function!("chdb_query_with_params_n"),
            stream: function!("chdb_stream_query_with_params_n"),
            fetch: function!("chdb_stream_fetch_result"),
            cancel: function!("chdb_stream_cancel_query"),
            destroy: function!("chdb_destroy_query_result"),
            buffer: function!("chdb_result_buffer"),
            length: function!("chdb_result_length"),
            error: function!("chdb_result_error"),
            rows: function!("chdb_result_rows_read"),
            storage_rows: function!("chdb_result_storage_rows_read"),
            storage_bytes: function!("chdb_result_storage_bytes_read"),
            written_rows: function!("chdb_result_rows_written"),
            written_bytes: function!("chdb_result_bytes_written"),
        })
    }

    /// Opens a connection to the engine on `folder`; the first one starts the engine, the last one to go stops it.
    ///
    /// # Errors
    /// The engine refused the folder, e.g. because it runs on another one already.
    pub fn connect(&'static self, folder: &Path) -> Result<Connection, OpenError> {
        let option = |text: Vec<u8>| CString::new(text).map_err(|_| OpenError::Path(folder.to_owned()));
        let arguments = [
            option(b"clickhouse".to_vec())?,
            option([b"--path=", folder.as_os_str().as_bytes()].concat())?,
            option(b"--log-level=none".to_vec())?,
        ];
        let mut pointers: Vec<*mut c_char> = arguments
            .iter()
            .map(|argument| argument.as_ptr().cast_mut())
            .collect();
        let count = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
        // SAFETY: `pointers` holds `count` NUL-terminated strings that outlive the call; the engine copies them.
        let connection = unsafe { (self.connect)(count, pointers.as_mut_ptr()) };
        NonNull::new(connection)
            .map(|pointer| Connection {
                library: self,
                pointer,
            })
            .ok_or_else(|| OpenError::Folder(folder.to_owned()))
    }
}

/// One connection to the engine, with its own settings, current database and temporary tables.
pub struct Connection {
    library: &'static Library,
    pointer: NonNull<Handle>,
}

// SAFETY: the engine ties nothing of a connection to a thread (each call attaches and detaches the calling thread), and
// every use goes through `&mut self`.
unsafe impl Send for Connection {}

impl Connection {
    /// Runs one statement to its end and returns the whole result in memory, written in `format` unless the statement
    /// names one. Values of `parameters` are in tab-separated escaping, as in ClickHouse's HTTP interface.
    ///
    /// # Errors
    /// Whatever the engine reports.
    pub fn query(
        &mut self,
        statement: &[u8],
        format: &str,
        parameters: &[(String, String)],
    ) -> Result<Answer, Exception> {
        let result = self.call(self.library.query, statement, format, parameters);
        Answer::checked(self.library, result)
    }

    /// Starts a statement that returns rows; they come piece by piece from [`Rows::fetch`].
    ///
    /// # Errors
    /// Whatever the engine reports, also for a statement that returns no rows.
    pub fn stream(
        &mut self,
        statement: &[u8],
        format: &str,
        parameters: &[(String, String)],
    ) -> Result<Rows<'_>, Exception> {
        let result = self.call(self.library.stream, statement, format, parameters);
        let answer = Answer::checked(self.library, result)?;
        Ok(Rows {
            connection: self,
            stream: answer,
            open: true,
        })
    }

    fn handle(&self) -> Handle {
        // SAFETY: `pointer` came from `chdb_connect` and is closed only by `drop`.
        unsafe { *self.pointer.as_ptr() }
    }

    fn call(
        &self,
        function: QueryCall,
        statement: &[u8],
        format: &str,
        parameters: &[(String, String)],
    ) -> RawResult {
        let names: Vec<*const c_char> = parameters.iter().map(|(name, _)| name.as_ptr().cast()).collect();
        let name_lengths: Vec<usize> = parameters.iter().map(|(name, _)| name.len()).collect();
        let values: Vec<*const c_char> = parameters
            .iter()
            .map(|(_, value)| value.as_ptr().cast())
            .collect();
        let value_lengths: Vec<usize> = parameters.iter().map(|(_, value)| value.len()).collect();
        // SAFETY: every pointer comes with its exact length and outlives the call; the four vectors have as many
        // entries as the last argument says; the engine copies what it keeps.
        unsafe {
            function(
                self.handle(),
                statement.as_ptr().cast(),
                statement.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lengths.as_ptr(),
                values.as_ptr(),
                value_lengths.as_ptr(),
                parameters.len(),
            )
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: closed once, here; no result of a streaming query is open, as `Rows` borrows the connection.
        unsafe { (self.library.close)(self.pointer.as_ptr()) };
    }
}

/// A result, or a piece of one, in the engine's memory.
pub struct Answer {
    library: &'static Library,
    result: NonNull<c_void>,
}

impl Answer {
    /// Takes ownership of `result`. The counters of a failed result hold garbage, so an `Answer` is never a failed one.
    fn checked(library: &'static Library, result: RawResult) -> Result<Self, Exception> {
        let result =
            NonNull::new(result).ok_or_else(|| Exception::from_engine("the engine returned no result"))?;
        let answer = Self { library, result };
        // SAFETY: `result` is a live result; the message, when there is one, is NUL-terminated and lives as long.
        let message = unsafe { (library.error)(result.as_ptr()) };
        if message.is_null() {
            return Ok(answer);
        }
        // SAFETY: as above; copied before `answer` is destroyed.
        let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
        Err(Exception::from_engine(&text))
    }

    /// The formatted rows.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `result` is live, so its buffer is, for `length` bytes; both stay until `drop`.
        unsafe {
            let length = (self.library.length)(self.result.as_ptr());
            let buffer = (self.library.buffer)(self.result.as_ptr());
            if length == 0 || buffer.is_null() {
                return &[];
            }
            std::slice::from_raw_parts(buffer.cast(), length)
        }
    }

    /// Rows in the result.
    pub fn rows(&self) -> u64 {
        self.count(self.library.rows)
    }

    /// Rows read from tables, and their bytes.
    pub fn read(&self) -> (u64, u64) {
        (
            self.count(self.library.storage_rows),
            self.count(self.library.storage_bytes),
        )
    }

    /// Rows written to tables, views included, and their bytes.
    pub fn written(&self) -> (u64, u64) {
        (
            self.count(self.library.written_rows),
            self.count(self.library.written_bytes),
        )
    }

    fn count(&self, function: CountCall) -> u64 {
        // SAFETY: `result` is a live, successful result.
        unsafe { function(self.result.as_ptr()) }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: owned, destroyed once.
        unsafe { (self.library.destroy)(self.result.as_ptr()) };
    }
}

/// The pieces of a streaming result, in order. Dropped early, it cancels the query.
pub struct Rows<'a> {
    connection: &'a mut Connection,
    stream: Answer,
    open: bool,
}

impl Rows<'_> {
    /// The next piece; the last one may hold no rows but the format's closing bytes. `None` after the last.
    ///
    /// # Errors
    /// The query failed; there are no more pieces.
    pub fn fetch(&mut self) -> Result<Option<Answer>, Exception> {
        if !self.open {
            return Ok(None);
        }
        // SAFETY: `stream` was started on this connection and has neither ended nor been cancelled.
        let piece =
            unsafe { (self.connection.library.fetch)(self.connection.handle(), self.stream.result.as_ptr()) };
        let piece = Answer::checked(self.connection.library, piece).inspect_err(|_| self.open = false)?;
        // The engine itself ends the stream with a piece of zero rows.
        self.open = piece.rows() > 0;
        Ok(Some(piece))
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if self.open {
            // SAFETY: the stream is still running on this connection.
            unsafe {
                (self.connection.library.cancel)(self.connection.handle(), self.stream.result.as_ptr())
            };
        }
    }
}
