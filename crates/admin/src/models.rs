//! The models a caller may ask for, in OpenAI's shape.

use axum::Json;
use axum::extract::{Path, Query, State};
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use gateway::snapshot::Snapshot;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use crate::access::{Known, Refused};

/// The creation time that LiteLLM gives every model.
const CREATED: u64 = 1_677_610_602;
/// The same as text.
const CREATED_AT: &str = "2023-02-28T18:56:42Z";

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// List wildcard names as they are instead of the known models they stand for.
    #[serde(default)]
    return_wildcard_routes: bool,
}

/// The models this key may ask for.
#[utoipa::path(get, path = "/v1/models", tag = "models", params(Wanted),
    responses((status = 200, description = "A list of models"), (status = 401, description = "No valid key")))]
pub(crate) async fn list_v1(
    _: Known,
    State(gateway): State<Gateway>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Json<Value> {
    let list = listing(&gateway.live.snapshot(), &wanted);
    // Anthropic's clients say so in every request, and read another shape.
    Json(if headers.contains_key("anthropic-version") { for_anthropic(&list) } else { list })
}

/// The same list in the shape of Anthropic's API.
fn for_anthropic(list: &Value) -> Value {
    let rows = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let data: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "type": "model", "id": row["id"], "display_name": row["id"], "created_at": CREATED_AT,
                "max_input_tokens": row["max_input_tokens"], "max_tokens": row["max_output_tokens"],
            })
        })
        .collect();
    let id = |row: Option<&Value>| row.map(|row| row["id"].clone());
    json!({"first_id": id(data.first()), "last_id": id(data.last()), "has_more": false, "data": data})
}

/// The same as `/v1/models`.
#[utoipa::path(get, path = "/models", tag = "models", params(Wanted),
    responses((status = 200, description = "A list of models"), (status = 401, description = "No valid key")))]
pub(crate) async fn list(
    _: Known,
    State(gateway): State<Gateway>,
    Query(wanted): Query<Wanted>,
) -> Json<Value> {
    Json(listing(&gateway.live.snapshot(), &wanted))
}

/// One model.
#[utoipa::path(get, path = "/v1/models/{*model_id}", tag = "models",
    params(("model_id" = String, Path, description = "The public name; may hold slashes")),
    responses((status = 200, description = "The model"), (status = 404, description = "Nobody has that name")))]
pub(crate) async fn one_v1(
    _: Known,
    State(gateway): State<Gateway>,
    Path(model_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    found(&gateway.live.snapshot(), &model_id)
}

/// The same as `/v1/models/{model_id}`.
#[utoipa::path(get, path = "/models/{*model_id}", tag = "models",
    params(("model_id" = String, Path, description = "The public name; may hold slashes")),
    responses((status = 200, description = "The model"), (status = 404, description = "Nobody has that name")))]
pub(crate) async fn one(
    _: Known,
    State(gateway): State<Gateway>,
    Path(model_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    found(&gateway.live.snapshot(), &model_id)
}

fn found(snapshot: &Snapshot, asked: &str) -> Result<Json<Value>, Refused> {
    if snapshot.group(asked).is_some() {
        return Ok(Json(model(snapshot, asked)));
    }
    let message = format!("The model '{asked}' does not exist. Call /v1/models to view available models.");
    Err(Refused(Refusal::new(404, message).with_param("model")))
}

fn listing(snapshot: &Snapshot, wanted: &Wanted) -> Value {
    let mut names: Vec<String> = snapshot.visible_aliases().map(str::to_owned).collect();
    names.extend(snapshot.groups().map(|group| group.name.clone()));
    for wildcard in snapshot.wildcards() {
        let stands_for =
            if wanted.return_wildcard_routes { Vec::new() } else { expanded(snapshot, wildcard) };
        if stands_for.is_empty() {
            names.push(wildcard.to_owned());
        } else {
            names.extend(stands_for);
        }
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let data: Vec<Value> = names.iter().map(|name| model(snapshot, name)).collect();
    json!({"data": data, "object": "list"})
}

/// The known models that a wildcard of one provider stands for, by the names callers would use.
fn expanded(snapshot: &Snapshot, wildcard: &str) -> Vec<String> {
    let mut names: Vec<String> = snapshot
        .wildcard_entries(wildcard)
        .filter_map(|entry| entry.model.split_once('/').filter(|(_, rest)| *rest == "*"))
        .flat_map(|(provider, _)| snapshot.catalog().models_of(provider))
        .map(|model| wildcard.replacen('*', model, 1))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn model(snapshot: &Snapshot, name: &str) -> Value {
    let mut row = Map::new();
    row.insert("id".to_owned(), name.into());
    row.insert("object".to_owned(), "model".into());
    row.insert("created".to_owned(), CREATED.into());
    row.insert("owned_by".to_owned(), "openai".into());
    let group = snapshot.known_group(name);
    let deployment = group.as_ref().and_then(|group| group.deployments.first());
    if let Some(mode) = deployment.and_then(|deployment| deployment.mode()) {
        row.insert("mode".to_owned(), mode.into());
    }
    for limit in ["max_input_tokens", "max_output_tokens"] {
        if let Some(tokens) = deployment.and_then(|deployment| deployment.fact(limit)) {
            row.insert(limit.to_owned(), tokens.clone());
        }
    }
    Value::Object(row)
}
