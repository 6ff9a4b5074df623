//! The configuration in force, compiled and immutable, behind one pointer.
//!
//! Preparing a snapshot can fail; publishing one cannot. A call takes the snapshot once and sees no other
//! until it ends. State that must outlive a reload is not here, see [`crate::live`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::header::HeaderName;
use policy::access::Pattern;
use policy::catalog::Catalog;
use policy::choose;
use policy::route::pool::parallel_limit;
use policy::route::{Candidate, Pool, Rules, Track};

use crate::auth::KeyRing;
use crate::deployment::Deployment;
use crate::media::Fetcher;
use crate::settings::{DeploymentSettings, GeneralSettings, RoutingSettings, Settings};
use crate::waiting::Waiting;

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
    /// What is known of each right now, by the same index.
    pub tracks: Vec<Arc<Track>>,
    /// How one of them is chosen.
    pub pool: Pool,
    /// The one deployment was asked for by itself: limits and cooldowns are not looked at.
    pub is_direct: bool,
    /// Choosing needs to know how long the prompt is.
    pub counts_tokens: bool,
    /// Calls that wait for a place, where places are limited.
    pub(crate) waiting: Option<Waiting>,
    /// The access groups that any of them carries (`model_info.access_groups`).
    pub access_groups: Vec<String>,
    free: bool,
}

impl Group {
    /// A group of these deployments.
    #[must_use]
    pub fn new(name: String, deployments: Vec<Arc<Deployment>>, routing: &RoutingSettings) -> Self {
        let candidates: Vec<Candidate> =
            deployments.iter().map(|deployment| candidate(deployment, routing)).collect();
        let of_infos =
            deployments.iter().filter_map(|one| one.settings.model_info.get("access_groups")?.as_array());
        let mut access_groups: Vec<String> =
            of_infos.flatten().filter_map(|group| Some(group.as_str()?.to_owned())).collect();
        access_groups.sort_unstable();
        access_groups.dedup();
        let rules = &routing.rules;
        let limited = rules.enforce_limits || rules.strategy.enforces_limits();
        Self {
            free: !deployments.is_empty() && deployments.iter().all(|deployment| deployment.is_free()),
            tracks: deployments.iter().map(|deployment| Arc::clone(&deployment.track)).collect(),
            is_direct: false,
            counts_tokens: rules.pre_call_checks || limited && candidates.iter().any(|one| one.share.tpm > 0),
            waiting: candidates.iter().any(|one| one.max_parallel.is_some()).then(Waiting::default),
            pool: Pool::new(rules.clone(), candidates),
            name,
            deployments,
            access_groups,
        }
    }

    /// One deployment that is asked for by itself.
    #[must_use]
    pub fn alone(name: String, deployment: Arc<Deployment>) -> Self {
        let candidate = Candidate { id: deployment.id.clone(), max_parallel: None, ..Candidate::default() };
        let mut group = Self::new(name, vec![deployment], &RoutingSettings::default());
        group.pool = Pool::new(Rules::default(), vec![candidate]);
        Self { is_direct: true, waiting: None, ..group }
    }

    /// Whether none of its deployments costs anything.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.free
    }
}

fn candidate(deployment: &Deployment, routing: &RoutingSettings) -> Candidate {
    let settings = &deployment.settings;
    let (rpm, tpm) = (settings.rpm.unwrap_or(0), settings.tpm.unwrap_or(0));
    let weight = settings.weight.map_or(0, choose::weight);
    Candidate {
        id: deployment.id.clone(),
        share: choose::Candidate { weight, rpm, tpm, order: settings.order },
        max_parallel: parallel_limit(settings.max_parallel, rpm, tpm, routing.default_max_parallel),
        tags: settings.tags.clone(),
        region: settings.region.clone(),
        max_input_tokens: deployment.fact("max_input_tokens").and_then(serde_json::Value::as_u64),
        price: deployment.usual_price(),
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
                Ok(mut deployment) => {
                    deployment.track = settings.tracks.of(&deployment.id);
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
        let groups = made(grouped, &settings.routing);
        let of_teams =
            of_teams.into_iter().map(|(team, grouped)| (team, made(grouped, &settings.routing))).collect();
        let (by_id, by_model) = index(&names, &groups);
        settings.tracks.sweep(std::time::Instant::now());
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
            Some(Arc::new(Group::alone(group.name.clone(), Arc::clone(deployment))))
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

    /// How calls are sent upstream.
    #[must_use]
    pub fn routing(&self) -> &RoutingSettings {
        &self.settings.routing
    }

    /// What is known of deployments, to be carried over to the next snapshot.
    #[must_use]
    pub fn tracks_handle(&self) -> Arc<crate::tracks::Tracks> {
        Arc::clone(&self.settings.tracks)
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
                    Ok(mut deployment) => {
                        deployment.track = self.settings.tracks.of(&deployment.id);
                        deployments.push(Arc::new(deployment));
                    }
                    Err(why) => {
                        tracing::debug!(wildcard = %wildcard.name, %why, "a wildcard does not fit the model")
                    }
                }
            }
            if !deployments.is_empty() {
                return Some(Group::new(wildcard.name.clone(), deployments, &self.settings.routing));
            }
        }
        None
    }
}

/// The team that has a deployment to itself (`model_info.team_id`).
fn team_of(entry: &DeploymentSettings) -> Option<&str> {
    entry.model_info.get("team_id")?.as_str().filter(|team| !team.is_empty())
}

fn made(grouped: Map<Vec<Arc<Deployment>>>, routing: &RoutingSettings) -> Map<Arc<Group>> {
    let group =
        |(name, deployments): (String, _)| (name.clone(), Arc::new(Group::new(name, deployments, routing)));
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
            let alone = Group::alone(group.name.clone(), Arc::clone(deployment));
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
