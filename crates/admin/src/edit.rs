//! Fields as a person sends them onto fields as they are kept: what is absent stays, what is null goes.

use gateway::refusal::Refusal;
use serde_json::Value;
use store::entity::{Entity, Object};

use crate::access::Refused;

/// `current` with `changes` written over it. Members that `T` does not have are not its business and left out.
///
/// # Errors
/// 422 naming the first member whose value does not fit.
pub(crate) fn overlay<T: Entity>(current: &T, changes: &Object) -> Result<T, Refused> {
    let mut object = object(current)?;
    for (name, value) in changes {
        match value {
            Value::Null => drop(object.remove(name)),
            _ => drop(object.insert(name.clone(), value.clone())),
        }
    }
    serde_json::from_value(Value::Object(object)).map_err(|error| misfit::<T>(current, changes, &error))
}

/// `fields` as the JSON object they are kept as.
///
/// # Errors
/// Never for the entities there are.
pub(crate) fn object<T: Entity>(fields: &T) -> Result<Object, Refused> {
    match serde_json::to_value(fields) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(Refusal::new(500, "These fields cannot be written as JSON.").into()),
    }
}

/// Which member it was: they are tried one by one.
fn misfit<T: Entity>(current: &T, changes: &Object, error: &serde_json::Error) -> Refused {
    let fits = |name: &String, value: &Value| {
        let Ok(mut object) = object(current) else { return true };
        object.insert(name.clone(), value.clone());
        serde_json::from_value::<T>(Value::Object(object)).is_ok()
    };
    let found = changes.iter().find(|(name, value)| !value.is_null() && !fits(name, value));
    let name = found.map_or("request_body", |(name, _)| name.as_str());
    Refusal::new(422, format!("{name}: {error}")).with_param(name).into()
}
