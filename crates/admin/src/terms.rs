//! Limits as operators send them: read, judged, and held against what the giver has of their own.

use gateway::directory::Identity;
use gateway::life::Gateway;
use policy::bounds::{BoundsError, Grant, within};
use policy::period::{Calendar, Period};
use serde_json::Value;
use store::entity::{Limits, Object};

use crate::access::Refused;
use crate::operator::{bad, forbidden};

/// The longest id; longer ones are nobody's idea of a name.
const LONGEST_ID: usize = 255;

/// Members that LiteLLM keeps in metadata though they are sent beside it.
const IN_METADATA: [&str; 23] = [
    "tags",
    "guardrails",
    "policies",
    "prompts",
    "logging",
    "disable_global_guardrails",
    "opted_out_global_guardrails",
    "require_trace_id",
    "secret_manager_settings",
    "mcp_rpm_limit",
    "tag_rpm_limit",
    "rpm_limit_type",
    "tpm_limit_type",
    "default_estimated_output_tokens",
    "default_estimated_output_tokens_per_model",
    "allowed_passthrough_routes",
    "denied_passthrough_routes",
    "allowed_vector_store_indexes",
    "enforced_params",
    "enable_prompt_caching",
    "soft_budget_alerting_emails",
    "max_budget_alert_emails",
    "model_info_visibility",
];

/// Fields that are shown in metadata too, and may be sent there.
const SHOWN_IN_METADATA: [&str; 3] = ["model_rpm_limit", "model_tpm_limit", "team_member_budget_id"];

/// Switches in metadata that let calls do more; only proxy admins and admins of organizations turn them.
const LOOSENING: [&str; 7] = [
    "disable_global_guardrails",
    "opted_out_global_guardrails",
    "allow_client_mock_response",
    "allow_client_message_redaction_opt_out",
    "allow_client_pricing_override",
    "litellm_disabled_callbacks",
    "priority",
];

/// Lists in metadata that hold for calls; from these, others may only take nothing away.
const TIGHTENING: [&str; 2] = ["guardrails", "policies"];

/// The first member of metadata by whose change calls may do more.
pub(crate) fn loosened(before: &Object, after: &Object) -> Option<&'static str> {
    let entries = |object: &Object, name: &str| -> Vec<Value> {
        object.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let turned = |name: &&&str| before.get(**name) != after.get(**name);
    let shortened = |name: &&&str| {
        let kept = entries(after, name);
        entries(before, name).iter().any(|entry| !kept.contains(entry))
    };
    let found = LOOSENING.iter().find(turned).or_else(|| TIGHTENING.iter().find(shortened));
    found.copied()
}

/// Brings what was sent into the form in which it is kept: switches into `metadata`, times into milliseconds.
pub(crate) fn settle(changes: &mut Object, current: &Object) -> Result<(), Refused> {
    if let Some(Value::String(text)) = changes.get("temp_budget_expiry") {
        let expiry = instant("temp_budget_expiry", text)?;
        changes.insert("temp_budget_expiry".to_owned(), expiry.into());
    }
    let switches: Vec<(String, Value)> =
        IN_METADATA.iter().filter_map(|name| changes.remove_entry(*name)).collect();
    if let Some(metadata) = changes.get_mut("metadata") {
        crate::secrets::unmask(metadata, &Value::Object(current.clone()));
        let copies: Vec<(String, Value)> = match metadata {
            Value::Object(metadata) => {
                SHOWN_IN_METADATA.iter().filter_map(|name| metadata.remove_entry(*name)).collect()
            }
            _ => Vec::new(),
        };
        for (name, value) in copies {
            changes.entry(name).or_insert(value);
        }
    }
    if switches.is_empty() {
        return Ok(());
    }
    let mut metadata = match changes.remove("metadata") {
        Some(Value::Object(metadata)) => metadata,
        Some(Value::Null) => Object::new(),
        None => current.clone(),
        Some(_) => return Err(bad("metadata", "metadata: must be an object")),
    };
    for (name, value) in switches {
        match value {
            Value::Null => drop(metadata.remove(&name)),
            value => drop(metadata.insert(name, value)),
        }
    }
    changes.insert("metadata".to_owned(), metadata.into());
    Ok(())
}

/// Goes on only with limits that can be kept.
pub(crate) fn check(limits: &Limits) -> Result<(), Refused> {
    period("budget_duration", limits.budget_duration.as_deref())?;
    for window in &limits.budget_limits {
        period("budget_limits", Some(&window.budget_duration))?;
    }
    for budget in limits.model_max_budget.values() {
        period("model_max_budget", budget.budget_duration.as_deref())?;
    }
    match (limits.soft_budget, limits.max_budget) {
        (Some(soft), Some(most)) if soft >= most => Err(bad(
            "soft_budget",
            format!("soft_budget ({soft}) must be strictly lower than max_budget ({most})"),
        )),
        _ => Ok(()),
    }
}

fn period(field: &str, text: Option<&str>) -> Result<Option<Period>, Refused> {
    let Some(text) = text else { return Ok(None) };
    Period::parse(text).map(Some).map_err(|error| bad(field, format!("{field}: {text:?} {error}")))
}

/// When the budget period that begins now ends, in milliseconds of Unix time; `None` for a budget for ever.
pub(crate) fn reset_at(gateway: &Gateway, limits: &Limits, now_ms: i64) -> Result<Option<i64>, Refused> {
    let Some(period) = period("budget_duration", limits.budget_duration.as_deref())? else { return Ok(None) };
    let reset = calendar(gateway).next_reset(period, now_ms.unsigned_abs());
    Ok(Some(i64::try_from(reset).unwrap_or(i64::MAX)))
}

/// When budgets begin anew.
fn calendar(gateway: &Gateway) -> Calendar {
    gateway.live.snapshot().general.calendar.clone()
}

/// An instant in ISO 8601, in milliseconds of Unix time.
pub(crate) fn instant(field: &str, text: &str) -> Result<i64, Refused> {
    let stamp = text.parse::<jiff::Timestamp>().ok();
    // LiteLLM's clients also write times without a zone and mean UTC.
    let civil = || jiff::tz::Offset::UTC.to_timestamp(text.parse().ok()?).ok();
    stamp
        .or_else(civil)
        .map(jiff::Timestamp::as_millisecond)
        .ok_or_else(|| bad(field, format!("{field}: {text:?} is not a time in ISO 8601")))
}

/// Goes on only with an id that can be shown and kept.
pub(crate) fn check_name(field: &str, id: &str) -> Result<(), Refused> {
    if id.is_empty() || id.len() > LONGEST_ID || id.chars().any(char::is_control) {
        return Err(bad(
            field,
            format!("{field}: must have 1 to {LONGEST_ID} bytes and no control character"),
        ));
    }
    Ok(())
}

/// The same for ids of which the first part of the id of a membership is made.
pub(crate) fn check_id(field: &str, id: &str) -> Result<(), Refused> {
    check_name(field, id)?;
    if id.contains('/') { Err(bad(field, format!("{field}: must not hold a slash"))) } else { Ok(()) }
}

/// What is granted.
pub(crate) fn grant<'a>(models: &'a [String], limits: &Limits) -> Grant<'a> {
    Grant {
        models,
        max_budget: limits.max_budget,
        requests_per_minute: limits.rpm_limit,
        tokens_per_minute: limits.tpm_limit,
        parallel: limits.max_parallel_requests,
        ..Grant::default()
    }
}

/// What somebody has of their own.
pub(crate) fn own(identity: &Identity) -> Grant<'_> {
    Grant {
        models: &identity.models,
        max_budget: identity.terms.budgets.iter().filter_map(|budget| budget.limit).min(),
        requests_per_minute: identity.terms.requests_per_minute,
        tokens_per_minute: identity.terms.tokens_per_minute,
        parallel: identity.terms.parallel,
        ..Grant::default()
    }
}

/// Fills what was not asked for with the most that may be granted.
pub(crate) fn fill(models: &mut Vec<String>, limits: &mut Limits, most: &Grant<'_>) {
    if models.is_empty() {
        *models = most.models.to_vec();
    }
    limits.max_budget = limits.max_budget.or(most.max_budget);
    limits.rpm_limit = limits.rpm_limit.or(most.requests_per_minute);
    limits.tpm_limit = limits.tpm_limit.or(most.tokens_per_minute);
    limits.max_parallel_requests = limits.max_parallel_requests.or(most.parallel);
}

/// Goes on only if `granted` is within `most`; `whose` says whose that is.
pub(crate) fn bounded(granted: &Grant<'_>, most: &Grant<'_>, whose: &str) -> Result<(), Refused> {
    within(granted, most).map_err(|error| {
        let field = match &error {
            BoundsError::Limit { field, .. } | BoundsError::Entry { field, .. } => field,
            BoundsError::Guardrails => "disable_global_guardrails",
        };
        bad(field, format!("{error} by {whose}"))
    })
}

/// The same for what only those with more may do at all.
pub(crate) fn permitted(granted: &Grant<'_>, most: &Grant<'_>, whose: &str) -> Result<(), Refused> {
    within(granted, most).map_err(|error| forbidden("request_body", format!("{error} by {whose}")))
}

#[cfg(test)]
#[path = "terms_tests.rs"]
mod tests;
