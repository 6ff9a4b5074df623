//! A row of the log in LiteLLM's shape.

use serde_json::{Map, Value, json};
use store::spend::log::SpendLog;
use store::spend::transcript::Transcript;

use super::day;

/// The row; what was said is empty unless it is given.
pub(crate) fn shown(log: &SpendLog, said: Option<Transcript>) -> Value {
    let said = said.unwrap_or_else(|| {
        let empty = || Value::Object(Map::new());
        Transcript { messages: empty(), response: empty(), request: empty() }
    });
    let cache_hit = match log.cache_hit {
        None => "None",
        Some(true) => "True",
        Some(false) => "False",
    };
    json!({
        "request_id": log.response_id.as_ref().unwrap_or(&log.request_id),
        "litellm_call_id": log.request_id,
        "call_type": log.call_type,
        "api_key": log.api_key,
        "spend": log.spend.as_f64(),
        "total_tokens": log.input_tokens + log.output_tokens,
        "prompt_tokens": log.input_tokens,
        "completion_tokens": log.output_tokens,
        "startTime": day::shown(log.started_at),
        "endTime": day::shown(log.ended_at),
        "completionStartTime": day::shown(log.first_token_at.unwrap_or(log.ended_at)),
        "request_duration_ms": log.ended_at - log.started_at,
        "model": log.model,
        "model_id": log.model_id,
        "model_group": log.model_group,
        "custom_llm_provider": log.provider,
        "api_base": log.api_base.as_deref().unwrap_or_default(),
        "user": log.user_id.as_deref().unwrap_or_default(),
        "metadata": metadata(log),
        "cache_hit": cache_hit,
        "cache_key": "Cache OFF",
        "request_tags": log.tags,
        "team_id": log.team_id,
        "organization_id": log.organization_id,
        "end_user": log.end_user.as_deref().unwrap_or_default(),
        "agent_id": null,
        "requester_ip_address": log.requester_ip,
        "messages": said.messages,
        "response": said.response,
        "proxy_server_request": said.request,
        "session_id": log.session_id.as_ref().unwrap_or(&log.request_id),
        "status": status(log),
        "mcp_namespaced_tool_name": null,
    })
}

const fn status(log: &SpendLog) -> &'static str {
    if log.failed { "failure" } else { "success" }
}

fn metadata(log: &SpendLog) -> Value {
    let error = log.failed.then(|| {
        json!({
            "error_code": if log.status_code == 0 { Value::Null } else { log.status_code.to_string().into() },
            "error_class": log.error_class,
            "error_message": log.error_message,
            "llm_provider": log.provider,
            "traceback": null,
        })
    });
    json!({
        "user_api_key": log.api_key,
        "user_api_key_alias": log.key_alias,
        "user_api_key_user_id": log.user_id,
        "user_api_key_team_id": log.team_id,
        "user_api_key_org_id": log.organization_id,
        "user_api_key_project_id": log.project_id,
        "requester_ip_address": log.requester_ip,
        "status": status(log),
        "error_information": error,
        "attempted_retries": log.retries,
        "usage_object": usage(log),
        "pricing": log.pricing,
        "ending": log.ending,
        "stream": log.stream,
    })
}

fn usage(log: &SpendLog) -> Value {
    let mut usage = Map::new();
    let counts = [
        ("prompt_tokens", log.input_tokens),
        ("completion_tokens", log.output_tokens),
        ("total_tokens", log.input_tokens + log.output_tokens),
        ("cache_read_input_tokens", log.cache_read_tokens),
        ("cache_creation_input_tokens", log.cache_write_tokens),
    ];
    usage.extend(counts.map(|(name, count)| (name.to_owned(), count.into())));
    usage.extend(log.counts.clone());
    Value::Object(usage)
}
