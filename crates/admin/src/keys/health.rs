//! Whether the caller's own key works.

use axum::Json;
use serde_json::json;

use crate::operator::{Answer, Operator};

/// The key that asks is healthy, or it could not ask.
#[utoipa::path(post, path = "/key/health", operation_id = "key_health", tag = "keys",
    responses((status = 200, description = "The key works"), (status = 401, description = "It does not")))]
pub(crate) async fn health(_: Operator) -> Answer {
    std::future::ready(Ok(Json(json!({"key": "healthy", "logging_callbacks": null})))).await
}
