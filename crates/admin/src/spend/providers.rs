//! What providers have spent of their budgets.

use axum::Json;
use policy::roles::Object;
use serde_json::{Map, Value, json};

use super::{Answer, day};
use crate::access::{Known, Stored};
use crate::operator::now_ms;

/// Budgets of providers, in the periods that run now.
#[utoipa::path(get, path = "/provider/budgets", operation_id = "spend_providers_budgets", tag = "spend",
    responses((status = 200, description = "What each has spent, in USD")))]
pub(crate) async fn budgets(who: Known, Stored(db): Stored) -> Answer {
    who.must("GET", "/provider/budgets", &Object::default())?;
    let now = now_ms();
    let windows = db.budget_windows().await?;
    let running = windows.into_iter().filter(|window| window.resets_at.is_none_or(|end| end > now));
    let providers: Map<String, Value> = running
        .filter_map(|window| {
            let provider = window.account.strip_prefix("provider:")?.to_owned();
            let shown = json!({
                "budget_limit": null,
                "time_period": window.period,
                "spend": window.spent.as_f64(),
                "budget_reset_at": window.resets_at.map(day::shown),
            });
            Some((provider, shown))
        })
        .collect();
    Ok(Json(json!({"providers": providers})))
}
