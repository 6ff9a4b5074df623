//! Every deployment with what is known about it, without secrets.

use axum::Json;
use axum::extract::{Query, State};
use gateway::deployment::Deployment;
use gateway::directory::Identity;
use gateway::life::Gateway;
use gateway::snapshot::Snapshot;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use crate::access::Known;

/// Which deployments to show; all when empty.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Which {
    /// A deployment id.
    litellm_model_id: Option<String>,
}

/// The configured deployments: their parameters without secrets, prices, limits and abilities.
#[utoipa::path(get, path = "/model/info", operation_id = "model_info", tag = "models", params(Which),
    responses((status = 200, description = "One row a deployment"), (status = 401, description = "No valid key")))]
pub(crate) async fn list(
    Known(identity): Known,
    State(gateway): State<Gateway>,
    Query(which): Query<Which>,
) -> Json<Value> {
    Json(rows(&gateway.live.snapshot(), &which, &identity))
}

/// The same as `/model/info`.
#[utoipa::path(get, path = "/v1/model/info", operation_id = "model_info_v1", tag = "models", params(Which),
    responses((status = 200, description = "One row a deployment"), (status = 401, description = "No valid key")))]
pub(crate) async fn list_v1(
    Known(identity): Known,
    State(gateway): State<Gateway>,
    Query(which): Query<Which>,
) -> Json<Value> {
    Json(rows(&gateway.live.snapshot(), &which, &identity))
}

/// Models that one team has are shown to the team, and to those who see everything.
fn rows(snapshot: &Snapshot, which: &Which, identity: &Identity) -> Value {
    let sees_all = identity.is_admin() || identity.role == "proxy_admin_viewer";
    let sees = |team: &str| {
        let is_member = identity.teams.iter().any(|seat| seat.team == team);
        sees_all || is_member || identity.key_team.as_deref() == Some(team)
    };
    let of_teams = snapshot.groups_of_teams().filter(|(team, _)| sees(team)).map(|(_, group)| group);
    let mut data: Vec<Value> = snapshot
        .groups()
        .chain(of_teams)
        .flat_map(|group| &group.deployments)
        .filter(|deployment| which.litellm_model_id.as_ref().is_none_or(|id| *id == deployment.id))
        .map(|deployment| row(deployment))
        .collect();
    if which.litellm_model_id.is_none() {
        for name in snapshot.wildcards() {
            data.extend(snapshot.wildcard_entries(name).map(|entry| {
                let mut info = entry.model_info.clone();
                info.entry("db_model").or_insert(false.into());
                json!({"model_name": name, "litellm_params": entry.shown_params, "model_info": info})
            }));
        }
    }
    json!({"data": data})
}

fn row(deployment: &Deployment) -> Value {
    let mut info = Map::new();
    info.insert("id".to_owned(), deployment.id.clone().into());
    info.insert("db_model".to_owned(), false.into());
    info.insert("key".to_owned(), deployment.model.clone().into());
    info.insert("litellm_provider".to_owned(), deployment.provider.name.into());
    for source in
        [deployment.row.as_ref(), Some(&deployment.settings.model_info), Some(&deployment.settings.prices)]
    {
        info.extend(source.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    }
    json!({
        "model_name": deployment.group,
        "litellm_params": deployment.settings.shown_params,
        "model_info": info,
    })
}
