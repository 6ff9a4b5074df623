//! Every route that does not call a model, grouped by who asks.

use axum::Router;
use axum::extract::OriginalUri;
use axum::response::{IntoResponse, Response};
use gateway::life::Gateway;
use http::{Method, StatusCode, header};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{docs, health, keys, model_info, models, providers, utils};

/// The management routes and the description of the whole API.
pub fn router(gateway: Gateway) -> Router {
    let (router, mut openapi) = OpenApiRouter::with_openapi(docs::frame())
        // models
        .routes(routes!(models::list))
        .routes(routes!(models::list_v1))
        .routes(routes!(models::one))
        .routes(routes!(models::one_v1))
        .routes(routes!(model_info::list))
        .routes(routes!(model_info::list_v1))
        // keys
        .routes(routes!(keys::generate))
        .routes(routes!(keys::service_account))
        .routes(routes!(keys::update))
        .routes(routes!(keys::bulk_update))
        .routes(routes!(keys::team_bulk_update))
        .routes(routes!(keys::delete))
        .routes(routes!(keys::info))
        .routes(routes!(keys::info_v2))
        .routes(routes!(keys::list))
        .routes(routes!(keys::aliases))
        .routes(routes!(keys::regenerate))
        .routes(routes!(keys::regenerate_named))
        .routes(routes!(keys::block))
        .routes(routes!(keys::unblock))
        .routes(routes!(keys::health))
        .routes(routes!(keys::reset_spend))
        // utils
        .routes(routes!(utils::token_counter))
        .routes(routes!(utils::supported_openai_params))
        .routes(routes!(utils::transform_request))
        // public
        .routes(routes!(providers::names))
        .routes(routes!(providers::fields))
        // health
        .routes(routes!(health::deployments))
        .routes(routes!(health::liveliness))
        .routes(routes!(health::liveness))
        .routes(routes!(health::readiness))
        .routes(routes!(health::readiness_details))
        .split_for_parts();
    docs::plain_parameters(&mut openapi);
    docs::add_model_routes(&mut openapi);
    router
        .merge(docs::router(&openapi))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(gateway)
}

async fn not_found(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "Not Found",
        &format!("There is no {method} {}. The routes are listed at /docs.", uri.path()),
    )
}

async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    refuse(
        StatusCode::METHOD_NOT_ALLOWED,
        "Method Not Allowed",
        &format!("{} does not take {method}. The routes are listed at /docs.", uri.path()),
    )
}

/// An answer that FastAPI's clients and OpenAI's both understand.
fn refuse(status: StatusCode, detail: &str, message: &str) -> Response {
    let body = json!({
        "detail": detail,
        "error": {
            "message": message, "type": "invalid_request_error", "param": null, "code": status.as_u16().to_string(),
        },
    });
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
