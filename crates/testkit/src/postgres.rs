//! A PostgreSQL server for the tests of this process: started when it is asked for first, in a directory and on a
//! port of its own, and ended with the process. Each test gets a database of its own in it.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Where Debian has a directory for each version of the programs; else they are looked for in `PATH`.
const PLACE: &str = "/usr/lib/postgresql";
/// Root may not run the server; this user comes with the package.
const UNPRIVILEGED: &str = "postgres";
const START: Duration = Duration::from_secs(60);

static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

struct Server {
    programs: PathBuf,
    port: u16,
    as_root: bool,
    directory: PathBuf,
}

/// Makes an empty database and returns its address.
///
/// # Errors
/// What kept the server from starting, such as that it is not installed.
pub fn database() -> io::Result<String> {
    let server = server()?;
    let name = format!("test_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
    server.run("psql", &["-q", "-d", "postgres", "-c", &format!("CREATE DATABASE {name}")])?;
    Ok(format!("postgresql://{UNPRIVILEGED}@127.0.0.1:{}/{name}", server.port))
}

/// Stops the server's processes where they are, as a machine does that swaps, or has them go on.
///
/// # Errors
/// As [`database`].
pub fn freeze(frozen: bool) -> io::Result<()> {
    let server = server()?;
    let pid = fs::read_to_string(server.directory.join("data/postmaster.pid"))?;
    let pid = pid.lines().next().unwrap_or_default().to_owned();
    let signal = if frozen { "STOP" } else { "CONT" };
    let script = format!("kill -{signal} {pid} $(pgrep -P {pid})");
    checked(Command::new("sh").args(["-c", &script]))
}

fn server() -> io::Result<&'static Server> {
    let server = SERVER.get_or_init(|| Server::start().map_err(|error| error.to_string()));
    server.as_ref().map_err(|reason| io::Error::other(reason.clone()))
}

impl Server {
    fn start() -> io::Result<Self> {
        let versions = fs::read_dir(PLACE).into_iter().flatten().flatten();
        let programs = versions.map(|version| version.path().join("bin"));
        let programs =
            programs.filter(|programs| programs.join("initdb").is_file()).max().unwrap_or_default();
        let as_root = fs::metadata("/proc/self").is_ok_and(|own| {
            use std::os::unix::fs::MetadataExt;
            own.uid() == 0
        });
        let directory = std::env::temp_dir().join(format!("tollgate-postgres-{}", std::process::id()));
        // The number of a process that is gone may have been this one's.
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory)?;
        if as_root {
            checked(Command::new("chown").arg(UNPRIVILEGED).arg(&directory))?;
        }
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let server = Self { programs, port, as_root, directory };
        server.begin()?;
        Ok(server)
    }

    fn begin(&self) -> io::Result<()> {
        let data = self.directory.join("data");
        let data = text(&data);
        self.run(
            "initdb",
            &["-D", data, "-U", UNPRIVILEGED, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
        )?;
        let port = self.port.to_string();
        let directory = text(&self.directory).to_owned();
        let mut postgres = self.command("postgres");
        postgres.args(["-D", data, "-p", &port, "-k", &directory]).args(["-c", "fsync=off"]);
        postgres.args(["-c", "max_connections=200", "-c", "listen_addresses=127.0.0.1"]);
        let child = postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        self.end_with_us(child.id())?;
        let begun = Instant::now();
        while self.run("psql", &["-q", "-d", "postgres", "-c", "SELECT 1"]).is_err() {
            if begun.elapsed() > START {
                return Err(io::Error::other("the PostgreSQL server does not answer"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Statics are not dropped: a shell waits for the end of this process, however it comes.
    fn end_with_us(&self, server: u32) -> io::Result<()> {
        let own = std::process::id();
        let directory = text(&self.directory);
        let script = format!(
            "while kill -0 {own} 2>/dev/null; do sleep 0.2; done; \
             kill -CONT {server}; kill -INT {server}; sleep 1; kill -QUIT {server}; rm -rf '{directory}'"
        );
        let mut shell = Command::new("setsid");
        shell.args(["sh", "-c", &script]);
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(drop)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> io::Result<()> {
        let mut command = self.command(program);
        command.args(arguments);
        if program == "psql" {
            command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", UNPRIVILEGED]);
        }
        checked(&mut command)
    }

    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if self.as_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", UNPRIVILEGED, "--regid", UNPRIVILEGED, "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(&self.directory);
        command
    }
}

fn checked(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}
