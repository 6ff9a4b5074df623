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
    access_groups, budgets, credentials, customers, docs, health, invitations, keys, login, model_groups,
    model_info, models, organizations, projects, providers, settings, spend, stored_models, tags, teams,
    users, utils,
};

/// The management routes and the description of the whole API.
pub fn router(gateway: Gateway) -> Router {
    let router = spend(run_time(accounts(people(keys(OpenApiRouter::with_openapi(docs::frame()))))));
    let (router, mut openapi) = router
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

/// Virtual keys.
fn keys(router: OpenApiRouter<Gateway>) -> OpenApiRouter<Gateway> {
    router
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
}

/// Users and teams.
fn people(router: OpenApiRouter<Gateway>) -> OpenApiRouter<Gateway> {
    router
        // users
        .routes(routes!(users::new::user_new))
        .routes(routes!(users::change::user_update))
        .routes(routes!(users::change::user_bulk_update))
        .routes(routes!(users::gone::user_delete))
        .routes(routes!(users::list::user_info))
        .routes(routes!(users::list::user_info_v2))
        .routes(routes!(users::list::user_list))
        .routes(routes!(users::list::user_available_roles))
        .routes(routes!(users::list::user_available_users))
        .routes(routes!(users::list::user_filter_ui))
        // teams
        .routes(routes!(teams::new::team_new))
        .routes(routes!(teams::change::team_update))
        .routes(routes!(teams::change::team_patch))
        .routes(routes!(teams::change::team_block))
        .routes(routes!(teams::change::team_unblock))
        .routes(routes!(teams::change::team_delete))
        .routes(routes!(teams::list::team_info))
        .routes(routes!(teams::list::team_list))
        .routes(routes!(teams::list::team_list_v2))
        .routes(routes!(teams::list::team_available))
        .routes(routes!(teams::list::team_filter_ui))
        .routes(routes!(teams::members::team_member_add))
        .routes(routes!(teams::members::team_bulk_member_add))
        .routes(routes!(teams::members::team_member_update))
        .routes(routes!(teams::members::team_member_delete))
        .routes(routes!(teams::members::team_members_me))
        .routes(routes!(teams::members::team_member_reset_spend))
        .routes(routes!(teams::switches::team_model_add))
        .routes(routes!(teams::switches::team_model_delete))
        .routes(routes!(teams::switches::team_permissions_list))
        .routes(routes!(teams::switches::team_permissions_update))
        .routes(routes!(teams::switches::team_permissions_bulk_update))
        .routes(routes!(teams::callbacks::team_callback_add))
        .routes(routes!(teams::callbacks::team_callback_list))
        .routes(routes!(teams::callbacks::team_callback_delete))
        .routes(routes!(teams::callbacks::team_disable_logging))
}

/// What is above and beside them.
fn accounts(router: OpenApiRouter<Gateway>) -> OpenApiRouter<Gateway> {
    router
        // organizations
        .routes(routes!(organizations::organization_new))
        .routes(routes!(organizations::organization_update))
        .routes(routes!(organizations::organization_patch))
        .routes(routes!(organizations::organization_delete))
        .routes(routes!(organizations::organization_list))
        .routes(routes!(organizations::organization_info))
        .routes(routes!(organizations::organization_info_many))
        .routes(routes!(organizations::members::organization_member_add))
        .routes(routes!(organizations::members::organization_member_update))
        .routes(routes!(organizations::members::organization_member_delete))
        // projects
        .routes(routes!(projects::project_new))
        .routes(routes!(projects::project_update))
        .routes(routes!(projects::project_delete))
        .routes(routes!(projects::project_info))
        .routes(routes!(projects::project_list))
        // customers
        .routes(routes!(customers::customer_new))
        .routes(routes!(customers::customer_update))
        .routes(routes!(customers::customer_info))
        .routes(routes!(customers::customer_list))
        .routes(routes!(customers::customer_delete))
        .routes(routes!(customers::customer_block))
        .routes(routes!(customers::customer_unblock))
        .routes(routes!(customers::end_users::end_user_new))
        .routes(routes!(customers::end_users::end_user_update))
        .routes(routes!(customers::end_users::end_user_info))
        .routes(routes!(customers::end_users::end_user_list))
        .routes(routes!(customers::end_users::end_user_delete))
        .routes(routes!(customers::end_users::end_user_block))
        .routes(routes!(customers::end_users::end_user_unblock))
        // budgets
        .routes(routes!(budgets::budget_new))
        .routes(routes!(budgets::budget_update))
        .routes(routes!(budgets::budget_info))
        .routes(routes!(budgets::budget_list))
        .routes(routes!(budgets::budget_settings))
        .routes(routes!(budgets::budget_delete))
        // tags
        .routes(routes!(tags::tag_new))
        .routes(routes!(tags::tag_update))
        .routes(routes!(tags::tag_info))
        .routes(routes!(tags::tag_list))
        .routes(routes!(tags::tag_delete))
}

/// What is changed while the gateway serves, and who logs in to change it.
fn run_time(router: OpenApiRouter<Gateway>) -> OpenApiRouter<Gateway> {
    router
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

/// What calls cost: logs, sums and reports.
fn spend(router: OpenApiRouter<Gateway>) -> OpenApiRouter<Gateway> {
    router
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
}
