//! Sets what keys and teams have spent to nothing. The log and the sums of days stay as they are.

use axum::Json;
use axum::extract::State;
use gateway::life::Gateway;
use policy::roles::Object;
use serde_json::json;
use store::entity::Kind;

use super::Answer;
use crate::access::{Known, Stored};
use crate::operator::now_ms;

/// Keys and teams begin their budget periods with nothing spent. For the holder of the master key.
#[utoipa::path(post, path = "/global/spend/reset", operation_id = "spend_reset_all", tag = "spend",
    responses((status = 200, description = "Done"), (status = 401, description = "Not the master key")))]
pub(crate) async fn all(who: Known, Stored(db): Stored, State(gateway): State<Gateway>) -> Answer {
    who.must("POST", "/global/spend/reset", &Object::default())?;
    let now = now_ms();
    let mut tx = db.begin().await?;
    for kind in [Kind::Key, Kind::Team] {
        tx.reset_spend(kind, now, who.0.actor(), who.0.key.as_deref()).await?;
    }
    tx.commit().await?;
    gateway.live.catch_up().await;
    Ok(Json(json!({
        "message": "Spend for all API Keys and Teams reset successfully",
        "status": "success",
    })))
}
