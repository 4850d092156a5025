//! A server on a free port and a folder of its own, ended with the test.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Engines at once: each takes some 300 MB and all cores.
static ENGINES: Semaphore = Semaphore::const_new(2);

pub struct Server {
    pub url: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    folder: Option<TempDir>,
    _slot: Option<SemaphorePermit<'static>>,
}

pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clickhouse-embedded"));
    command
        .arg("--path")
        .arg(folder)
        .args(["--listen", "127.0.0.1:0"])
        .kill_on_drop(true);
    command
        .env_remove("CLICKHOUSE_PASSWORD")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub async fn start_with(adjust: impl FnOnce(&mut Command)) -> Self {
        let slot = ENGINES.acquire().await.unwrap();
        let folder = TempDir::new().unwrap();
        let mut server = Self::start_in(folder.path(), adjust).await;
        server.folder = Some(folder);
        server._slot = Some(slot);
        server
    }

    /// For several servers in a row on one folder; the caller holds the folder.
    pub async fn start_in(folder: &Path, adjust: impl FnOnce(&mut Command)) -> Self {
        let mut command = command(folder);
        command.stderr(Stdio::inherit());
        adjust(&mut command);
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).await.unwrap();
        let url = ready
            .trim_end()
            .rsplit(' ')
            .next()
            .filter(|url| url.starts_with("http"))
            .map(str::to_owned);
        let url = url.unwrap_or_else(|| panic!("the server did not become ready: {ready:?}"));
        Self {
            url,
            child,
            stdout,
            folder: None,
            _slot: None,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id().expect("the server is running")
    }

    /// Resident memory at its highest, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    pub fn post(&self, parameters: &[(&str, &str)]) -> RequestBuilder {
        reqwest::Client::new().post(&self.url).query(parameters)
    }

    /// Runs a statement that must succeed.
    pub async fn sql(&self, statement: impl Into<String>) -> String {
        self.sql_with(&[], statement).await
    }

    pub async fn sql_with(&self, parameters: &[(&str, &str)], statement: impl Into<String>) -> String {
        let statement = statement.into();
        let response = self
            .post(parameters)
            .body(statement.clone())
            .send()
            .await
            .unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{statement}: {text}");
        text.trim_end_matches('\n').to_owned()
    }

    /// The code of a statement that must fail.
    pub async fn code(&self, parameters: &[(&str, &str)], statement: impl Into<String>) -> u32 {
        code(&self.post(parameters).body(statement.into()).send().await.unwrap())
    }

    pub async fn kill_9(mut self) {
        self.child.kill().await.unwrap();
    }

    /// The exit code, once it ends by itself; within a minute.
    pub async fn ended(mut self) -> Option<i32> {
        let ended = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await;
        ended.expect("it runs on").unwrap().code()
    }

    /// SIGTERM; returns the exit code.
    pub async fn terminate(mut self) -> Option<i32> {
        signal(self.id(), "TERM").await;
        let status = self.child.wait().await.unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "");
        status.code()
    }
}

pub async fn signal(process: u32, name: &str) {
    let status = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status()
        .await
        .unwrap();
    assert!(status.success());
}

pub fn code(response: &Response) -> u32 {
    let header = response.headers().get("x-clickhouse-exception-code");
    header
        .unwrap_or_else(|| panic!("no error: {response:?}"))
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}
