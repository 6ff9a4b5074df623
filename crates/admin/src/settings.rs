//! Sections of the configuration that operators change at run time: kept over what the file says, for proxy admins.
//!
//! Not here: what the keys mean (server). What could not be served is refused before it is kept.

use std::sync::Arc;

use axum::Json;
use gateway::configure::Configure;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{Filter, Object, SettingFields};
use store::seal::{Seal, SealError, without_secrets};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Refused, Sent};
use crate::operator::{Answer, Asked, Edit, Operator, bad};
use crate::stored_models::{changeable, closed, finish, seal, unsealed};

const GENERAL: &str = "general_settings";
const VARIABLES: &str = "environment_variables";
const SECTIONS: [&str; 4] = [GENERAL, "litellm_settings", "router_settings", VARIABLES];

/// One field of a section.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Field {
    /// Its key.
    field_name: String,
    /// What it is to be.
    #[serde(default)]
    field_value: Value,
    /// The section.
    #[serde(default = "general")]
    config_type: String,
}

/// Which section.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Section {
    /// Its name.
    #[serde(default = "general")]
    config_type: String,
}

/// Which field of `general_settings`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Name {
    /// Its key.
    field_name: String,
}

fn general() -> String {
    GENERAL.to_owned()
}

/// Changes sections: keys that are absent stay, null ones are the file's again.
#[utoipa::path(post, path = "/config/update", operation_id = "config_update", tag = "configuration", request_body = std::collections::HashMap<String, Value>,
    responses((status = 200, description = "In force, and which keys have no effect"), (status = 400, description = "It could not be served")))]
pub(crate) async fn update(operator: Operator, Sent(sent): Sent<Object>) -> Answer {
    operator.must("POST", "/config/update", &About::default())?;
    let mut changes = Vec::new();
    for (section, values) in sent {
        match values {
            Value::Null => {}
            Value::Object(values) if SECTIONS.contains(&section.as_str()) => changes.push((section, values)),
            Value::Object(_) => {
                return Err(bad(&section, format!("{section} cannot be changed at run time.")));
            }
            _ => return Err(bad(&section, format!("{section} must be an object."))),
        }
    }
    let idle = change(&operator, changes).await?;
    Ok(Json(json!({"message": "Config updated successfully", "not_served": idle})))
}

/// Changes one field.
#[utoipa::path(post, path = "/config/field/update", operation_id = "config_update_field", tag = "configuration", request_body = Field,
    responses((status = 200, description = "In force"), (status = 400, description = "It could not be served")))]
pub(crate) async fn update_field(operator: Operator, Sent(field): Sent<Field>) -> Answer {
    operator.must("POST", "/config/field/update", &About::default())?;
    one(&operator, field).await
}

/// Makes one field the file's again.
#[utoipa::path(post, path = "/config/field/delete", operation_id = "config_delete_field", tag = "configuration", request_body = Field,
    responses((status = 200, description = "In force")))]
pub(crate) async fn delete_field(operator: Operator, Sent(field): Sent<Field>) -> Answer {
    operator.must("POST", "/config/field/delete", &About::default())?;
    one(&operator, Field { field_value: Value::Null, ..field }).await
}

async fn one(operator: &Operator, field: Field) -> Answer {
    if !SECTIONS.contains(&field.config_type.as_str()) {
        return Err(bad("config_type", format!("{} is no section that can be changed.", field.config_type)));
    }
    let values = Object::from_iter([(field.field_name, field.field_value)]);
    let idle = change(operator, vec![(field.config_type.clone(), values)]).await?;
    let kept = kept(operator, &field.config_type).await?;
    Ok(Json(json!({
        "param_name": field.config_type,
        "param_value": without_secrets(&kept),
        "not_served": idle,
    })))
}

/// What was changed of one field.
#[utoipa::path(get, path = "/config/field/info", operation_id = "config_info", tag = "configuration", params(Name),
    responses((status = 200, description = "Its value"), (status = 400, description = "It was not changed")))]
pub(crate) async fn info(operator: Operator, Asked(name): Asked<Name>) -> Answer {
    operator.must("GET", "/config/field/info", &About::default())?;
    let kept = without_secrets(&kept(&operator, GENERAL).await?);
    match kept.get(&name.field_name) {
        Some(value) => {
            Ok(Json(json!({"field_name": name.field_name, "field_value": value, "stored_in_db": true})))
        }
        None => Err(bad("field_name", format!("Field name={} not in DB", name.field_name))),
    }
}

/// The fields of a section that have an effect, or were changed.
#[utoipa::path(get, path = "/config/list", operation_id = "config_list", tag = "configuration", params(Section),
    responses((status = 200, description = "One row a field")))]
pub(crate) async fn list(operator: Operator, Asked(section): Asked<Section>) -> Answer {
    operator.must("GET", "/config/list", &About::default())?;
    let kept = without_secrets(&kept(&operator, &section.config_type).await?);
    let known = operator.gateway.live.configure().map(|process| process.keys(&section.config_type));
    let known: Vec<(&str, bool)> = known.unwrap_or_default();
    if known.is_empty() {
        return Err(bad(
            "config_type",
            format!("{} is no section that can be changed.", section.config_type),
        ));
    }
    let row = |(name, served): (&str, bool)| {
        json!({
            "field_name": name,
            "field_type": kept.get(name).map_or("String", type_name),
            "field_description": "",
            "field_value": kept.get(name),
            "stored_in_db": kept.contains_key(name),
            "field_default_value": null,
            "premium_field": false,
            "nested_fields": null,
            "served": served,
        })
    };
    let unknown =
        kept.keys().map(String::as_str).filter(|name| !known.iter().any(|(known, _)| known == name));
    let shown = known.iter().copied().filter(|(name, served)| *served || kept.contains_key(*name));
    let open = shown.filter(|(name, _)| !is_fixed(&section.config_type, name));
    let rows: Vec<Value> = open.chain(unknown.map(|name| (name, false))).map(row).collect();
    Ok(Json(rows.into()))
}

/// Where calls are sent to be logged: nowhere that could be changed here.
#[utoipa::path(get, path = "/get/config/callbacks", operation_id = "config_callbacks", tag = "configuration",
    responses((status = 200, description = "Callbacks, alerts and the router's settings")))]
pub(crate) async fn callbacks(operator: Operator) -> Answer {
    operator.must("GET", "/get/config/callbacks", &About::default())?;
    let router = without_secrets(&kept(&operator, "router_settings").await?);
    Ok(Json(json!({
        "status": "success",
        "callbacks": [],
        "alerts": [],
        "active_alerting_destinations": [],
        "router_settings": router,
        "available_callbacks": {},
    })))
}

/// Keeps changes and puts them in force. Returns the keys that have no effect.
async fn change(operator: &Operator, changes: Vec<(String, Object)>) -> Result<Vec<String>, Refused> {
    changeable(operator)?;
    for (section, values) in &changes {
        closed(values)?;
        if let Some(name) = values.keys().find(|name| is_fixed(section, name)) {
            let message = format!(
                "{section}.{name} decides who may come in or where all is kept: it is set before the start."
            );
            return Err(bad(name, message));
        }
        if section == VARIABLES
            && let Some((name, _)) =
                values.iter().find(|(_, value)| !matches!(value, Value::String(_) | Value::Null))
        {
            return Err(bad(name, format!("The variable {name} must be a text.")));
        }
    }
    let seal = seal(operator)?;
    let mut edit = operator.begin().await?;
    let mut sections = opened(&mut edit, &seal).await?;
    for (section, values) in &changes {
        let known = sections.iter().position(|(name, _)| name == section).unwrap_or_else(|| {
            sections.push((section.clone(), Object::new()));
            sections.len() - 1
        });
        for (name, value) in values {
            match value {
                Value::Null => drop(sections[known].1.remove(name)),
                value => drop(sections[known].1.insert(name.clone(), value.clone())),
            }
        }
    }
    let process = operator.gateway.live.configure().map(Arc::clone);
    if let Some(process) = &process {
        process.check_settings(&sections).map_err(|message| bad("request_body", message))?;
    }
    for (section, mut values) in
        sections.into_iter().filter(|(name, _)| changes.iter().any(|(changed, _)| changed == name))
    {
        sealed(&seal, &section, &mut values).map_err(unsealed)?;
        write(&mut edit, &section, values).await?;
    }
    finish(operator, edit).await?;
    Ok(process.map_or_else(Vec::new, |process| idle(&*process, &changes)))
}

fn idle(process: &dyn Configure, changes: &[(String, Object)]) -> Vec<String> {
    let mut idle = Vec::new();
    for (section, values) in changes.iter().filter(|(section, _)| section != VARIABLES) {
        let keys = process.keys(section);
        let served = |name: &String| keys.iter().any(|(known, served)| known == name && *served);
        idle.extend(values.keys().filter(|name| !served(name)).map(|name| format!("{section}.{name}")));
    }
    idle
}

async fn write(edit: &mut Edit, section: &str, values: Object) -> Result<(), Refused> {
    match edit.get::<SettingFields>(section).await? {
        Some(mut record) => {
            let before = std::mem::replace(&mut record.fields, SettingFields { values });
            edit.change("updated", &before, &mut record).await
        }
        None => {
            let record = edit.record(section, SettingFields { values });
            edit.add(&record).await
        }
    }
}

async fn opened(edit: &mut Edit, seal: &Seal) -> Result<Vec<(String, Object)>, Refused> {
    let records = edit.find::<SettingFields>(&Filter::default()).await?;
    let open = |(id, mut values): (String, Object)| {
        let done = match id.as_str() {
            VARIABLES => seal.open_all(&mut values),
            _ => seal.open_fields(&mut values),
        };
        done.map(|()| (id, values)).map_err(unsealed)
    };
    records.into_iter().map(|record| open((record.id, record.fields.values))).collect()
}

fn sealed(seal: &Seal, section: &str, values: &mut Object) -> Result<(), SealError> {
    match section {
        VARIABLES => seal.seal_all(values),
        _ => seal.seal_fields(values),
    }
}

async fn kept(operator: &Operator, section: &str) -> Result<Object, Refused> {
    let record = operator.db.get::<SettingFields>(section).await?;
    Ok(record.map(|record| record.fields.values).unwrap_or_default())
}

/// What decides who may come in and where everything is kept cannot be changed by who came in.
fn is_fixed(section: &str, name: &str) -> bool {
    match section {
        GENERAL => {
            matches!(name, "master_key" | "strict" | "store_model_in_db" | "litellm_key_header_name")
                || name.starts_with("database_")
        }
        VARIABLES => {
            name.starts_with("TOLLGATE_")
                || name.starts_with("UI_")
                || matches!(
                    name,
                    "LITELLM_MASTER_KEY" | "LITELLM_SALT_KEY" | "DATABASE_URL" | "STORE_MODEL_IN_DB"
                )
        }
        _ => false,
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::String(_) => "String",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Float",
        Value::Number(_) => "Integer",
        Value::Array(_) => "List",
        Value::Object(_) => "Dictionary",
    }
}
