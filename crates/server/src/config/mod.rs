//! The configuration file: LiteLLM's YAML to [`Settings`], with everything that is wrong said at once.
//!
//! Not here: what the settings come to (the gateway compiles them) and watching the file for changes.
//!
//! Map, in reading order:
//! - [`source`], [`problem`]: the text that may be shown, and problems with their place in it
//! - [`yaml`], [`syntax`], [`tree`]: text to a tree that knows its places; PyYAML's scalars
//! - [`include`], [`references`]: several files and the environment as one tree
//! - [`additions`]: what the database says over the files; [`credentials`] by name
//! - [`keys`]: every key LiteLLM knows, and which of them have an effect
//! - [`fields`], [`models`], [`misplaced`], [`sections`]: the tree to settings
//! - [`providers`]: what the environment says of providers

mod additions;
mod credentials;
mod fields;
mod include;
pub(crate) mod keys;
mod misplaced;
mod models;
pub(crate) mod problem;
pub(crate) mod providers;
mod references;
mod routing;
mod sections;
mod sharing;
pub(crate) mod source;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod yaml;

use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::settings::{GeneralSettings, Settings};
use secrecy::SecretString;

pub(crate) use self::additions::{Additions, deployment};
use self::credentials::Credentials;
use self::fields::{Fields, check_keys};
use self::problem::{Notice, Place, Problems, Report};
use self::tree::Map;
use crate::env::Environment;

/// A configuration that loads.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    /// Where each of `settings.deployments` stands.
    pub(crate) places: Vec<Place>,
    /// Warnings, in the order of the file.
    pub(crate) notices: Vec<Notice>,
    /// Every file that was read, the named one first: what to watch.
    pub(crate) files: Vec<PathBuf>,
}

/// Reads a configuration file and what it includes.
///
/// # Errors
/// A report of every error and warning, when there is at least one error.
pub(crate) fn load(path: &Path, environment: &Environment) -> Result<Loaded, Report> {
    load_with(path, environment, &Additions::default())
}

/// The same with what the database says.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_with(
    path: &Path,
    environment: &Environment,
    additions: &Additions,
) -> Result<Loaded, Report> {
    let mut problems = Problems::default();
    let mut environment = environment.clone();
    let (settings, places) = include::read_tree(path, &mut problems)
        .map(|root| read_root(root, additions, &mut environment, &mut problems))
        .unwrap_or_default();
    let (failed, files) = (problems.failed(), problems.files());
    let found = problems.finish();
    if failed {
        return Err(Report { problems: found });
    }
    Ok(Loaded { settings, places, notices: found, files })
}

/// What the database alone says, where there is no file.
pub(crate) fn without_file(environment: &Environment, additions: &Additions) -> Settings {
    read_root(Map::default(), additions, &mut environment.clone(), &mut Problems::default()).0
}

fn read_root(
    mut root: Map,
    additions: &Additions,
    environment: &mut Environment,
    problems: &mut Problems,
) -> (Settings, Vec<Place>) {
    references::extend_environment(&mut root, environment, problems);
    references::resolve(&mut root, environment, problems);
    // After references are resolved: what was sent over the network names no variables of this process.
    additions.put_over(&mut root, environment);
    let credentials = Credentials::read(&root, additions, problems);
    check_keys(&keys::TOP, &root, problems);
    let deployments = match (Fields { map: &root, problems }).list("model_list") {
        Some(list) => models::read(list, environment, &credentials, problems),
        None => Vec::new(),
    };
    let added = additions.deployments(environment, &credentials, problems);
    if root.get("model_list").is_none_or(|entry| entry.value.is_null())
        && added.is_empty()
        && !problems.failed()
    {
        let help = "add a `model_list`, or start without a file to serve what the environment has keys for";
        problems.warn(
            None,
            "the file has no `model_list`, so there is no model to call",
            Some(help.to_owned()),
        );
    }
    let places = deployments.iter().filter_map(|(_, span)| problems.place(*span)).collect();
    let litellm = sections::section(&root, &keys::LITELLM, problems);
    let general = sections::section(&root, &keys::GENERAL, problems);
    let router = sections::section(&root, &keys::ROUTER, problems);
    let ambient = litellm
        .and_then(|map| Fields { map, problems }.flag("enable_azure_ad_token_refresh"))
        .unwrap_or(false);
    let settings = Settings {
        deployments: (deployments.into_iter().map(|(deployment, _)| deployment).chain(added))
            .map(|mut deployment| {
                deployment.credential.azure.ambient = ambient;
                deployment
            })
            .collect(),
        aliases: sections::aliases(router, litellm, problems),
        providers: providers::from_environment(environment),
        general: {
            let mut general = sections::general(general, environment, problems);
            sections::pings(litellm, &mut general, problems);
            sections::keys_and_budgets(litellm, &mut general, problems);
            from_environment(&mut general, environment);
            general
        },
        routing: routing::read(router, litellm, general, problems),
        sharing: sharing::read(router, litellm, general, environment, problems),
        surroundings: None,
        tracks: std::sync::Arc::default(),
    };
    (settings, places)
}

/// What is said by variables only.
pub(crate) fn from_environment(general: &mut GeneralSettings, environment: &Environment) {
    let secret = |name: &str| environment.filled(name).map(SecretString::from);
    general.salt_key = secret("TOLLGATE_SALT_KEY").or_else(|| secret("LITELLM_SALT_KEY"));
    general.store_models |= environment.is_on("STORE_MODEL_IN_DB");
    let dashboard = &mut general.dashboard;
    dashboard.password = secret("UI_PASSWORD");
    dashboard.disabled = environment.is_on("DISABLE_ADMIN_UI");
    dashboard.base_url = environment.filled("PROXY_BASE_URL").map(str::to_owned);
    if let Some(name) = environment.filled("UI_USERNAME") {
        name.clone_into(&mut dashboard.username);
    }
    if let Some(path) = environment.filled("SERVER_ROOT_PATH") {
        path.trim_end_matches('/').clone_into(&mut dashboard.root_path);
    }
    if let Some(session) = environment.filled("LITELLM_UI_SESSION_DURATION").and_then(duration) {
        dashboard.session = session;
    }
}

/// `30s`, `15m`, `24h` or `7d`; nothing for what is none of them, or not longer than nothing.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number
        .parse::<u32>()
        .ok()
        .filter(|number| *number > 0)
        .map(|number| Duration::from_secs(u64::from(number) * seconds))
}
