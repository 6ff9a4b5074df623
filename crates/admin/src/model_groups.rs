//! Model groups as a whole: what each can do and costs, and the access groups that deployments of the database name.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use gateway::deployment::Deployment;
use gateway::life::Gateway;
use gateway::snapshot::Group;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::entity::{Filter, ModelFields, Record};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Known, Refused, Sent};
use crate::operator::{Answer, Edit, Operator, bad, missing};
use crate::stored_models::{changeable, finish};

/// Which groups to show; all when empty.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Which {
    /// A public name.
    model_group: Option<String>,
}

/// Models that share an access group.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Members {
    /// Its name; where the path does not say it.
    access_group: Option<String>,
    /// Public names: all deployments of the database behind them.
    #[serde(default)]
    model_names: Vec<String>,
    /// Deployments.
    #[serde(default)]
    model_ids: Vec<String>,
}

/// One row a public name: providers, limits, prices and abilities.
#[utoipa::path(get, path = "/model_group/info", operation_id = "model_group_info", tag = "models", params(Which),
    responses((status = 200, description = "One row a model group"), (status = 401, description = "No valid key")))]
pub(crate) async fn info(
    _: Known,
    State(gateway): State<Gateway>,
    Query(which): Query<Which>,
) -> Json<Value> {
    let snapshot = gateway.live.snapshot();
    let wanted = |group: &&Arc<Group>| which.model_group.as_ref().is_none_or(|name| *name == group.name);
    let data: Vec<Value> = snapshot.groups().filter(wanted).map(|group| row(group)).collect();
    Json(json!({"data": data}))
}

fn row(group: &Group) -> Value {
    let deployments = &group.deployments;
    let mut providers: Vec<&str> = deployments.iter().map(|deployment| deployment.provider.name).collect();
    providers.sort_unstable();
    providers.dedup();
    let most = |name: &'static str| {
        let amount = |value: &&Value| value.as_f64().unwrap_or_default();
        let numbers = facts(deployments, name).filter(|value| value.is_number());
        numbers.max_by(|one, other| amount(one).total_cmp(&amount(other)))
    };
    let total = |of: fn(&gateway::settings::DeploymentSettings) -> Option<u64>| {
        deployments.iter().filter_map(|deployment| of(&deployment.settings)).reduce(u64::saturating_add)
    };
    let mut row = Map::new();
    row.insert("model_group".to_owned(), group.name.clone().into());
    row.insert("providers".to_owned(), json!(providers));
    for name in [
        "max_input_tokens",
        "max_output_tokens",
        "input_cost_per_token",
        "output_cost_per_token",
        "input_cost_per_pixel",
    ] {
        row.insert(name.to_owned(), json!(most(name)));
    }
    row.insert("mode".to_owned(), json!(deployments.first().and_then(|deployment| deployment.mode())));
    row.insert("tpm".to_owned(), json!(total(|settings| settings.tpm)));
    row.insert("rpm".to_owned(), json!(total(|settings| settings.rpm)));
    for name in [
        "supports_parallel_function_calling",
        "supports_vision",
        "supports_web_search",
        "supports_url_context",
        "supports_reasoning",
        "supports_function_calling",
    ] {
        row.insert(name.to_owned(), facts(deployments, name).any(|value| *value == Value::Bool(true)).into());
    }
    row.insert(
        "supported_openai_params".to_owned(),
        json!(facts(deployments, "supported_openai_params").next()),
    );
    row.insert("configurable_clientside_auth_params".to_owned(), Value::Null);
    row.insert("is_public_model_group".to_owned(), false.into());
    Value::Object(row)
}

/// What is known of each deployment under a name, as it is configured, else as the catalog has it.
fn facts<'a>(deployments: &'a [Arc<Deployment>], name: &'a str) -> impl Iterator<Item = &'a Value> {
    deployments.iter().filter_map(move |deployment| {
        let settings = &deployment.settings;
        let configured = settings.prices.get(name).or_else(|| settings.model_info.get(name));
        configured.or_else(|| deployment.fact(name))
    })
}

/// The access groups that deployments name.
#[utoipa::path(get, path = "/access_group/list", operation_id = "model_group_list", tag = "access groups",
    responses((status = 200, description = "Each with its models")))]
pub(crate) async fn list(operator: Operator) -> Answer {
    operator.must("GET", "/access_group/list", &About::default())?;
    let groups: Vec<Value> =
        groups(&operator).await?.into_iter().map(|(name, models)| shown(&name, &models)).collect();
    Ok(Json(json!({"access_groups": groups})))
}

/// One access group.
#[utoipa::path(get, path = "/access_group/{access_group}/info", operation_id = "model_group_one", tag = "access groups",
    params(("access_group" = String, Path, description = "Its name")),
    responses((status = 200, description = "Its models"), (status = 404, description = "No deployment names it")))]
pub(crate) async fn one(operator: Operator, Path(name): Path<String>) -> Answer {
    operator.must("GET", "/access_group/{access_group}/info", &About::default())?;
    match groups(&operator).await?.remove(&name) {
        Some(models) => Ok(Json(shown(&name, &models))),
        None => Err(unknown(&name)),
    }
}

/// Puts deployments of the database into an access group.
#[utoipa::path(post, path = "/access_group/new", operation_id = "model_group_new", tag = "access groups", request_body = Members,
    responses((status = 200, description = "The group"), (status = 409, description = "There is one of that name")))]
pub(crate) async fn new(operator: Operator, Sent(sent): Sent<Members>) -> Answer {
    operator.must("POST", "/access_group/new", &About::default())?;
    let Some(name) = sent.access_group.clone().filter(|name| !name.trim().is_empty()) else {
        return Err(bad("access_group", "access_group is missing."));
    };
    if groups(&operator).await?.contains_key(&name) {
        let message = format!("Access group '{name}' already exists");
        return Err(gateway::refusal::Refusal::new(409, message).with_param("access_group").into());
    }
    assign(&operator, &name, Some(&sent)).await
}

/// Replaces the deployments of an access group.
#[utoipa::path(put, path = "/access_group/{access_group}/update", operation_id = "model_group_update", tag = "access groups", request_body = Members,
    params(("access_group" = String, Path, description = "Its name")),
    responses((status = 200, description = "The group"), (status = 404, description = "No deployment names it")))]
pub(crate) async fn update(
    operator: Operator,
    Path(name): Path<String>,
    Sent(sent): Sent<Members>,
) -> Answer {
    operator.must("PUT", "/access_group/{access_group}/update", &About::default())?;
    if !groups(&operator).await?.contains_key(&name) {
        return Err(unknown(&name));
    }
    assign(&operator, &name, Some(&sent)).await
}

/// Takes an access group from all deployments of the database.
#[utoipa::path(delete, path = "/access_group/{access_group}/delete", operation_id = "model_group_delete", tag = "access groups",
    params(("access_group" = String, Path, description = "Its name")),
    responses((status = 200, description = "It is gone"), (status = 404, description = "No deployment names it")))]
pub(crate) async fn delete(operator: Operator, Path(name): Path<String>) -> Answer {
    operator.must("DELETE", "/access_group/{access_group}/delete", &About::default())?;
    if !groups(&operator).await?.contains_key(&name) {
        return Err(unknown(&name));
    }
    assign(&operator, &name, None).await
}

/// Makes exactly the deployments of `members` name the group.
async fn assign(operator: &Operator, name: &str, members: Option<&Members>) -> Answer {
    changeable(operator)?;
    let mut edit = operator.begin().await?;
    let records = edit.find::<ModelFields>(&Filter::default()).await?;
    let wanted = |record: &Record<ModelFields>| {
        members.is_some_and(|members| {
            members.model_ids.contains(&record.id) || members.model_names.contains(&record.fields.model_name)
        })
    };
    if let Some(members) = members {
        let known = |name: &String| {
            records.iter().any(|record| record.id == *name || record.fields.model_name == *name)
        };
        if let Some(unknown) = members.model_names.iter().chain(&members.model_ids).find(|name| !known(name))
        {
            return Err(bad(
                "model_names",
                format!(
                    "{unknown} is no model of the database; one of the file says its access_groups there."
                ),
            ));
        }
        if !records.iter().any(&wanted) {
            return Err(bad("model_names", "An access group has model_names or model_ids."));
        }
    }
    let mut changed = 0_u32;
    for mut record in records {
        let (is, shall) = (names(&record, name), wanted(&record));
        if is != shall {
            rename(&mut edit, &mut record, name, shall).await?;
            changed += 1;
        }
    }
    finish(operator, edit).await?;
    Ok(Json(json!({
        "access_group": name,
        "model_names": members.map(|members| members.model_names.clone()),
        "models_updated": changed,
    })))
}

async fn rename(
    edit: &mut Edit,
    record: &mut Record<ModelFields>,
    name: &str,
    shall: bool,
) -> Result<(), Refused> {
    let before = record.fields.clone();
    let mut list: Vec<Value> = access_groups(record).filter(|known| *known != name).map(Into::into).collect();
    if shall {
        list.push(name.into());
    }
    record.fields.model_info.insert("access_groups".to_owned(), list.into());
    edit.change("updated", &before, record).await
}

fn access_groups(record: &Record<ModelFields>) -> impl Iterator<Item = &str> {
    let list = record.fields.model_info.get("access_groups").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

fn names(record: &Record<ModelFields>, name: &str) -> bool {
    access_groups(record).any(|known| known == name)
}

/// Groups with the public names of the file's and the database's models in them.
async fn groups(operator: &Operator) -> Result<BTreeMap<String, Vec<String>>, Refused> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for group in operator.gateway.live.snapshot().groups() {
        for name in &group.access_groups {
            all.entry(name.clone()).or_default().push(group.name.clone());
        }
    }
    for record in operator.db.find::<ModelFields>(&Filter::default()).await? {
        for name in access_groups(&record) {
            let models = all.entry(name.to_owned()).or_default();
            if !models.contains(&record.fields.model_name) {
                models.push(record.fields.model_name.clone());
            }
        }
    }
    Ok(all)
}

fn shown(name: &str, models: &[String]) -> Value {
    json!({"access_group": name, "model_names": models, "deployment_count": models.len()})
}

fn unknown(name: &str) -> Refused {
    missing("access_group", format!("Access group '{name}' not found"))
}
