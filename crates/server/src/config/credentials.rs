//! Provider credentials by name: `credential_list` and those of the database, for `litellm_credential_name`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::additions::Additions;
use super::fields::Fields;
use super::problem::Problems;
use super::tree::Map;

/// The parameters that each name stands for.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    by_name: BTreeMap<String, Map>,
}

impl Credentials {
    /// Those of the file; a name that the database has too means the database's.
    pub(super) fn read(root: &Map, additions: &Additions, problems: &mut Problems) -> Self {
        let mut by_name = BTreeMap::new();
        for node in (Fields { map: root, problems }).list("credential_list").unwrap_or_default() {
            let Some(entry) = node.map() else {
                problems.error(Some(node.span), "an entry of `credential_list` must be a map", None);
                continue;
            };
            let mut fields = Fields { map: entry, problems };
            match (fields.text("credential_name"), fields.table("credential_values")) {
                (Some(name), Some(values)) => drop(by_name.insert(name, values.clone())),
                _ => {
                    let help = "it has a `credential_name` and a map of `credential_values`".to_owned();
                    problems.error(Some(node.span), "this credential is not complete", Some(help));
                }
            }
        }
        let added = additions.credentials.iter();
        by_name.extend(added.map(|(name, values)| (name.clone(), Map::of_json(values))));
        Self { by_name }
    }

    /// `litellm_params` with the values of the credential that they name; what stands in them comes first.
    pub(super) fn complete<'a>(&self, params: &'a Map, problems: &mut Problems) -> Cow<'a, Map> {
        let Some(named) = params.get("litellm_credential_name").filter(|entry| !entry.value.is_null()) else {
            return Cow::Borrowed(params);
        };
        let name = named.value.letters().unwrap_or_default();
        let Some(values) = self.by_name.get(name) else {
            let message = format!("there is no credential `{name}`");
            let help = "name one of `credential_list`, or make it with POST /credentials".to_owned();
            problems.warn(Some(named.value.span), message, Some(help));
            return Cow::Borrowed(params);
        };
        let mut completed = params.clone();
        let absent = values.entries.iter().filter(|entry| params.get(&entry.key).is_none());
        completed.entries.extend(absent.cloned());
        Cow::Owned(completed)
    }
}
