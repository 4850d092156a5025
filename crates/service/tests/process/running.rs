//! The fixture as a process.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

/// Longer than anything here takes, the forced end of a drain included.
const PATIENCE: Duration = Duration::from_secs(30);

/// The command, without the variables of whoever runs the tests.
pub fn fixture() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kaizen-service-fixture"));
    for (key, _) in std::env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("KAIZEN_")) {
        command.env_remove(key);
    }
    command
}

/// A fixture that has started. Killed when dropped.
pub struct Running {
    child: Child,
    lines: Receiver<Value>,
    ports: HashMap<String, String>,
    client: Client,
}

impl Running {
    /// Starts it and waits until its ports are open.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        let mut running = Self::spawn(variables);
        for key in ["operations.address", "server.address"] {
            let line = running.line(|line| line["message"] == "listening" && line["key"] == key);
            let address = line["address"].as_str().unwrap().to_owned();
            running.ports.insert(key.to_owned(), address);
        }
        running
    }

    /// Starts it.
    pub fn spawn(variables: &[(&str, &str)]) -> Self {
        let mut child = fixture()
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let log = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            ports: HashMap::new(),
            client: Client::new(),
        }
    }

    /// The next log line of that kind.
    pub fn line(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            if wanted(&line) {
                return line;
            }
        }
    }

    pub fn url(&self, key: &str, path: &str) -> String {
        format!("http://{}{path}", self.ports[key])
    }

    pub fn request(&self, key: &str, path: &str) -> RequestBuilder {
        self.client.get(self.url(key, path)).timeout(PATIENCE)
    }

    pub async fn get(&self, key: &str, path: &str) -> Response {
        self.request(key, path).send().await.unwrap()
    }

    pub async fn status(&self, key: &str, path: &str) -> u16 {
        self.get(key, path).await.status().as_u16()
    }

    /// Asks until the answer has that status; the answer's text.
    pub async fn until(&self, key: &str, path: &str, status: u16) -> String {
        let began = Instant::now();
        loop {
            let response = self.get(key, path).await;
            if response.status().as_u16() == status {
                return response.text().await.unwrap();
            }
            assert!(began.elapsed() < PATIENCE, "{path} never answered {status}");
        }
    }

    /// A gRPC-Web call with an empty message.
    pub fn call(&self, path: &str, timeout: &str) -> RequestBuilder {
        let call = self.client.post(self.url("server.address", path));
        call.header("content-type", super::GRPC_WEB)
            .header("grpc-timeout", timeout)
            .body(super::EMPTY.to_vec())
            .timeout(PATIENCE)
    }

    pub async fn post(&self, path: &str, timeout: &str) -> Response {
        self.call(path, timeout).send().await.unwrap()
    }

    /// Sends SIG`name`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end; the rest of the log.
    pub fn end(mut self) -> (ExitStatus, Vec<Value>) {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => lines.push(line),
                // The log ends when the process does.
                Err(RecvTimeoutError::Disconnected) => return (self.child.wait().unwrap(), lines),
                Err(RecvTimeoutError::Timeout) => panic!("it never ended: {lines:?}"),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
