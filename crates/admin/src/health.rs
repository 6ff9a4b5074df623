//! Is the process alive, is it ready, and do its deployments answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use gateway::deployment::Deployment;
use gateway::life::Gateway;
use gateway::probe;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::access::Known;

/// Probes in flight at once.
const PARALLEL: usize = 16;

/// Which deployments to probe; all when empty.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Which {
    /// A public model name.
    model: Option<String>,
    /// A deployment id.
    model_id: Option<String>,
}

/// Makes one small real call to every deployment and reports which answer.
#[utoipa::path(get, path = "/health", tag = "health", params(Which),
    responses((status = 200, description = "Which deployments answer"), (status = 401, description = "No valid key")))]
pub(crate) async fn deployments(
    _: Known,
    State(gateway): State<Gateway>,
    Query(which): Query<Which>,
) -> Json<Value> {
    let snapshot = gateway.live.snapshot();
    let wanted: Vec<Arc<Deployment>> = snapshot
        .groups()
        .flat_map(|group| &group.deployments)
        .filter(|deployment| which.model.as_ref().is_none_or(|model| *model == deployment.group))
        .filter(|deployment| which.model_id.as_ref().is_none_or(|id| *id == deployment.id))
        .map(Arc::clone)
        .collect();
    let (mut healthy, mut unhealthy) = (Vec::new(), Vec::new());
    for some in wanted.chunks(PARALLEL) {
        let probes = some.iter().map(|deployment| probe::deployment(&gateway, deployment));
        for (deployment, result) in some.iter().zip(futures_util::future::join_all(probes).await) {
            let mut row = Value::Object(deployment.settings.shown_params.clone());
            row["model_id"] = Value::from(deployment.id.clone());
            row["model_name"] = Value::from(deployment.group.clone());
            match result {
                Ok(()) => healthy.push(row),
                Err(error) => {
                    row["error"] = Value::from(error);
                    unhealthy.push(row);
                }
            }
        }
    }
    Json(json!({
        "healthy_count": healthy.len(), "unhealthy_count": unhealthy.len(),
        "healthy_endpoints": healthy, "unhealthy_endpoints": unhealthy,
    }))
}

/// Whether the process runs. For liveness probes; needs no key.
#[utoipa::path(get, path = "/health/liveliness", tag = "health",
    responses((status = 200, description = "It runs"), (status = 503, description = "It is shutting down")))]
pub(crate) async fn liveliness(State(gateway): State<Gateway>) -> (StatusCode, Json<Value>) {
    alive(&gateway)
}

/// The same as `/health/liveliness`.
#[utoipa::path(get, path = "/health/liveness", tag = "health",
    responses((status = 200, description = "It runs"), (status = 503, description = "It is shutting down")))]
pub(crate) async fn liveness(State(gateway): State<Gateway>) -> (StatusCode, Json<Value>) {
    alive(&gateway)
}

fn alive(gateway: &Gateway) -> (StatusCode, Json<Value>) {
    if gateway.live.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "shutting_down"})));
    }
    (StatusCode::OK, Json(json!("I'm alive!")))
}

/// Whether calls are taken. For readiness probes; needs no key.
#[utoipa::path(get, path = "/health/readiness", tag = "health",
    responses((status = 200, description = "Calls are taken"), (status = 503, description = "It is shutting down")))]
pub(crate) async fn readiness(State(gateway): State<Gateway>) -> (StatusCode, Json<Value>) {
    let (status, word) = match gateway.live.is_draining() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "shutting_down"),
        false => (StatusCode::OK, health(&gateway)),
    };
    (status, Json(json!({"status": word, "db": database(&gateway)})))
}

/// A gateway whose database is away still takes calls: it is degraded, not out.
fn health(gateway: &Gateway) -> &'static str {
    match gateway.live.books() {
        Some(books) if !books.troubles().is_empty() => "degraded",
        Some(_) | None => "healthy",
    }
}

fn database(gateway: &Gateway) -> &'static str {
    if gateway.live.db().is_some() { "connected" } else { "Not connected" }
}

/// Readiness with figures.
#[utoipa::path(get, path = "/health/readiness/details", tag = "health",
    responses((status = 200, description = "State of the process"), (status = 401, description = "No valid key")))]
pub(crate) async fn readiness_details(_: Known, State(gateway): State<Gateway>) -> Json<Value> {
    let live = &gateway.live;
    let snapshot = live.snapshot();
    Json(json!({
        "status": if live.is_draining() { "shutting_down" } else { health(&gateway) },
        "db": database(&gateway),
        "troubles": live.books().map(|books| books.troubles()).unwrap_or_default(),
        "keys": live.books().map(|books| books.directory.keys()),
        "cache": null,
        "litellm_version": env!("CARGO_PKG_VERSION"),
        "success_callbacks": [],
        "in_flight_requests": live.in_flight(),
        "served_requests": live.served(),
        "uptime_seconds": live.uptime_seconds(),
        "model_groups": snapshot.groups().count(),
        "catalog_models": snapshot.catalog().len(),
    }))
}
