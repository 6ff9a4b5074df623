//! The processes that are measured: the fake provider, nginx, the bare forwarder and the gateway, started on free ports of the
//! loopback interface, with their files in one temporary directory, stopped when the benchmark ends.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::arguments::{Arguments, TargetName};
use crate::report::progress;

const READY_WITHIN: Duration = Duration::from_secs(30);
const ASK_WITHIN: Duration = Duration::from_secs(10);
const LOG_TAIL_BYTES: usize = 2_000;

/// The model groups that the scenarios call.
const MODELS: [&str; 3] = ["bench", "bench-stream", "bench-paced"];

/// Something to send load to.
pub(crate) struct Target {
    pub(crate) name: TargetName,
    pub(crate) address: SocketAddr,
    /// Root of the process tree.
    pub(crate) process: u32,
}

/// The running targets, in the order of measuring.
pub(crate) struct Targets {
    pub(crate) measured: Vec<Target>,
    /// What calls authenticate with. Sent to every target, so that all read the same bytes.
    pub(crate) key: String,
    // Dropped in this order: proxies before their upstream, files last.
    _processes: Vec<Running>,
    _files: TempDir,
}

impl Targets {
    /// Starts the targets asked for and waits until they serve. nginx is left out where it is not installed.
    pub(crate) fn start(arguments: &Arguments) -> Result<Self> {
        let files = tempfile::Builder::new().prefix("tollgate-bench-").tempdir()?;
        let master_key = format!("sk-bench-{:016x}", RandomState::new().hash_one(std::process::id()));
        let (upstream, upstream_address) =
            start_self("--serve-upstream", &arguments.upstream_threads.to_string())?;
        let direct = Target { name: TargetName::Direct, address: upstream_address, process: upstream.id() };
        let mut targets =
            Self { measured: vec![direct], key: master_key, _processes: Vec::new(), _files: files };
        if arguments.targets.contains(&TargetName::Nginx) {
            match start_nginx(targets._files.path(), upstream_address)? {
                Some((nginx, address)) => targets.add(TargetName::Nginx, nginx, address),
                None => {
                    progress("nginx is not installed and is left out (Debian: apt-get install nginx-light)")
                }
            }
        }
        if arguments.targets.contains(&TargetName::Hyper) {
            let (hyper, address) = start_self("--serve-forwarder", &upstream_address.to_string())?;
            targets.add(TargetName::Hyper, hyper, address);
        }
        if arguments.targets.contains(&TargetName::Gateway) {
            let (gateway, address) =
                start_gateway(&arguments.gateway(), targets._files.path(), upstream_address, &targets.key)?;
            targets.add(TargetName::Gateway, gateway, address);
            if arguments.virtual_key {
                targets.key = generate_key(address, &targets.key)?;
            }
        }
        targets._processes.push(upstream);
        targets.measured.retain(|target| arguments.targets.contains(&target.name));
        ensure!(!targets.measured.is_empty(), "--targets: nothing is left to measure");
        Ok(targets)
    }

    fn add(&mut self, name: TargetName, running: Running, address: SocketAddr) {
        self.measured.push(Target { name, address, process: running.id() });
        self._processes.push(running);
    }
}

/// A child process, stopped on drop.
struct Running {
    child: Child,
    /// What asks it to stop; killing nginx's master would leave its workers behind.
    stop: Option<Command>,
}

impl Running {
    fn new(child: Child) -> Self {
        Self { child, stop: None }
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so; an early end of the process is an error with the end of its log.
    fn wait_until(&mut self, name: &str, log: &Path, mut ready: impl FnMut() -> bool) -> Result<()> {
        let end = Instant::now() + READY_WITHIN;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended at once with {status}; its log ends:\n{}", log_tail(log));
            }
            if ready() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{name} was not ready within {READY_WITHIN:?}; its log ends:\n{}", log_tail(log))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Failures mean that the process is gone, which is what is wanted.
        let asked =
            self.stop.as_mut().and_then(|stop| stop.status().ok()).is_some_and(|status| status.success());
        if !asked {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// This binary in one of its other roles, which says its address on its first line.
fn start_self(role: &str, value: &str) -> Result<(Running, SocketAddr)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([role, value])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    let running = Running::new(child);
    let address = line.trim().parse().with_context(|| format!("{role} said `{}`", line.trim()))?;
    Ok((running, address))
}

fn start_nginx(files: &Path, upstream: SocketAddr) -> Result<Option<(Running, SocketAddr)>> {
    let Some(nginx) =
        ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx", "/opt/homebrew/bin/nginx"]
            .into_iter()
            .find(|path| Path::new(path).exists())
    else {
        return Ok(None);
    };
    let directory = files.join("nginx");
    fs::create_dir_all(&directory)?;
    let address = free_address()?;
    fs::write(directory.join("nginx.conf"), nginx_configuration(address, upstream))?;
    let command = || {
        let mut command = Command::new(nginx);
        command.arg("-p").arg(&directory).args(["-c", "nginx.conf", "-e", "error.log"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut running = Running::new(command().spawn()?);
    let mut stop = command();
    stop.args(["-s", "stop"]);
    running.stop = Some(stop);
    running.wait_until("nginx", &directory.join("error.log"), || TcpStream::connect(address).is_ok())?;
    Ok(Some((running, address)))
}

/// A plain reverse proxy at its best: kept connections on both sides, no log, bodies in memory (by default
/// nginx spools those above 16 KB to disk), replies passed on as they come.
fn nginx_configuration(address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        r#"# With the default user the workers may not enter the temporary directory.
user root;
worker_processes auto;
daemon off;
pid nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    keepalive_requests 100000000;
    upstream provider {{ server {upstream}; keepalive 256; keepalive_requests 100000000; }}
    server {{
        listen {address};
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"#
    )
}

fn start_gateway(
    binary: &Path,
    files: &Path,
    upstream: SocketAddr,
    master_key: &str,
) -> Result<(Running, SocketAddr)> {
    ensure!(
        binary.is_file(),
        "there is no gateway at {}: build it (cargo build --release), name it with --gateway, or leave it \
         out with --targets direct,nginx",
        binary.display()
    );
    let directory = files.join("gateway");
    fs::create_dir_all(&directory)?;
    let configuration = directory.join("config.yaml");
    fs::write(&configuration, gateway_configuration(upstream, master_key))?;
    let address = free_address()?;
    let log: PathBuf = directory.join("gateway.log");
    let output = File::create(&log)?;
    let child = Command::new(binary)
        .arg("--config")
        .arg(&configuration)
        .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
        .current_dir(&directory)
        // Whatever database or key the developer's shell names is not to be measured.
        .env_clear()
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let mut running = Running::new(child);
    running.wait_until("the gateway", &log, || {
        ask(address, "GET", "/health/liveliness", master_key, None).is_ok_and(|(status, _)| status == 200)
    })?;
    Ok((running, address))
}

/// Prices are set, so that every call is charged.
fn gateway_configuration(upstream: SocketAddr, master_key: &str) -> String {
    let model = |name: &str| {
        format!(
            r#"  - model_name: {name}
    litellm_params:
      model: openai/{name}
      api_base: http://{upstream}/v1
      api_key: sk-upstream
      input_cost_per_token: 0.000001
      output_cost_per_token: 0.000002
"#
        )
    };
    let models: String = MODELS.into_iter().map(model).collect();
    format!("model_list:\n{models}general_settings:\n  master_key: {master_key}\n")
}

/// A key as a production caller has: models, a budget and limits, all too wide to be reached.
fn generate_key(gateway: SocketAddr, master_key: &str) -> Result<String> {
    let asked = json!({
        "key_alias": "bench",
        "models": MODELS,
        "max_budget": 1_000_000.0,
        "rpm_limit": 1_000_000_000_u32,
        "tpm_limit": 1_000_000_000_000_u64,
        "max_parallel_requests": 100_000,
    });
    let (status, body) = ask(gateway, "POST", "/key/generate", master_key, Some(&asked.to_string()))?;
    ensure!(status == 200, "--virtual-key: /key/generate answered {status}: {body}");
    // The body may be chunked: what matters is the object in it.
    let object = body.find('{').zip(body.rfind('}')).and_then(|(start, end)| body.get(start..=end));
    let reply: Value = serde_json::from_str(object.unwrap_or_default())?;
    let key = reply.get("key").and_then(Value::as_str);
    key.map(str::to_owned).ok_or_else(|| anyhow!("--virtual-key: the reply of /key/generate has no `key`"))
}

/// One request on a connection of its own: status and the rest of the reply.
fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    key: &str,
    body: Option<&str>,
) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, ASK_WITHIN)?;
    stream.set_read_timeout(Some(ASK_WITHIN))?;
    let body = body.unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut reply = String::new();
    stream.take(1024 * 1024).read_to_string(&mut reply)?;
    let (head, body) = reply.split_once("\r\n\r\n").ok_or_else(|| anyhow!("not an HTTP reply"))?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or_else(|| anyhow!("not an HTTP status"))?, body.to_owned()))
}

/// The port may be taken between here and its use; then the process says so and the run is repeated.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn log_tail(path: &Path) -> String {
    let log = fs::read(path).unwrap_or_default();
    let start = log.len().saturating_sub(LOG_TAIL_BYTES);
    String::from_utf8_lossy(log.get(start..).unwrap_or_default()).into_owned()
}
