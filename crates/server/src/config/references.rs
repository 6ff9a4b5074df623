//! `os.environ/NAME` values and `environment_variables`: the environment inside of a file.

use super::problem::Problems;
use super::tree::{Content, Map, Node, Scalar};
use crate::env::Environment;

const PREFIX: &str = "os.environ/";

/// Adds the file's `environment_variables`, whose values may be references themselves.
pub(super) fn extend_environment(root: &mut Map, environment: &mut Environment, problems: &mut Problems) {
    let Some(position) = root.position("environment_variables") else { return };
    let variables = &mut root.entries[position].value;
    let span = variables.span;
    let is_null = variables.is_null();
    let Content::Map(variables) = &mut variables.content else {
        if !is_null {
            problems.error(Some(span), "`environment_variables` must be a map of `NAME: value` lines", None);
        }
        return;
    };
    resolve(variables, environment, problems);
    for entry in &variables.entries {
        match (entry.value.scalar(), entry.value.letters()) {
            (Some(Scalar::Null), _) => {}
            (Some(_), Some(letters)) => environment.set(entry.key.as_str(), letters),
            _ => problems.error(
                Some(entry.value.span),
                format!("the variable `{}` must be a text, and this is {}", entry.key, entry.value.kind()),
                None,
            ),
        }
    }
}

/// Replaces references in maps and in maps inside of lists; texts that stand in a list are left, as LiteLLM does.
pub(super) fn resolve(map: &mut Map, environment: &Environment, problems: &mut Problems) {
    for entry in &mut map.entries {
        let name = entry.value.letters().and_then(|letters| letters.strip_prefix(PREFIX)).map(str::to_owned);
        if let Some(name) = name {
            let span = entry.value.span;
            entry.value = match environment.get(&name) {
                Some(value) => Node { content: Content::Text(value.to_owned()), span },
                None => missing(&entry.key, &name, Node::null(span), environment, problems),
            };
            continue;
        }
        match &mut entry.value.content {
            Content::Map(inner) => resolve(inner, environment, problems),
            Content::List(items) => {
                for item in items {
                    if let Content::Map(inner) = &mut item.content {
                        resolve(inner, environment, problems);
                    }
                }
            }
            Content::Plain(_) | Content::Text(_) => {}
        }
    }
}

/// A missing variable is null and a warning; a missing master key would leave the gateway open, so it is an error.
fn missing(key: &str, name: &str, null: Node, environment: &Environment, problems: &mut Problems) -> Node {
    let help = Some(format!("export {name}=…, or put it into a .env file"));
    if key == "master_key" && environment.filled("LITELLM_MASTER_KEY").is_none() {
        problems.error(
            Some(null.span),
            format!("the variable {name} is not set, and without `master_key` everybody may call"),
            help,
        );
    } else {
        problems.warn(Some(null.span), format!("the variable {name} is not set, so `{key}` is empty"), help);
    }
    null
}
