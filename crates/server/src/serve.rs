//! Serving, as a checklist: configure, listen, start workers, say where to go, follow changes, drain.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use gateway::configure::Configure;
use gateway::live::Live;
use gateway::snapshot::Snapshot;
use gateway::transport::{Proxies, Tls};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeOptions;
use crate::env::Environment;
use crate::load::{self, Prepared};
use crate::reload::{self, Changes, Reloader};
use crate::workers::Workers;
use crate::{books, catalog, say};

/// Serves until the process is told to stop.
///
/// # Errors
/// A configuration that is not usable, or an address that cannot be listened on.
pub(crate) fn serve(options: ServeOptions, environment: Environment) -> anyhow::Result<ExitCode> {
    for warning in &options.warnings {
        tracing::warn!("{warning}");
    }
    // Accepting and following changes; the workers have runtimes of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(options, environment))
}

async fn run(options: ServeOptions, environment: Environment) -> anyhow::Result<ExitCode> {
    let proxies = Proxies::of(|name| environment.filled(name));
    let tls = Tls::new().context("the system's certificates")?.through(proxies);
    let catalog = catalog::load(&environment, &tls).await?;
    let mut prepared = load::prepare(&options, &environment, catalog, Arc::default(), &tls, None).await?;
    let books = books::open(&options, &environment, prepared.snapshot.settings()).await?;
    let mut position = None;
    if let Some(db) = books.as_ref().and_then(|kept| kept.books.db()) {
        position = Some(db.last_change().await?);
        let catalog = prepared.snapshot.catalog_handle();
        let tracks = prepared.snapshot.tracks_handle();
        prepared = load::prepare(&options, &environment, catalog, tracks, &tls, Some(&db)).await?;
    }
    prepared.tell();
    let Prepared { snapshot, files, found, .. } = prepared;
    let host = reachable_host(&options, &snapshot);
    let listener = listen(&host, options.port).await?;
    let address = listener.local_addr()?;
    let changes = Changes::of(&files).context("taking SIGHUP")?;
    let stop = told_to_stop().context("taking SIGTERM")?;
    announce(address, &snapshot, &found);
    let live = Live::new(snapshot, books.as_ref().map(|kept| Arc::clone(&kept.books)));
    let workers = Workers::start(worker_count(&options), &live, &tls)?;
    let done = CancellationToken::new();
    let keep = books.map(|kept| tokio::spawn(kept.keep(done.clone())));
    let files = Mutex::new(files);
    let public = is_public(address);
    let reloader = Arc::new(Reloader { live: Arc::clone(&live), options, environment, tls, public, files });
    live.configured_by(Arc::clone(&reloader) as Arc<dyn Configure>);
    let follow = reload::follow(changes, &reloader);
    let follow_database = reload::follow_database(&reloader, position);
    tokio::select! {
        () = workers.accept(listener, stop) => {}
        () = follow => {}
        () = follow_database => {}
    }
    tracing::info!(in_flight = live.in_flight(), "stopping: no new connections, calls in flight go on");
    live.drain();
    tokio::task::spawn_blocking(move || workers.stop()).await?;
    done.cancel();
    if let Some(keep) = keep
        && tokio::time::timeout(books::LAST_WORDS, keep).await.is_err()
    {
        tracing::warn!("the last charges wait on the disk for the next start");
    }
    Ok(ExitCode::SUCCESS)
}

/// Without a master key only this machine is served, whatever address was asked for.
fn reachable_host(options: &ServeOptions, snapshot: &Snapshot) -> String {
    if snapshot.keys.is_locked() || load::is_loopback(&options.host) {
        return options.host.clone();
    }
    tracing::warn!(
        "no master key is set, so only this machine is served (127.0.0.1). Set general_settings.master_key or \
         LITELLM_MASTER_KEY to listen on {}",
        options.host
    );
    "127.0.0.1".to_owned()
}

fn is_public(address: SocketAddr) -> bool {
    !address.ip().is_loopback()
}

async fn listen(host: &str, port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind((host.trim_matches(['[', ']']), port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("port {port} is taken by another process. Stop it, or choose another port with --port")
        }
        Err(error) => Err(error).with_context(|| format!("listening on {host}:{port}")),
    }
}

fn worker_count(options: &ServeOptions) -> NonZeroUsize {
    let processors = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    options.workers.unwrap_or_else(processors)
}

/// What a person sees first: where to go, and a line that answers.
fn announce(address: SocketAddr, snapshot: &Snapshot, found: &[String]) {
    let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
    let base = format!("http://{host}:{}", address.port());
    let mut text = format!("\n  Tollgate {} on {base}\n\n", env!("CARGO_PKG_VERSION"));
    for line in found {
        text += &format!("    {line}\n");
    }
    let names: Vec<&str> =
        snapshot.groups().map(|group| group.name.as_str()).chain(snapshot.wildcards()).collect();
    if found.is_empty() {
        let shown = names.iter().take(12).copied().collect::<Vec<_>>().join(", ");
        let more = if names.len() > 12 { format!(", and {} more", names.len() - 12) } else { String::new() };
        text += &format!("    models   {shown}{more}\n");
    }
    text += &format!("    API      {base}/docs\n    health   {base}/health/readiness\n\n  Try it:\n\n");
    let example = names.iter().find(|name| !name.contains('*')).copied().unwrap_or("demo/echo");
    let key =
        if snapshot.keys.is_locked() { " -H \"Authorization: Bearer $LITELLM_MASTER_KEY\"" } else { "" };
    text += &format!(
        "    curl {base}/v1/chat/completions -H 'Content-Type: application/json'{key} \\\n      \
         -d '{{\"model\": \"{example}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n\n"
    );
    say(&text);
}

/// SIGTERM or an interrupt from the terminal. Both are taken at once, not when first waited for.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
