//! The listening socket: loopback unless a password guards it, and a plain word about who holds a port in use.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use tokio::net::TcpListener;

use crate::auth::Account;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address can be reached from other machines and no password is set.
    #[error(
        "--listen {0} can be reached from other machines: set CLICKHOUSE_PASSWORD, or listen on 127.0.0.1"
    )]
    Unguarded(SocketAddr),
    /// Another process listens there.
    #[error("port {port} is in use by {owner}: stop it, or choose another port by --listen")]
    InUse {
        /// The port.
        port: u16,
        /// Its owner, as far as this user may see.
        owner: String,
    },
    /// Any other reason.
    #[error("cannot listen on {address}: {source}")]
    Failed {
        /// The address.
        address: SocketAddr,
        /// The operating system's reason.
        source: std::io::Error,
    },
}

/// Binds `address`.
///
/// # Errors
/// See [`ListenError`].
pub async fn listen(address: SocketAddr, account: &Account) -> Result<TcpListener, ListenError> {
    if !address.ip().is_loopback() && account.password.is_empty() {
        return Err(ListenError::Unguarded(address));
    }
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => {
                let port = address.port();
                ListenError::InUse {
                    port,
                    owner: owner(port).unwrap_or_else(|| "another process".to_owned()),
                }
            }
            _ => ListenError::Failed { address, source },
        })
}

/// `NAME (process ID)` of a process that listens on `port`.
fn owner(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| {
            table
                .lines()
                .filter_map(|line| listener(line, port))
                .collect::<Vec<_>>()
        })
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let processes = fs::read_dir("/proc").ok()?;
    processes.filter_map(Result::ok).find_map(|process| {
        // By number, as `self` is there too.
        let id: u32 = process.file_name().to_str()?.parse().ok()?;
        let process = process.path();
        holds(&process, &inodes).then(|| format!("{} (process {id})", program(&process)))
    })
}

/// The inode of a line of `/proc/net/tcp` that listens (state `0A`) on `port`.
fn listener(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, local) = fields.get(1)?.rsplit_once(':')?;
    let listens = u16::from_str_radix(local, 16) == Ok(port) && *fields.get(3)? == "0A";
    listens.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
}

/// The program's file name; `comm` would cut it to 15 bytes.
fn program(process: &Path) -> String {
    let line = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
    let program = line.split('\0').next().unwrap_or_default();
    Path::new(program)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn holds(process: &Path, sockets: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    descriptors
        .filter_map(Result::ok)
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| {
            sockets
                .iter()
                .any(|socket| target.as_os_str().as_bytes() == socket.as_bytes())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(password: &str) -> Account {
        Account {
            user: "default".into(),
            password: password.into(),
        }
    }

    #[tokio::test]
    async fn a_port_in_use_is_reported_with_its_owner() {
        let taken = listen("127.0.0.1:0".parse().unwrap(), &account(""))
            .await
            .unwrap();
        let error = listen(taken.local_addr().unwrap(), &account(""))
            .await
            .unwrap_err()
            .to_string();
        let id = std::process::id();
        assert!(error.contains(&format!("(process {id})")), "{error}");
        assert!(
            error.contains(&taken.local_addr().unwrap().port().to_string()),
            "{error}"
        );
    }

    #[tokio::test]
    async fn other_machines_are_kept_out_unless_there_is_a_password() {
        let everywhere = "0.0.0.0:0".parse().unwrap();
        assert!(matches!(
            listen(everywhere, &account("")).await,
            Err(ListenError::Unguarded(_))
        ));
        assert!(listen(everywhere, &account("secret")).await.is_ok());
    }
}
