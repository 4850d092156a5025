//! The engine library: where it is, what it can do. All calls across the language border are in [`ffi`].

use std::path::PathBuf;

mod ffi;

pub use ffi::{Answer, Connection, Library, Rows};

/// The pinned release of npm `@chdb/lib-linux-x64-gnu`; `deploy/chdb/package.json` names the same.
pub const RELEASE: &str = "26.5.3";

/// Why the engine library or a data folder could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The library file is not there.
    #[error("engine library {0} is missing: run deploy/chdb/install.sh, or name the file by --library")]
    Missing(PathBuf),
    /// The file is not a library, or not one of this release.
    #[error("engine library {path} cannot be loaded: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The loader's message.
        reason: String,
    },
    /// The engine refused the data folder.
    #[error(
        "the engine cannot open the data folder {0}: is it writable, and made by this release or an older one?"
    )]
    Folder(PathBuf),
    /// The path holds a NUL byte.
    #[error("the path {0} cannot be passed to the engine")]
    Path(PathBuf),
}

/// `${XDG_CACHE_HOME:-~/.cache}/kaizen/chdb/RELEASE/libchdb.so`, where `deploy/chdb/install.sh` puts it.
pub fn default_path() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_default();
    cache.join("kaizen/chdb").join(RELEASE).join("libchdb.so")
}
