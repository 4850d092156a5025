//! A write of the engine that fails must not go unseen.
//!
//! chDB 26.5.3 passes over errors of `write(2)`: in its `WriteBufferFromFileDescriptor::nextImpl` the exception that ClickHouse throws
//! is a comment. On a full disk an insert is then acknowledged, and a merge put in place, whose files are empty. The function
//! below stands before the C library's, so that the engine calls it; when a file cannot be written it ends the
//! process, as Kafka does. What was under way is acknowledged to nobody, and the next start removes it.

use std::ffi::{c_int, c_void};

/// Errors of a file rather than of a connection.
const FATAL: [c_int; 4] = [libc::ENOSPC, libc::EDQUOT, libc::EIO, libc::EFBIG];
const MESSAGE: &str =
    "clickhouse-embedded: a file cannot be written, as the disk is full or broken: the server ends\n";
/// The exit status then: `EX_IOERR` of sysexits.
const STATUS: c_int = 74;

/// `write(2)`, which ends the process instead of failing where a file cannot be written.
///
/// # Safety
/// `buffer` holds `count` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, buffer: *const c_void, count: usize) -> isize {
    // SAFETY: the kernel checks the file and the addresses; errors come by `errno`, as the C library's do.
    let written = unsafe { libc::syscall(libc::SYS_write, file, buffer, count) };
    // SAFETY: the address of this thread's `errno` is valid.
    if written < 0 && file > libc::STDERR_FILENO && FATAL.contains(&unsafe { *libc::__errno_location() }) {
        // SAFETY: the message is there; `_exit` runs nothing of the process any more.
        unsafe {
            libc::syscall(
                libc::SYS_write,
                libc::STDERR_FILENO,
                MESSAGE.as_ptr(),
                MESSAGE.len(),
            );
            libc::_exit(STATUS);
        }
    }
    written as isize
}
