//! Following changes of the configuration: the files are watched, and SIGHUP asks at once. Prepare, then
//! publish; a configuration that is not usable leaves the old one in force, and says so.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::live::Live;
use gateway::transport::Tls;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::catalog;
use crate::cli::ServeOptions;
use crate::env::Environment;
use crate::load::{self, Prepared};

/// Editors and `kubectl` write a file in several steps; this much quiet ends a change.
const QUIET: Duration = Duration::from_millis(200);

/// What tells that the configuration may have changed. Made before the process says that it serves, so that
/// no change and no signal after that is missed.
pub(crate) struct Changes {
    watch: Watch,
    told: mpsc::Receiver<()>,
    hangup: Signal,
}

impl Changes {
    /// Begins to watch `files` and to take SIGHUP.
    ///
    /// # Errors
    /// When the signal cannot be taken.
    pub(crate) fn of(files: &[PathBuf]) -> std::io::Result<Self> {
        let (tell, told) = mpsc::channel(1);
        let mut watch = Watch::new(tell);
        watch.set(files);
        Ok(Self { watch, told, hangup: signal(SignalKind::hangup())? })
    }
}

/// Follows changes for as long as the process serves. `public` says that others can reach it.
pub(crate) async fn follow(
    changes: Changes,
    live: &Arc<Live>,
    options: &ServeOptions,
    environment: &Environment,
    tls: &Tls,
    public: bool,
) {
    let Changes { mut watch, mut told, mut hangup } = changes;
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            _ = told.recv() => {
                tokio::time::sleep(QUIET).await;
                while told.try_recv().is_ok() {}
                false
            }
        };
        // Looked at before it is read again: what changes meanwhile is another change.
        let changed = watch.has_changed();
        if !asked && !changed {
            continue;
        }
        match reload(live, options, environment, tls, asked, public).await {
            Ok(files) => watch.set(&files),
            Err(error) => {
                tracing::error!("the configuration was not reloaded, the old one stays in force: {error:#}")
            }
        }
    }
}

async fn reload(
    live: &Arc<Live>,
    options: &ServeOptions,
    environment: &Environment,
    tls: &Tls,
    asked: bool,
    public: bool,
) -> anyhow::Result<Vec<PathBuf>> {
    // A change of the file is no reason to fetch prices; a person who asks gets everything anew.
    let catalog =
        if asked { catalog::load(environment, tls).await? } else { live.snapshot().catalog_handle() };
    let Prepared { snapshot, files, .. } = load::prepare(options, environment, catalog, tls).await?;
    anyhow::ensure!(
        snapshot.keys.is_locked() || !public,
        "it has no master key, and this process is reachable by others"
    );
    let groups = snapshot.groups().count();
    live.publish(snapshot);
    tracing::info!(model_groups = groups, "configuration reloaded");
    Ok(files)
}

/// Watches the directories of the files: Kubernetes and many editors replace a file (or a link to it) instead
/// of writing into it, which a watch on the file itself would miss.
struct Watch {
    watcher: Option<RecommendedWatcher>,
    files: Vec<PathBuf>,
    directories: BTreeSet<PathBuf>,
    /// What the files held when they were last looked at.
    content: Vec<Option<Vec<u8>>>,
}

impl Watch {
    fn new(tell: mpsc::Sender<()>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = tell.try_send(());
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "changes of the configuration are not noticed; send SIGHUP to reload");
        }
        Self { watcher: watcher.ok(), files: Vec::new(), directories: BTreeSet::new(), content: Vec::new() }
    }

    fn set(&mut self, files: &[PathBuf]) {
        let mut known: HashMap<_, _> = self.files.drain(..).zip(self.content.drain(..)).collect();
        self.content =
            files.iter().map(|file| known.remove(file).unwrap_or_else(|| std::fs::read(file).ok())).collect();
        self.files = files.to_vec();
        for directory in files.iter().map(|file| directory(file)) {
            let Some(watcher) = &mut self.watcher else { return };
            if self.directories.contains(&directory) {
                continue;
            }
            match watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.directories.insert(directory);
                }
                Err(error) => tracing::warn!(%error, directory = %directory.display(), "not watched"),
            }
        }
    }

    /// Whether any file holds something else than before. Other files in the directories do not matter.
    fn has_changed(&mut self) -> bool {
        let now = self.read();
        let changed = now != self.content;
        self.content = now;
        changed
    }

    fn read(&self) -> Vec<Option<Vec<u8>>> {
        self.files.iter().map(|file| std::fs::read(file).ok()).collect()
    }
}

fn directory(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
