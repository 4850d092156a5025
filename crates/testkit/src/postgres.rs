use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::await_condition::eventually;
use crate::part::Part;
use crate::place::free_address;

/// Debian's user without rights: the server refuses to run as root.
const NOBODY: u32 = 65534;
const USER: &str = "kaizen";
const RESTARTED: Duration = Duration::from_secs(60);

/// A private PostgreSQL cluster on loopback, of Debian's package `postgresql`. Whoever reaches its port may do all in it.
pub struct Postgres {
    part: Part,
    port: u16,
}

impl Postgres {
    /// Makes and starts a cluster without any database of its own.
    ///
    /// # Errors
    /// If the package is missing or the server does not start.
    pub async fn start() -> Result<Self> {
        let port = free_address()?.port();
        let part = Part::new("postgres", |folder| server(folder, port))?;
        let postgres = Self { part, port };
        postgres.part.start(async || postgres.accepts().await).await?;
        Ok(postgres)
    }

    /// The process, to kill or pause.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// Starts the server again after its process was killed. Its children end when they notice; until then it refuses.
    ///
    /// # Errors
    /// If it does not start within a minute.
    pub async fn restart(&self) -> Result<()> {
        eventually("PostgreSQL starts again", RESTARTED, async || {
            let started = self.part.start(async || self.accepts().await).await;
            if started.is_err() {
                self.part.kill();
            }
            started
        })
        .await
    }

    /// Makes a database and returns its URL.
    ///
    /// # Errors
    /// If there is one of that name.
    pub async fn database(&self, name: &str) -> Result<String> {
        self.run("createdb", &[name]).await?;
        Ok(format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port))
    }

    /// Runs one of PostgreSQL's programs against the server and returns what it printed.
    ///
    /// # Errors
    /// If it fails; with what it wrote.
    pub async fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::new(programs()?.join(program));
        command
            .args(arguments)
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", USER);
        let output = command.output().await.with_context(|| program.to_owned())?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {arguments:?}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn accepts(&self) -> Result<()> {
        self.run("pg_isready", &["--quiet", "--dbname=postgres"])
            .await
            .map(drop)
    }
}

/// Makes the cluster; the command that serves it.
fn server(folder: &Path, port: u16) -> Result<Command> {
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        let root = folder.parent().context("the folder of the sandbox")?;
        fs::set_permissions(root, Permissions::from_mode(0o711))?;
        chown(folder, Some(NOBODY), Some(NOBODY))?;
    }
    let (programs, data) = (programs()?, folder.join("data"));
    let unprivileged = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command.current_dir(folder).arg("-D").arg(&data);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    };
    let mut make = unprivileged("initdb");
    make.args([
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
        "--username",
        USER,
    ]);
    let made = make.output().context("initdb")?;
    ensure!(
        made.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    let mut serve = unprivileged("postgres");
    serve.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
    // What a test stores need not outlive the machine, only the server.
    serve.args([
        "-c",
        "unix_socket_directories=",
        "-c",
        "fsync=off",
        "-c",
        "max_connections=200",
    ]);
    Ok(serve)
}

/// Where PostgreSQL's programs are: the newest of Debian's, or those on the path.
fn programs() -> Result<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let version = |folder: &PathBuf| folder.file_name().and_then(|it| it.to_str()?.parse::<u32>().ok());
    let mut folders: Vec<PathBuf> = debian
        .map(|it| it.path())
        .filter(|it| version(it) >= Some(15))
        .collect();
    folders.sort_by_key(version);
    let folders = folders
        .into_iter()
        .rev()
        .map(|it| it.join("bin"))
        .chain(std::env::split_paths(&on_path));
    let found = folders.into_iter().find(|it| it.join("initdb").is_file());
    found.context("PostgreSQL 15 or newer is missing: install the Debian package postgresql")
}
