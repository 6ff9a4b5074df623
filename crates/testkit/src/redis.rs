//! A Redis server for one test: in a directory and on a port of its own, frozen, killed and started again at will.
//!
//! Not here: a client.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(20);

/// A running `redis-server` that keeps nothing on disk; killed on drop.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    directory: PathBuf,
    child: Child,
}

impl RedisServer {
    /// Starts one.
    ///
    /// # Errors
    /// What kept it from starting, such as that `redis-server` is not installed.
    pub fn start() -> io::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        Self::on(port, &[])
    }

    /// Starts one that is the only node of a cluster.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn cluster() -> io::Result<Self> {
        // The port of the cluster's own traffic is 10000 higher.
        let port = loop {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            if port < 50_000 {
                break port;
            }
        };
        let server = Self::on(port, &["--cluster-enabled", "yes"])?;
        let port = server.port.to_string();
        let added = Command::new("redis-cli")
            .args(["-p", &port, "cluster", "addslotsrange", "0", "16383"])
            .output()?;
        if !added.stdout.starts_with(b"OK") {
            return Err(io::Error::other(String::from_utf8_lossy(&added.stdout).into_owned()));
        }
        let begun = Instant::now();
        loop {
            let state = Command::new("redis-cli").args(["-p", &port, "cluster", "info"]).output()?;
            if String::from_utf8_lossy(&state.stdout).contains("cluster_state:ok") {
                return Ok(server);
            }
            if begun.elapsed() > START {
                return Err(io::Error::other("the Redis cluster does not form"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn on(port: u16, more: &[&str]) -> io::Result<Self> {
        let directory = std::env::temp_dir().join(format!("tollgate-redis-{}-{port}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let child = launch(port, &directory, more)?;
        let server = Self { port, directory, child };
        server.until_it_answers()?;
        Ok(server)
    }

    /// `redis://127.0.0.1:<port>`
    #[must_use]
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the process where it is, as a machine does that swaps, or has it go on.
    ///
    /// # Errors
    /// The signal could not be sent.
    pub fn freeze(&self, frozen: bool) -> io::Result<()> {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status()?;
        if sent.success() { Ok(()) } else { Err(io::Error::other("the server is gone")) }
    }

    /// Ends it as a power cut does.
    ///
    /// # Errors
    /// The signal could not be sent.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Starts it again, on the same port and with nothing in memory.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn revive(&mut self) -> io::Result<()> {
        self.child = launch(self.port, &self.directory, &[])?;
        self.until_it_answers()
    }

    /// What `redis-cli` prints for a command.
    ///
    /// # Errors
    /// It could not be run.
    pub fn cli(&self, arguments: &[&str]) -> io::Result<String> {
        let output =
            Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(arguments).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn until_it_answers(&self) -> io::Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if begun.elapsed() > START {
                return Err(io::Error::other("the Redis server does not answer"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn launch(port: u16, directory: &PathBuf, more: &[&str]) -> io::Result<Child> {
    let port = port.to_string();
    Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(directory)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("redis-server does not start: {error}")))
}
