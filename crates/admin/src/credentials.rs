//! Provider credentials by name, for `litellm_credential_name`: kept sealed, never shown.

use axum::Json;
use axum::extract::Path;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{CredentialFields, Filter, ModelFields, Object, Record};
use utoipa::ToSchema;

use crate::access::{Refused, Sent};
use crate::operator::{Answer, Edit, Operator, bad, missing};
use crate::stored_models::{closed, finish, seal, unsealed};

/// A credential, or what is changed of one.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Sealable {
    /// Unique.
    credential_name: Option<String>,
    /// For people: `custom_llm_provider`, `description`.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    credential_info: Object,
    /// Parameters: `api_key`, `api_base`, …
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    credential_values: Object,
    /// A deployment whose parameters are taken instead.
    model_id: Option<String>,
    /// For people.
    display_name: Option<String>,
}

/// Keeps a credential.
#[utoipa::path(post, path = "/credentials", operation_id = "credential_new", tag = "credentials", request_body = Sealable,
    responses((status = 200, description = "It is kept"), (status = 400, description = "There is one of that name")))]
pub(crate) async fn new(operator: Operator, Sent(sent): Sent<Sealable>) -> Answer {
    operator.must("POST", "/credentials", &About::default())?;
    let name = sent.credential_name.filter(|name| !name.trim().is_empty());
    let Some(name) = name else { return Err(bad("credential_name", "credential_name is missing.")) };
    let mut edit = operator.begin().await?;
    if edit.get::<CredentialFields>(&name).await?.is_some() {
        return Err(bad("credential_name", format!("There is a credential `{name}` already.")));
    }
    let mut values = sent.credential_values;
    if let Some(id) = &sent.model_id {
        values.extend(of_model(&operator, &mut edit, id).await?);
    }
    if values.is_empty() {
        return Err(bad(
            "credential_values",
            "A credential has credential_values, or the model_id to take them from.",
        ));
    }
    closed(&values)?;
    seal(&operator)?.seal_all(&mut values).map_err(unsealed)?;
    let fields = CredentialFields {
        credential_values: values,
        credential_info: sent.credential_info,
        display_name: sent.display_name,
    };
    let record = edit.record(name, fields);
    edit.add(&record).await?;
    finish(&operator, edit).await?;
    Ok(Json(json!({"success": true, "message": "Credential created successfully"})))
}

/// The credentials there are.
#[utoipa::path(get, path = "/credentials", operation_id = "credential_list", tag = "credentials",
    responses((status = 200, description = "Their names, without the values")))]
pub(crate) async fn list(operator: Operator) -> Answer {
    operator.must("GET", "/credentials", &About::default())?;
    let records = operator.db.find::<CredentialFields>(&Filter::default()).await?;
    let shown: Vec<Value> = records.iter().map(row).collect();
    Ok(Json(json!({"success": true, "credentials": shown})))
}

/// One credential.
#[utoipa::path(get, path = "/credentials/by_name/{credential_name}", operation_id = "credential_by_name", tag = "credentials",
    params(("credential_name" = String, Path, description = "Its name")),
    responses((status = 200, description = "The credential, its values masked"), (status = 404, description = "There is none")))]
pub(crate) async fn by_name(operator: Operator, Path(name): Path<String>) -> Answer {
    operator.must("GET", "/credentials/by_name/{credential_name}", &About::default())?;
    match operator.db.get::<CredentialFields>(&name).await? {
        Some(record) => Ok(Json(row(&record))),
        None => Err(unknown(&name)),
    }
}

/// The credential that a deployment uses.
#[utoipa::path(get, path = "/credentials/by_model/{model_id}", operation_id = "credential_by_model", tag = "credentials",
    params(("model_id" = String, Path, description = "The deployment's id")),
    responses((status = 200, description = "Its parameters, the secret ones masked"), (status = 404, description = "There is none")))]
pub(crate) async fn by_model(operator: Operator, Path(id): Path<String>) -> Answer {
    operator.must("GET", "/credentials/by_model/{model_id}", &About::default())?;
    let Some(record) = operator.db.get::<ModelFields>(&id).await? else { return Err(unknown(&id)) };
    let values = record.fields.litellm_params.keys().filter(|name| store::seal::is_secret(name));
    let values: Object = values.map(|name| (name.clone(), MASK.into())).collect();
    Ok(Json(json!({
        "credential_name": format!("{}-credential-{id}", record.fields.model_name),
        "credential_values": values,
        "credential_info": {},
    })))
}

/// Changes a credential; values that are absent stay, null ones go.
#[utoipa::path(patch, path = "/credentials/{credential_name}", operation_id = "credential_update", tag = "credentials", request_body = Sealable,
    params(("credential_name" = String, Path, description = "Its name")),
    responses((status = 200, description = "It is changed"), (status = 404, description = "There is none")))]
pub(crate) async fn update(
    operator: Operator,
    Path(name): Path<String>,
    Sent(sent): Sent<Sealable>,
) -> Answer {
    operator.must("PATCH", "/credentials/{credential_name}", &About::default())?;
    if sent.credential_name.as_ref().is_some_and(|sent| *sent != name) {
        return Err(bad("credential_name", "A credential keeps its name; make another one."));
    }
    closed(&sent.credential_values)?;
    let mut edit = operator.begin().await?;
    let Some(mut record) = edit.get::<CredentialFields>(&name).await? else { return Err(unknown(&name)) };
    let before = record.fields.clone();
    let mut values = sent.credential_values;
    // What was shown masked and comes back masked was not changed.
    values.retain(|_, value| value != MASK);
    for gone in values.iter().filter(|(_, value)| value.is_null()) {
        record.fields.credential_values.remove(gone.0);
    }
    values.retain(|_, value| !value.is_null());
    seal(&operator)?.seal_all(&mut values).map_err(unsealed)?;
    record.fields.credential_values.extend(values);
    record.fields.credential_info.extend(sent.credential_info);
    record.fields.display_name = sent.display_name.or(record.fields.display_name);
    edit.change("updated", &before, &mut record).await?;
    finish(&operator, edit).await?;
    Ok(Json(json!({"success": true, "message": "Credential updated successfully"})))
}

/// Deletes a credential. Deployments that use it cannot be called until they have another.
#[utoipa::path(delete, path = "/credentials/{credential_name}", operation_id = "credential_delete", tag = "credentials",
    params(("credential_name" = String, Path, description = "Its name")),
    responses((status = 200, description = "It is gone"), (status = 404, description = "There is none")))]
pub(crate) async fn delete(operator: Operator, Path(name): Path<String>) -> Answer {
    operator.must("DELETE", "/credentials/{credential_name}", &About::default())?;
    let mut edit = operator.begin().await?;
    if edit.remove::<CredentialFields>(&name).await?.is_none() {
        return Err(unknown(&name));
    }
    finish(&operator, edit).await?;
    Ok(Json(json!({"success": true, "message": "Credential deleted successfully"})))
}

/// What stands in the place of a value.
const MASK: &str = "*****";

fn row(record: &Record<CredentialFields>) -> Value {
    let values: Object =
        record.fields.credential_values.keys().map(|name| (name.clone(), MASK.into())).collect();
    json!({
        "credential_name": record.id,
        "credential_values": values,
        "credential_info": record.fields.credential_info,
        "display_name": record.fields.display_name,
    })
}

/// The secrets of a deployment of the database, and where they are good for.
async fn of_model(operator: &Operator, edit: &mut Edit, id: &str) -> Result<Object, Refused> {
    let Some(mut record) = edit.get::<ModelFields>(id).await? else {
        return Err(bad("model_id", format!("Model with id={id} not found in db")));
    };
    let params = &mut record.fields.litellm_params;
    seal(operator)?.open_fields(params).map_err(unsealed)?;
    params.retain(|name, _| {
        let name: &str = name;
        store::seal::is_secret(name) || matches!(name, "api_base" | "api_version" | "base_url")
    });
    Ok(std::mem::take(params))
}

fn unknown(name: &str) -> Refused {
    missing("credential_name", format!("Credential not found. Got credential name: {name}"))
}
