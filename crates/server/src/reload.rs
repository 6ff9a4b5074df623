//! Following changes of the configuration: the files are watched, the database's list of changes is followed, and SIGHUP
//! asks at once. Prepare, then
//! publish; a configuration that is not usable leaves the old one in force, and says so.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use gateway::configure::Configure;
use gateway::live::Live;
use gateway::transport::Tls;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use store::entity::{ModelFields, Object};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc};

use crate::cli::ServeOptions;
use crate::config::keys::Standing;
use crate::config::problem::Severity;
use crate::config::{self, Additions};
use crate::env::Environment;
use crate::{catalog, load};

/// Editors and `kubectl` write a file in several steps; this much quiet ends a change.
const QUIET: Duration = Duration::from_millis(200);
/// After which a change that could not be taken over is tried again.
const PAUSE: Duration = Duration::from_millis(500);

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

/// Takes over changes, one after the other.
pub(crate) struct Reloader {
    pub(crate) live: Arc<Live>,
    pub(crate) options: ServeOptions,
    pub(crate) environment: Environment,
    pub(crate) tls: Tls,
    /// Others can reach this process.
    pub(crate) public: bool,
    /// The files that were read last. Held while a change is taken over.
    pub(crate) files: Mutex<Vec<PathBuf>>,
}

/// Follows changes of the files for as long as the process serves.
pub(crate) async fn follow(changes: Changes, reloader: &Reloader) {
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
        match reloader.take_over(asked, true).await {
            Ok(files) => watch.set(&files),
            Err(error) => {
                tracing::error!("the configuration was not reloaded, the old one stays in force: {error:#}")
            }
        }
    }
}

/// Follows changes of models, credentials and settings in the database, whoever made them. `position` is the change
/// up to which the configuration in force is true; none where there was no database when it was made.
pub(crate) async fn follow_database(reloader: &Reloader, position: Option<i64>) {
    let Some(books) = reloader.live.books() else { return std::future::pending().await };
    let mut reached = books.reached();
    let mut in_force = position;
    loop {
        let newest = reached.borrow_and_update().configuration;
        if books.db().is_some() && in_force.is_none_or(|number| number < newest) {
            match reloader.take_over(false, false).await {
                Ok(_) => in_force = Some(newest),
                Err(error) => {
                    tracing::error!("what was changed is not in force yet: {error:#}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            }
        }
        // The sender is the books', which outlive this.
        let _ = reached.changed().await;
    }
}

impl Reloader {
    /// Reads everything again and puts it in force. `asked` fetches prices anew, `aloud` prints warnings.
    async fn take_over(&self, asked: bool, aloud: bool) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = self.files.lock().await;
        // A change of the file is no reason to fetch prices; a person who asks gets everything anew.
        let catalog = match asked {
            true => catalog::load(&self.environment, &self.tls).await?,
            false => self.live.snapshot().catalog_handle(),
        };
        let db = self.live.db();
        let tracks = self.live.snapshot().tracks_handle();
        let prepared =
            load::prepare(&self.options, &self.environment, catalog, tracks, &self.tls, db.as_ref()).await?;
        if aloud {
            prepared.tell();
        }
        let snapshot = prepared.snapshot;
        anyhow::ensure!(
            snapshot.keys.is_locked() || !self.public,
            "it has no master key, and this process is reachable by others"
        );
        let groups = snapshot.groups().count();
        self.live.publish(snapshot);
        tracing::info!(model_groups = groups, "configuration reloaded");
        files.clone_from(&prepared.files);
        Ok(prepared.files)
    }
}

impl Configure for Reloader {
    fn check(&self, model: &ModelFields) -> Result<(), String> {
        let credentials = Additions::default();
        match config::deployment("", model, &self.environment, &credentials)? {
            Some(deployment) => self.live.snapshot().check(&deployment),
            None => Ok(()),
        }
    }

    fn check_settings(&self, sections: &[(String, Object)]) -> Result<(), String> {
        let additions = Additions { settings: sections.to_vec(), ..Additions::default() };
        match &self.options.config {
            Some(file) => {
                config::load_with(file, &self.environment, &additions).map(drop).map_err(|report| {
                    let errors = report.problems.iter().filter(|problem| problem.severity == Severity::Error);
                    errors.map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
                })
            }
            None => Ok(()),
        }
    }

    fn keys(&self, section: &str) -> Vec<(&'static str, bool)> {
        let sections = [&config::keys::GENERAL, &config::keys::LITELLM, &config::keys::ROUTER];
        let found = sections.into_iter().find(|known| known.name == section);
        let served = |section: &config::keys::Section, name| section.standing(name) == Some(Standing::Served);
        found.map_or_else(Vec::new, |section| {
            section.names().map(|name| (name, served(section, name))).collect()
        })
    }

    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        let taken =
            async { self.take_over(false, false).await.map(drop).map_err(|error| format!("{error:#}")) };
        Box::pin(taken)
    }
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reloader")
    }
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
