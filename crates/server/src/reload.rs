//! Following changes of the configuration: the files are watched, and SIGHUP asks at once. Prepare, then
//! publish; a configuration that is not usable leaves the old one in force, and says so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::live::Live;
use gateway::transport::Tls;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::catalog;
use crate::cli::ServeOptions;
use crate::env::Environment;
use crate::load::{self, Prepared};

/// Editors and `kubectl` write a file in several steps; this much quiet ends a change.
const QUIET: Duration = Duration::from_millis(200);

/// Follows changes for as long as the process serves. `public` says that others can reach it.
pub(crate) async fn follow(
    live: &Arc<Live>,
    options: &ServeOptions,
    environment: &Environment,
    tls: &Tls,
    files: Vec<PathBuf>,
    public: bool,
) {
    let (told, mut changes) = mpsc::channel(1);
    let mut watch = Watch::new(told);
    watch.set(&files);
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            _ = changes.recv() => {
                tokio::time::sleep(QUIET).await;
                while changes.try_recv().is_ok() {}
                false
            }
        };
        if !asked && !watch.has_changed() {
            continue;
        }
        match reload(live, options, environment, tls, asked, public).await {
            Ok(files) => watch.set(&files),
            Err(error) => tracing::error!("the configuration was not reloaded, the old one stays in force: {error:#}"),
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
    let catalog = if asked { catalog::load(environment, tls).await? } else { live.snapshot().catalog_handle() };
    let Prepared { snapshot, files, .. } = load::prepare(options, environment, catalog).await?;
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
    fn new(told: mpsc::Sender<()>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = told.try_send(());
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "changes of the configuration are not noticed; send SIGHUP to reload");
        }
        Self { watcher: watcher.ok(), files: Vec::new(), directories: BTreeSet::new(), content: Vec::new() }
    }

    fn set(&mut self, files: &[PathBuf]) {
        self.files = files.to_vec();
        self.content = self.read();
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
