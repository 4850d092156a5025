//! Where things are: the repository, the built programs, a free port.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail, ensure};

/// The repository's root.
pub fn workspace() -> &'static Path {
    const MANIFEST: &str = env!("CARGO_MANIFEST_DIR");
    Path::new(MANIFEST.strip_suffix("/crates/testkit").unwrap_or(MANIFEST))
}

/// A program of this workspace, as `make build` leaves it.
///
/// # Errors
/// If it is not built.
pub fn program(name: &str) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let path = workspace().join(target).join("release").join(name);
    ensure!(path.is_file(), "{} is missing: run `make build`", path.display());
    Ok(path)
}

/// A loopback address nobody listens at, and that this process was not given before. It lies below the range that the kernel takes
/// outgoing ports from, so that no connection takes it before the part that it is meant for.
///
/// # Errors
/// If a hundred tries found none.
pub fn free_address() -> Result<SocketAddr> {
    static GIVEN: Mutex<BTreeSet<SocketAddr>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..100 {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, rand::random_range(20_000..32_000)));
        if !given.contains(&address) && TcpListener::bind(address).is_ok() {
            given.insert(address);
            return Ok(address);
        }
    }
    bail!("no free port between 20000 and 32000")
}
