//! What a call would cost, and what one has cost, by the prices that are in force.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use gateway::count;
use gateway::deployment::Deployment;
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use policy::money::Cost;
use policy::roles::Object;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use wire::codecs::{self, Spoken};
use wire::format::{Format, Operation};
use wire::reply::Usage;

use super::Answer;
use crate::access::{Known, Refused, Sent};

/// A prompt, or a reply.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Priced {
    /// A public model name, or one of the price book.
    model: Option<String>,
    /// A conversation in OpenAI's shape.
    messages: Option<Value>,
    /// A reply in OpenAI's shape, with its usage.
    completion_response: Option<Value>,
}

/// What a prompt or a reply costs. A model without a price is refused rather than called free.
#[utoipa::path(post, path = "/spend/calculate", operation_id = "spend_estimate_calculate", tag = "spend", request_body = Priced,
    responses((status = 200, description = "The cost in USD"), (status = 400, description = "Nothing to price, or no price")))]
pub(crate) async fn calculate(
    who: Known,
    State(gateway): State<Gateway>,
    Sent(asked): Sent<Priced>,
) -> Answer {
    who.must("POST", "/spend/calculate", &Object::default())?;
    let (model, usage) = match (&asked.completion_response, &asked.messages) {
        (Some(reply), _) => {
            let told = reply.get("model").and_then(Value::as_str);
            (asked.model.as_deref().or(told), used(reply)?)
        }
        (None, Some(messages)) => {
            let model = asked.model.as_deref();
            let body = json!({"model": model.unwrap_or_default(), "messages": messages});
            let spoken = Spoken { format: Format::OpenAiChat, model: "", stream: false, events: true };
            let inbound = codecs::decode(spoken, body.to_string().as_bytes())
                .map_err(|error| Refused(Refusal::untranslatable("/spend/calculate", &error)))?;
            (model, Usage { input: count::estimate(inbound.request).await, ..Usage::default() })
        }
        (None, None) => {
            let problem =
                "Bad Request - Either 'completion_response' or 'model' and 'messages' must be provided";
            return Err(Refusal::new(400, problem).with_param("messages").into());
        }
    };
    let Some(model) = model else {
        return Err(Refusal::new(400, "model is missing").with_param("model").into());
    };
    let deployment = deployment(&gateway, model)?;
    Ok(Json(json!({"cost": price(&deployment, model, &usage)?.as_f64()})))
}

/// A call that is planned.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Planned {
    /// A public model name, or one of the price book.
    model: String,
    /// Tokens of the prompt, cached ones among them.
    input_tokens: u64,
    /// Tokens of the answer.
    output_tokens: u64,
    /// Those of the prompt that are read from the provider's cache.
    #[serde(default)]
    cache_read_input_tokens: u64,
    /// Those of the prompt that are written to it.
    #[serde(default)]
    cache_creation_input_tokens: u64,
    /// Those of the answer that are thought.
    #[serde(default)]
    reasoning_tokens: u64,
    /// For `daily_cost`.
    num_requests_per_day: Option<u64>,
    /// For `monthly_cost`.
    num_requests_per_month: Option<u64>,
}

/// What a planned call would cost, once, a day and a month.
#[utoipa::path(post, path = "/cost/estimate", operation_id = "spend_estimate_estimate", tag = "spend", request_body = Planned,
    responses((status = 200, description = "Costs in USD"), (status = 400, description = "No price is known")))]
pub(crate) async fn estimate(
    who: Known,
    State(gateway): State<Gateway>,
    Sent(asked): Sent<Planned>,
) -> Answer {
    who.must("POST", "/cost/estimate", &Object::default())?;
    let usage = Usage {
        input: asked.input_tokens,
        output: asked.output_tokens,
        cache_read: asked.cache_read_input_tokens,
        cache_write: asked.cache_creation_input_tokens,
        reasoning: asked.reasoning_tokens,
        ..Usage::default()
    };
    let deployment = deployment(&gateway, &asked.model)?;
    let whole = price(&deployment, &asked.model, &usage)?;
    let input = price(&deployment, &asked.model, &Usage { output: 0, reasoning: 0, ..usage })?;
    let times = |count: Option<u64>| count.map(|count| whole.as_f64() * count as f64);
    let rate = |name| deployment.fact(name).cloned().unwrap_or_default();
    Ok(Json(json!({
        "model": asked.model,
        "provider": deployment.provider.name,
        "input_tokens": asked.input_tokens,
        "output_tokens": asked.output_tokens,
        "cost_per_request": whole.as_f64(),
        "input_cost_per_request": input.as_f64(),
        "output_cost_per_request": whole.saturating_sub(input).as_f64(),
        "margin_cost_per_request": 0.0,
        "daily_cost": times(asked.num_requests_per_day),
        "monthly_cost": times(asked.num_requests_per_month),
        "input_cost_per_token": rate("input_cost_per_token"),
        "output_cost_per_token": rate("output_cost_per_token"),
        "cache_read_input_token_cost": rate("cache_read_input_token_cost"),
        "cache_creation_input_token_cost": rate("cache_creation_input_token_cost"),
    })))
}

/// The deployment that a public name stands for, else one that the price book knows.
fn deployment(gateway: &Gateway, model: &str) -> Result<Arc<Deployment>, Refused> {
    let snapshot = gateway.live.snapshot();
    if let Some(first) = snapshot.group(model).and_then(|group| group.deployments.first().cloned()) {
        return Ok(first);
    }
    snapshot
        .unconfigured(model)
        .map(Arc::new)
        .map_err(|problem| Refused(Refusal::new(400, format!("model: {problem}")).with_param("model")))
}

fn price(deployment: &Deployment, model: &str, usage: &Usage) -> Result<Cost, Refused> {
    let operation = match deployment.mode() {
        Some("embedding") => Operation::Embedding,
        Some("rerank") => Operation::Rerank,
        Some("completion") => Operation::Completion,
        _ => Operation::Chat,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    deployment.cost(operation, usage, Duration::ZERO, now).ok_or_else(|| {
        let message = format!("No price is known for {model}. Set input_cost_per_token in its model_info.");
        Refused(Refusal::new(400, message).with_param("model"))
    })
}

fn used(reply: &Value) -> Result<Usage, Refused> {
    let usage = reply.get("usage").filter(|usage| usage.is_object()).ok_or_else(|| {
        Refused(Refusal::new(400, "completion_response has no usage").with_param("completion_response.usage"))
    })?;
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    Ok(Usage {
        input: count("/prompt_tokens"),
        output: count("/completion_tokens"),
        cache_read: count("/prompt_tokens_details/cached_tokens").max(count("/cache_read_input_tokens")),
        cache_write: count("/cache_creation_input_tokens"),
        reasoning: count("/completion_tokens_details/reasoning_tokens"),
        audio_input: count("/prompt_tokens_details/audio_tokens"),
        audio_output: count("/completion_tokens_details/audio_tokens"),
        ..Usage::default()
    })
}
