//! The configuration file: LiteLLM's YAML to [`Settings`], with everything that is wrong said at once.
//!
//! Not here: what the settings come to (the gateway compiles them) and watching the file for changes.
//!
//! Map, in reading order:
//! - [`source`], [`problem`]: the text that may be shown, and problems with their place in it
//! - [`yaml`], [`syntax`], [`tree`]: text to a tree that knows its places; PyYAML's scalars
//! - [`include`], [`references`]: several files and the environment as one tree
//! - [`keys`]: every key LiteLLM knows, and which of them have an effect
//! - [`fields`], [`models`], [`misplaced`], [`sections`]: the tree to settings
//! - [`providers`]: what the environment says of providers

mod fields;
mod include;
pub(crate) mod keys;
mod misplaced;
mod models;
pub(crate) mod problem;
pub(crate) mod providers;
mod references;
mod sections;
mod sharing;
pub(crate) mod source;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod yaml;

use std::path::{Path, PathBuf};

use gateway::settings::Settings;

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
    let mut problems = Problems::default();
    let mut environment = environment.clone();
    let (settings, places) = include::read_tree(path, &mut problems)
        .map(|root| read_root(root, &mut environment, &mut problems))
        .unwrap_or_default();
    let (failed, files) = (problems.failed(), problems.files());
    let found = problems.finish();
    if failed {
        return Err(Report { problems: found });
    }
    Ok(Loaded { settings, places, notices: found, files })
}

fn read_root(
    mut root: Map,
    environment: &mut Environment,
    problems: &mut Problems,
) -> (Settings, Vec<Place>) {
    references::extend_environment(&mut root, environment, problems);
    references::resolve(&mut root, environment, problems);
    check_keys(&keys::TOP, &root, problems);
    let deployments = match (Fields { map: &root, problems }).list("model_list") {
        Some(list) => models::read(list, environment, problems),
        None => Vec::new(),
    };
    if root.get("model_list").is_none_or(|entry| entry.value.is_null()) && !problems.failed() {
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
        deployments: (deployments.into_iter())
            .map(|(mut deployment, _)| {
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
            general
        },
        routing: sections::routing(router, litellm, problems),
        sharing: sharing::read(router, litellm, general, environment, problems),
        surroundings: None,
    };
    (settings, places)
}
