//! Every route that does not call a model, grouped by who asks.

use axum::Router;
use axum::extract::OriginalUri;
use axum::response::{IntoResponse, Response};
use gateway::life::Gateway;
use http::{Method, StatusCode, header};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{
    access_groups, credentials, docs, health, invitations, login, model_groups, model_info, models,
    providers, settings, stored_models, utils,
};

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
        .routes(routes!(model_groups::info))
        .routes(routes!(stored_models::new))
        .routes(routes!(stored_models::update))
        .routes(routes!(stored_models::patch))
        .routes(routes!(stored_models::delete))
        .routes(routes!(stored_models::block))
        .routes(routes!(stored_models::unblock))
        // credentials
        .routes(routes!(credentials::new, credentials::list))
        .routes(routes!(credentials::by_name))
        .routes(routes!(credentials::by_model))
        .routes(routes!(credentials::update, credentials::delete))
        // access groups
        .routes(routes!(access_groups::new, access_groups::list))
        .routes(routes!(access_groups::one, access_groups::update, access_groups::delete))
        .routes(routes!(model_groups::list))
        .routes(routes!(model_groups::new))
        .routes(routes!(model_groups::one))
        .routes(routes!(model_groups::update))
        .routes(routes!(model_groups::delete))
        // configuration
        .routes(routes!(settings::update))
        .routes(routes!(settings::list))
        .routes(routes!(settings::info))
        .routes(routes!(settings::update_field))
        .routes(routes!(settings::delete_field))
        .routes(routes!(settings::callbacks))
        // login
        .routes(routes!(login::form))
        .routes(routes!(login::json_body))
        .routes(routes!(login::logout))
        .routes(routes!(login::ui_config))
        .routes(routes!(login::ui_config_prefixed))
        .routes(routes!(invitations::new))
        .routes(routes!(invitations::info))
        .routes(routes!(invitations::update))
        .routes(routes!(invitations::delete))
        .routes(routes!(invitations::get_token))
        .routes(routes!(invitations::claim))
        .routes(routes!(invitations::change))
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
