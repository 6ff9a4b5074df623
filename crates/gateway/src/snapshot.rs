//! The configuration in force, compiled and immutable, behind one pointer.
//!
//! Preparing a snapshot can fail; publishing one cannot. A call takes the snapshot once and sees no other
//! until it ends. State that must outlive a reload is not here, see [`crate::live`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::header::HeaderName;
use policy::access::Pattern;
use policy::catalog::Catalog;
use policy::choose::{self, Candidate};

use crate::auth::KeyRing;
use crate::deployment::Deployment;
use crate::media::Fetcher;
use crate::settings::{DeploymentSettings, GeneralSettings, Settings};

/// Model groups made for names that only a wildcard matched are kept up to this many.
const MOST_MATERIALIZED: usize = 4096;

type Map<V> = HashMap<String, V, foldhash::fast::RandomState>;

/// One configuration, compiled.
#[derive(Debug)]
pub struct Snapshot {
    /// Process-wide settings.
    pub general: GeneralSettings,
    /// Who may come in.
    pub keys: KeyRing,
    groups: Map<Arc<Group>>,
    /// Public names in file order.
    names: Vec<String>,
    by_id: Map<Arc<Group>>,
    by_model: Map<Arc<Group>>,
    /// Groups that only one team has, by team and public name.
    of_teams: Map<Map<Arc<Group>>>,
    wildcards: Vec<Wildcard>,
    /// Fetches media that callers name by address; `None` where nothing may be fetched.
    pub(crate) fetcher: Option<Fetcher>,
    materialized: RwLock<Map<Arc<Group>>>,
    settings: Settings,
    catalog: Arc<Catalog>,
}

/// The deployments that share a public name.
#[derive(Debug)]
pub struct Group {
    /// The public name.
    pub name: String,
    /// Its deployments, in file order.
    pub deployments: Vec<Arc<Deployment>>,
    /// What choosing needs to know of each, by the same index.
    pub candidates: Vec<Candidate>,
    /// The access groups that any of them carries (`model_info.access_groups`).
    pub access_groups: Vec<String>,
    free: bool,
}

impl Group {
    /// A group of these deployments.
    #[must_use]
    pub fn new(name: String, deployments: Vec<Arc<Deployment>>) -> Self {
        let candidates = deployments.iter().map(|deployment| candidate(&deployment.settings)).collect();
        let of_infos =
            deployments.iter().filter_map(|one| one.settings.model_info.get("access_groups")?.as_array());
        let mut access_groups: Vec<String> =
            of_infos.flatten().filter_map(|group| Some(group.as_str()?.to_owned())).collect();
        access_groups.sort_unstable();
        access_groups.dedup();
        let free = !deployments.is_empty() && deployments.iter().all(|deployment| deployment.is_free());
        Self { name, deployments, candidates, access_groups, free }
    }

    /// Whether none of its deployments costs anything.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.free
    }
}

fn candidate(settings: &DeploymentSettings) -> Candidate {
    Candidate {
        weight: settings.weight.map_or(0, choose::weight),
        rpm: settings.rpm.unwrap_or(0),
        tpm: settings.tpm.unwrap_or(0),
        order: settings.order,
    }
}

#[derive(Debug)]
struct Wildcard {
    pattern: Pattern,
    name: String,
    entries: Vec<usize>,
}

/// Something wrong with one entry, found while compiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The entry's index in `model_list`.
    pub entry: usize,
    /// Its public name.
    pub model_name: String,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether the entry was left out; otherwise it is there but cannot be called as things are.
    pub left_out: bool,
}

impl Snapshot {
    /// Compiles settings. Entries that cannot be compiled are left out and reported, so that one bad entry
    /// does not take the others down.
    ///
    /// # Errors
    /// A process-wide setting that cannot be honoured.
    pub fn prepare(settings: Settings, catalog: Arc<Catalog>) -> Result<(Self, Vec<Flaw>), String> {
        let mut flaws = Vec::new();
        let mut grouped: Map<Vec<Arc<Deployment>>> = Map::default();
        let mut names: Vec<String> = Vec::new();
        let mut wildcards: Vec<Wildcard> = Vec::new();
        let mut of_teams: Map<Map<Vec<Arc<Deployment>>>> = Map::default();
        for (index, entry) in settings.deployments.iter().enumerate() {
            let team = team_of(entry);
            if team.is_none() && entry.model_name.contains('*') {
                add_wildcard(&mut wildcards, index, entry);
                continue;
            }
            let flaw = |message: String, left_out| Flaw {
                entry: index,
                model_name: entry.model_name.clone(),
                message,
                left_out,
            };
            match Deployment::compile(entry, &settings, &catalog) {
                Err(message) => flaws.push(flaw(message, true)),
                Ok(deployment) => {
                    flaws.extend(deployment.trouble.clone().map(|trouble| flaw(trouble, false)));
                    if let Some(team) = team {
                        let groups = of_teams.entry(team.to_owned()).or_default();
                        groups.entry(entry.model_name.clone()).or_default().push(Arc::new(deployment));
                        continue;
                    }
                    if !grouped.contains_key(&entry.model_name) {
                        names.push(entry.model_name.clone());
                    }
                    grouped.entry(entry.model_name.clone()).or_default().push(Arc::new(deployment));
                }
            }
        }
        wildcards.sort_by(|one, other| one.pattern.specificity().cmp(&other.pattern.specificity()));
        let keys = KeyRing::new(settings.general.master_key.as_ref(), header_name(&settings.general)?);
        let groups = made(grouped);
        let of_teams = of_teams.into_iter().map(|(team, grouped)| (team, made(grouped))).collect();
        let (by_id, by_model) = index(&names, &groups);
        let media = &settings.general.media;
        let fetcher = settings.surroundings.as_ref().map(|around| Fetcher::new(media.clone(), &around.tls));
        let snapshot = Self {
            general: settings.general.clone(),
            keys,
            groups,
            names,
            by_id,
            by_model,
            of_teams,
            wildcards,
            fetcher,
            materialized: RwLock::default(),
            settings,
            catalog,
        };
        Ok((snapshot, flaws))
    }

    /// The group that serves a name: an id, an alias, a public name, a wildcard, or the upstream model of a
    /// deployment when nobody has that public name.
    #[must_use]
    pub fn group(&self, asked: &str) -> Option<Arc<Group>> {
        if let Some(group) = self.groups.get(asked) {
            return Some(Arc::clone(group));
        }
        if let Some(group) = self.by_id.get(asked) {
            return Some(Arc::clone(group));
        }
        if let Some(alias) = self.settings.aliases.get(asked) {
            // One step only: an alias of an alias is not looked up, so aliases cannot go round in circles.
            return self.groups.get(&alias.target).cloned().or_else(|| self.materialize(&alias.target));
        }
        let known = self.by_model.get(asked).cloned().or_else(|| self.materialize(asked));
        known.or_else(|| self.materialized_deployment(asked))
    }

    /// The same for a caller of a team, which may have models of its own.
    #[must_use]
    pub fn group_for(&self, team: Option<&str>, asked: &str) -> Option<Arc<Group>> {
        let own = team.and_then(|team| self.of_teams.get(team)).and_then(|groups| groups.get(asked));
        own.cloned().or_else(|| self.group(asked))
    }

    /// The groups that only one team has.
    pub fn groups_of_teams(&self) -> impl Iterator<Item = (&str, &Arc<Group>)> {
        self.of_teams
            .iter()
            .flat_map(|(team, groups)| groups.values().map(move |group| (team.as_str(), group)))
    }

    /// Whether an entry can be compiled here.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote it.
    pub fn check(&self, entry: &DeploymentSettings) -> Result<(), String> {
        if entry.model_name.contains('*') {
            return match team_of(entry) {
                None => Ok(()),
                Some(_) => Err("a model of a team needs a name without `*`".to_owned()),
            };
        }
        Deployment::compile(entry, &self.settings, &self.catalog).map(drop)
    }

    /// The deployment of a wildcard that has this id, if its model was asked for before.
    fn materialized_deployment(&self, id: &str) -> Option<Arc<Group>> {
        let materialized = self.materialized.read().unwrap_or_else(PoisonError::into_inner);
        materialized.values().find_map(|group| {
            let deployment = group.deployments.iter().find(|deployment| deployment.id == id)?;
            Some(Arc::new(Group::new(group.name.clone(), vec![Arc::clone(deployment)])))
        })
    }

    /// The group of a name that needs no wildcard to be found.
    #[must_use]
    pub fn known_group(&self, name: &str) -> Option<Arc<Group>> {
        let target = self.settings.aliases.get(name).map_or(name, |alias| &alias.target);
        self.groups.get(target).cloned()
    }

    /// Public names in file order with their groups.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.names.iter().filter_map(|name| self.groups.get(name))
    }

    /// Aliases that are listed.
    pub fn visible_aliases(&self) -> impl Iterator<Item = &str> {
        self.settings.aliases.iter().filter(|(_, alias)| !alias.hidden).map(|(name, _)| name.as_str())
    }

    /// The wildcard names, most specific first.
    pub fn wildcards(&self) -> impl Iterator<Item = &str> {
        self.wildcards.iter().map(|wildcard| wildcard.name.as_str())
    }

    /// The entries behind a wildcard name.
    pub fn wildcard_entries(&self, name: &str) -> impl Iterator<Item = &DeploymentSettings> {
        let entries = self.wildcards.iter().filter(move |wildcard| wildcard.name == name);
        entries.flat_map(|wildcard| {
            wildcard.entries.iter().filter_map(|index| self.settings.deployments.get(*index))
        })
    }

    /// What it was compiled from.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The model catalog in force.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The same, to be carried over to the next snapshot.
    #[must_use]
    pub fn catalog_handle(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog)
    }

    /// A deployment of `provider/model` as it would be with nothing else configured. Nothing is kept of it.
    ///
    /// # Errors
    /// Why there can be none, for the person who asked.
    pub fn unconfigured(&self, model: &str) -> Result<Deployment, String> {
        let entry = DeploymentSettings {
            model_name: model.to_owned(),
            model: model.to_owned(),
            ..Default::default()
        };
        Deployment::compile(&entry, &self.settings, &self.catalog)
    }

    /// The group a wildcard makes for `asked`, kept for the next call.
    fn materialize(&self, asked: &str) -> Option<Arc<Group>> {
        let known = self.materialized.read().unwrap_or_else(PoisonError::into_inner).get(asked).cloned();
        if known.is_some() {
            return known;
        }
        let made = Arc::new(self.make(asked)?);
        let mut materialized = self.materialized.write().unwrap_or_else(PoisonError::into_inner);
        if materialized.len() < MOST_MATERIALIZED {
            materialized.insert(asked.to_owned(), Arc::clone(&made));
        }
        Some(made)
    }

    fn make(&self, asked: &str) -> Option<Group> {
        for wildcard in &self.wildcards {
            if !wildcard.pattern.matches(asked) {
                continue;
            }
            let mut deployments = Vec::new();
            for entry in wildcard.entries.iter().filter_map(|index| self.settings.deployments.get(*index)) {
                let Some(model) = wildcard.pattern.substitute(asked, &entry.model) else { continue };
                let concrete = DeploymentSettings { model, ..entry.clone() };
                match Deployment::compile(&concrete, &self.settings, &self.catalog) {
                    Ok(deployment) => deployments.push(Arc::new(deployment)),
                    Err(why) => {
                        tracing::debug!(wildcard = %wildcard.name, %why, "a wildcard does not fit the model")
                    }
                }
            }
            if !deployments.is_empty() {
                return Some(Group::new(wildcard.name.clone(), deployments));
            }
        }
        None
    }
}

/// The team that has a deployment to itself (`model_info.team_id`).
fn team_of(entry: &DeploymentSettings) -> Option<&str> {
    entry.model_info.get("team_id")?.as_str().filter(|team| !team.is_empty())
}

fn made(grouped: Map<Vec<Arc<Deployment>>>) -> Map<Arc<Group>> {
    let group = |(name, deployments): (String, _)| (name.clone(), Arc::new(Group::new(name, deployments)));
    grouped.into_iter().map(group).collect()
}

fn add_wildcard(wildcards: &mut Vec<Wildcard>, index: usize, entry: &DeploymentSettings) {
    match wildcards.iter_mut().find(|wildcard| wildcard.name == entry.model_name) {
        Some(wildcard) => wildcard.entries.push(index),
        None => wildcards.push(Wildcard {
            pattern: Pattern::new(&entry.model_name),
            name: entry.model_name.clone(),
            entries: vec![index],
        }),
    }
}

/// The other ways to name a deployment: by id, and by the upstream's `provider/model`.
fn index(names: &[String], groups: &Map<Arc<Group>>) -> (Map<Arc<Group>>, Map<Arc<Group>>) {
    let mut by_id = Map::default();
    let mut by_model: Map<Arc<Group>> = Map::default();
    for group in names.iter().filter_map(|name| groups.get(name)) {
        for deployment in &group.deployments {
            let alone = Group::new(group.name.clone(), vec![Arc::clone(deployment)]);
            by_id.insert(deployment.id.clone(), Arc::new(alone));
            by_model.entry(deployment.settings.model.clone()).or_insert_with(|| Arc::clone(group));
        }
    }
    (by_id, by_model)
}

fn header_name(general: &GeneralSettings) -> Result<Option<HeaderName>, String> {
    let Some(name) = &general.key_header else { return Ok(None) };
    HeaderName::from_bytes(name.as_bytes())
        .map(Some)
        .map_err(|_| format!("general_settings.litellm_key_header_name: `{name}` is not a header name"))
}
