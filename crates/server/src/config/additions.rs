//! What the database says over the files: deployments, credentials and sections that were changed at run time.
//!
//! It came over the network, so it names no variables of this process, and what is wrong with one row of it is said
//! and keeps nothing else from being served.

use gateway::settings::DeploymentSettings;
use serde_json::{Map as JsonMap, Value, json};
use store::entity::{ModelFields, Object};

use super::credentials::Credentials;
use super::models;
use super::problem::{Problems, Severity};
use super::tree::{Content, Entry, Map, Node};
use crate::env::Environment;

/// The rows, their secrets open.
#[derive(Clone, Default)]
pub(crate) struct Additions {
    /// Deployments by id.
    pub(crate) models: Vec<(String, ModelFields)>,
    /// Values by the name of their credential.
    pub(crate) credentials: Vec<(String, Object)>,
    /// Sections by name.
    pub(crate) settings: Vec<(String, Object)>,
}

impl Additions {
    pub(crate) fn is_empty(&self) -> bool {
        self.models.is_empty() && self.credentials.is_empty() && self.settings.is_empty()
    }

    /// Sections, over those of the file: key by key, the keys of a map within a section as well. Variables go to the
    /// environment that is handed on.
    pub(super) fn put_over(&self, root: &mut Map, environment: &mut Environment) {
        for (section, values) in &self.settings {
            if section == "environment_variables" {
                for (name, value) in values {
                    environment.set(name.as_str(), value.as_str().unwrap_or_default());
                }
                continue;
            }
            if root.get(section).is_none_or(|entry| entry.value.map().is_none()) {
                root.set(entry(section, &Value::Object(JsonMap::new())));
            }
            let Some(position) = root.position(section) else { continue };
            let Content::Map(map) = &mut root.entries[position].value.content else { continue };
            values.iter().for_each(|(key, value)| put(map, key, value));
        }
    }

    /// The deployments that can be served. What is wrong with the others is a warning.
    pub(super) fn deployments(
        &self,
        environment: &Environment,
        credentials: &Credentials,
        problems: &mut Problems,
    ) -> Vec<DeploymentSettings> {
        let mut deployments = Vec::with_capacity(self.models.len());
        for (id, model) in &self.models {
            match read(id, model, environment, credentials) {
                Ok(deployment) => deployments.extend(deployment),
                Err(message) => {
                    let name = &model.model_name;
                    problems.warn(
                        None,
                        format!("the kept model `{name}` ({id}) is left out: {message}"),
                        None,
                    );
                }
            }
        }
        deployments
    }
}

/// The deployment that a row stands for; `None` where it does not serve for now.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn deployment(
    id: &str,
    model: &ModelFields,
    environment: &Environment,
    additions: &Additions,
) -> Result<Option<DeploymentSettings>, String> {
    let mut problems = Problems::default();
    let credentials = Credentials::read(&Map::default(), additions, &mut problems);
    read(id, model, environment, &credentials)
}

fn read(
    id: &str,
    model: &ModelFields,
    environment: &Environment,
    credentials: &Credentials,
) -> Result<Option<DeploymentSettings>, String> {
    let mut info = model.model_info.clone();
    info.insert("id".to_owned(), id.into());
    info.insert("db_model".to_owned(), true.into());
    let own_name = info.get("team_id").and(info.get("team_public_model_name")).and_then(Value::as_str);
    let node = Node::of_json(&json!({
        "model_name": own_name.unwrap_or(&model.model_name),
        "litellm_params": model.litellm_params,
        "blocked": model.blocked,
        "model_info": info,
    }));
    let mut problems = Problems::default();
    let read = models::read_entry(&node, environment, credentials, &mut problems);
    let failed = problems.failed();
    let mut found = problems.finish();
    found.retain(|problem| problem.severity == Severity::Error || (read.is_none() && !failed));
    match found.into_iter().next() {
        Some(problem) => Err(match problem.help {
            Some(help) => format!("{}: {help}", problem.message),
            None => problem.message,
        }),
        None => Ok(read),
    }
}

fn put(map: &mut Map, key: &str, value: &Value) {
    let position = map.position(key);
    match (position.map(|position| &mut map.entries[position].value.content), value) {
        (Some(Content::Map(inner)), Value::Object(values)) => {
            values.iter().for_each(|(key, value)| inner.set(entry(key, value)));
        }
        _ => map.set(entry(key, value)),
    }
}

fn entry(key: &str, value: &Value) -> Entry {
    Entry { key: key.to_owned(), key_span: super::source::Span::default(), value: Node::of_json(value) }
}
