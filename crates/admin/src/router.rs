//! Every route that does not call a model, grouped by who asks.

use axum::Router;
use axum::extract::OriginalUri;
use axum::response::{IntoResponse, Response};
use gateway::life::Gateway;
use http::{Method, StatusCode, header};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{docs, health, model_info, models, providers, spend, utils};

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
        // utils
        .routes(routes!(utils::token_counter))
        .routes(routes!(utils::supported_openai_params))
        .routes(routes!(utils::transform_request))
        // public
        .routes(routes!(providers::names))
        .routes(routes!(providers::fields))
        // spend
        .routes(routes!(spend::logs::list))
        .routes(routes!(spend::logs::page))
        .routes(routes!(spend::logs::page_for_ui))
        .routes(routes!(spend::logs::session))
        .routes(routes!(spend::logs::one))
        .routes(routes!(spend::global::key_rows))
        .routes(routes!(spend::global::user_rows))
        .routes(routes!(spend::global::tags_list))
        .routes(routes!(spend::estimate::calculate))
        .routes(routes!(spend::estimate::estimate))
        .routes(routes!(spend::global::whole))
        .routes(routes!(spend::global::days))
        .routes(routes!(spend::global::keys))
        .routes(routes!(spend::global::models))
        .routes(routes!(spend::global::providers))
        .routes(routes!(spend::global::teams))
        .routes(routes!(spend::global::tags))
        .routes(routes!(spend::global::tag_names))
        .routes(routes!(spend::global::end_user_names))
        .routes(routes!(spend::global::end_users))
        .routes(routes!(spend::report::global))
        .routes(routes!(spend::report::key))
        .routes(routes!(spend::report::user))
        .routes(routes!(spend::report::team))
        .routes(routes!(spend::report::organization))
        .routes(routes!(spend::providers::budgets))
        .routes(routes!(spend::reset::all))
        .routes(routes!(spend::graphs::all))
        .routes(routes!(spend::graphs::models))
        .routes(routes!(spend::graphs::cache_hits))
        .routes(routes!(spend::graphs::exceptions))
        .routes(routes!(spend::graphs::exceptions_by_deployment))
        .routes(routes!(spend::activity::user))
        .routes(routes!(spend::activity::user_whole))
        .routes(routes!(spend::activity::team))
        .routes(routes!(spend::activity::team_whole))
        .routes(routes!(spend::activity::tag))
        .routes(routes!(spend::activity::tag_whole))
        .routes(routes!(spend::activity::organization))
        .routes(routes!(spend::activity::organization_whole))
        .routes(routes!(spend::activity::customer))
        .routes(routes!(spend::activity::customer_whole))
        .routes(routes!(spend::activity::end_user))
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
