//! Secrets in rows: nobody is shown them, neither by a route nor in the audit log.

use serde_json::Value;

/// What stands in the place of a secret.
const MASK: &str = "*****";
/// Objects of settings of which some members are secrets.
const HOLDERS: [&str; 2] = ["callback_vars", "secret_manager_settings"];
/// Words in the names of secrets.
const SECRET_WORDS: [&str; 5] = ["secret", "key", "token", "password", "credential"];

/// Masks secrets wherever they stand in `value`.
pub(crate) fn mask(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove("password");
            for (name, member) in object {
                match member {
                    Value::Object(settings) if HOLDERS.contains(&name.as_str()) => {
                        settings.iter_mut().for_each(|(name, member)| mask_setting(name, member));
                    }
                    _ => mask(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::String(text) if text.starts_with(store::seal::PREFIX) => MASK.clone_into(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn mask_setting(name: &str, value: &mut Value) {
    let name = name.to_lowercase();
    // A public key is one half of a pair that is shown everywhere, as Langfuse's.
    let is_secret = SECRET_WORDS.iter().any(|word| name.contains(word)) && !name.contains("public");
    match value {
        Value::String(text) if is_secret && !text.starts_with("os.environ/") => MASK.clone_into(text),
        Value::Number(_) | Value::Array(_) | Value::Object(_) if is_secret => *value = MASK.into(),
        _ => {}
    }
}

/// Puts the secrets of `current` back where `sent` holds their masks: somebody who read a masked row and wrote it
/// back has changed none of them.
pub(crate) fn unmask(sent: &mut Value, current: &Value) {
    match (sent, current) {
        (Value::Object(sent), Value::Object(current)) => {
            for (name, member) in sent {
                if let Some(current) = current.get(name) {
                    unmask(member, current);
                }
            }
        }
        (Value::Array(sent), Value::Array(current)) => {
            sent.iter_mut().zip(current).for_each(|(sent, current)| unmask(sent, current));
        }
        (sent, current) if *sent == MASK => *sent = current.clone(),
        _ => {}
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
