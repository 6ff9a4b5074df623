//! The gateway as a process: started on a free port with nothing from the tests' environment, killed on drop.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;

use super::client::{Client, Reply, Stream};
use super::eventually;

/// How a gateway is started.
#[derive(Default)]
pub(crate) struct Launch<'a> {
    /// The text of its configuration file.
    pub(crate) config: Option<&'a str>,
    /// Added to `--port 0`.
    pub(crate) arguments: &'a [&'a str],
    /// All of its environment.
    pub(crate) environment: &'a [(&'a str, &'a str)],
}

/// A running gateway.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    directory: TempDir,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: Arc<Mutex<String>>,
    client: Client,
}

impl Server {
    /// Starts a gateway and waits until it listens.
    pub(crate) fn start(launch: &Launch<'_>) -> Self {
        let directory = TempDir::new().unwrap();
        let mut arguments: Vec<String> = ["--port", "0", "--num_workers", "2"].map(str::to_owned).into();
        arguments.extend(launch.arguments.iter().map(|argument| (*argument).to_owned()));
        if let Some(config) = launch.config {
            let file = directory.path().join("config.yaml");
            std::fs::write(&file, config).unwrap();
            arguments.extend(["--config".to_owned(), file.to_str().unwrap().to_owned()]);
        }
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment: Vec<(String, String)> = launch.environment.iter().map(own).collect();
        let log = Arc::new(Mutex::new(String::new()));
        let (process, address) = spawn(directory.path(), &arguments, &environment, &log);
        let client = Client::new(address);
        Self { process, address, directory, arguments, environment, log, client }
    }

    /// Kills it and starts it again on what it has left behind.
    pub(crate) fn restart(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        (self.process, self.address) =
            spawn(self.directory.path(), &self.arguments, &self.environment, &self.log);
        self.client = Client::new(self.address);
    }

    /// The file it was started with.
    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("config.yaml")
    }

    /// The directory of its configuration, which is where it keeps its books.
    pub(crate) fn home(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Sends a request and returns with the head of the answer.
    pub(crate) async fn open(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Stream {
        self.client.open("POST", path, headers, body.to_string().into()).await
    }

    /// What it has written to standard error.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until it has written `text`.
    pub(crate) async fn until_log(&self, text: &str) {
        eventually(&format!("the log says {text:?}"), || self.log().contains(text)).await;
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[], "").await
    }

    /// Sends a JSON document.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.request("POST", path, &[], body.to_string()).await
    }

    /// Sends a chat request.
    pub(crate) async fn chat(&self, body: &Value) -> Reply {
        self.post("/v1/chat/completions", body).await
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        self.client.open(method, path, headers, body.into()).await.whole().await
    }

    /// Sends a chat request and returns with the head of the answer.
    pub(crate) async fn stream(&self, body: &Value) -> Stream {
        self.client.open("POST", "/v1/chat/completions", &[], body.to_string().into()).await
    }

    /// The same for a body and a path of the caller's choice.
    pub(crate) async fn stream_at(&self, path: &str, body: &str) -> Stream {
        self.client.open("POST", path, &[], body.to_owned().into()).await
    }

    /// Sends bytes as they are; the whole answer up to the end of the connection, which the server must end.
    pub(crate) async fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        self.client.raw(bytes.as_ref(), false).await
    }

    /// The same from a client that closes its side after the bytes.
    pub(crate) async fn raw_and_leave(&self, bytes: impl AsRef<[u8]>) -> String {
        self.client.raw(bytes.as_ref(), true).await
    }

    /// Sends a signal by its short name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Waits for the process to end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the process ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    /// The most memory it has held so far, in MiB.
    pub(crate) fn peak_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the gateway to its end: whether it succeeded, and what it wrote to standard error.
pub(crate) fn run(arguments: &[&str]) -> (bool, String) {
    let directory = TempDir::new().unwrap();
    let mut process = command(directory.path(), &[])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > Duration::from_secs(20) {
            process.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut said = String::new();
    process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.success(), said)
}

/// Starts the process and waits until it listens.
fn spawn(
    directory: &std::path::Path,
    arguments: &[String],
    environment: &[(String, String)],
    log: &Arc<Mutex<String>>,
) -> (Child, SocketAddr) {
    let variables: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut process = command(directory, &variables)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (said, address) = channel();
    let (stderr, kept) = (process.stderr.take().unwrap(), Arc::clone(log));
    std::thread::spawn(move || listen_to(stderr, &kept, &said));
    let Ok(address) = address.recv_timeout(Duration::from_secs(20)) else {
        let _ = process.kill();
        panic!("the gateway did not start: {}", log.lock().unwrap());
    };
    (process, address)
}

fn command(directory: &std::path::Path, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.current_dir(directory).env_clear().envs(environment.iter().copied()).stdin(Stdio::null());
    command
}

/// Keeps what the process writes, and passes on the address it says it listens on.
fn listen_to(stderr: impl Read, log: &Mutex<String>, said: &Sender<SocketAddr>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let place = line.trim().strip_prefix("Tollgate ").and_then(|rest| rest.split_once(" on http://"));
        if let Some((_, place)) = place {
            let address = place.replace("localhost", "127.0.0.1").parse().unwrap();
            // The test has given up waiting.
            let _ = said.send(address);
        }
        let mut log = log.lock().unwrap();
        log.push_str(&line);
        log.push('\n');
    }
}
