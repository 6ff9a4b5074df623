//! What would be sent: the upstream request of a body, shown without sending it, and which of OpenAI's parameters
//! a model takes. Both ask the code that prepares real requests.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use wire::format::Format;

use crate::call::Call;
use crate::deployment::Deployment;
use crate::endpoint::Endpoint;
use crate::intake;
use crate::live::Live;
use crate::prepare::{self, Prepared};
use crate::refusal::Refusal;
use crate::snapshot::Group;

/// An upstream request, fit to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The address; empty where the gateway answers itself.
    pub url: String,
    /// The body.
    pub body: Value,
    /// The headers, credentials starred out.
    pub headers: Map<String, Value>,
    /// Fields that the upstream's format cannot say.
    pub lost: Vec<String>,
}

/// The request that `body`, which is in `format`, would become at the first deployment of its model.
///
/// # Errors
/// What a caller would be told.
pub fn request(live: &Live, format: Format, body: Bytes) -> Result<Preview, Refusal> {
    let call = Call::new(live.snapshot(), Endpoint::reply(format), HeaderMap::new());
    let payload = intake::understand(&call, body)?;
    let nobody = || Refusal::new(400, "This model has no deployment that serves such requests.");
    let deployment = payload.group.deployments.first().ok_or_else(nobody)?;
    let lane = deployment.lane(format).ok_or_else(nobody)?;
    let step = prepare::request(&call, &payload, deployment, lane)?;
    let Prepared { body, losses, .. } = step.unfetched(&call, &payload, deployment, lane)?;
    let to = lane.address(payload.stream);
    let shown = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let text = if value.is_sensitive() { "****" } else { value.to_str().unwrap_or("?") };
        (name.to_string(), Value::from(text))
    };
    Ok(Preview {
        url: to.map(|to| to.uri.to_string()).unwrap_or_default(),
        body: serde_json::from_slice(&prepare::contiguous(body.into())).unwrap_or_default(),
        headers: prepare::headers(&call, lane).iter().map(shown).collect(),
        lost: losses.into_iter().map(|loss| loss.field).collect(),
    })
}

/// OpenAI's parameters with a value of each that asks for something.
fn parameters() -> Vec<(&'static str, Value)> {
    let tool = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    vec![
        ("frequency_penalty", json!(0.5)),
        ("logit_bias", json!({"1": 1})),
        ("logprobs", json!(true)),
        ("top_logprobs", json!(2)),
        ("max_tokens", json!(4096)),
        ("max_completion_tokens", json!(4096)),
        ("modalities", json!(["text", "audio"])),
        ("prediction", json!({"type": "content", "content": "x"})),
        ("n", json!(2)),
        ("presence_penalty", json!(0.5)),
        ("seed", json!(1)),
        ("stop", json!(["x"])),
        ("stream", json!(true)),
        ("stream_options", json!({"include_usage": true})),
        ("temperature", json!(0.5)),
        ("top_p", json!(0.96)),
        ("tools", tool),
        ("tool_choice", json!("auto")),
        ("parallel_tool_calls", json!(false)),
        ("response_format", json!({"type": "json_object"})),
        ("reasoning_effort", json!("low")),
        ("web_search_options", json!({})),
        ("service_tier", json!("auto")),
        ("user", json!("u")),
        ("verbosity", json!("low")),
        ("safety_identifier", json!("s")),
        ("prompt_cache_key", json!("k")),
    ]
}

/// Which of OpenAI's chat parameters the model takes: those that a request can say without a loss.
///
/// # Errors
/// When the model is not configured and its name tells no provider either.
pub fn supported_parameters(live: &Live, model: &str) -> Result<Vec<&'static str>, Refusal> {
    let snapshot = live.snapshot();
    let deployment = match snapshot.group(model).and_then(|group| group.deployments.first().cloned()) {
        Some(deployment) => deployment,
        None => Arc::new(
            snapshot.unconfigured(model).map_err(|problem| Refusal::new(400, problem).with_param("model"))?,
        ),
    };
    let names = parameters();
    Ok(names
        .iter()
        .filter(|(name, value)| takes(live, &deployment, name, value))
        .map(|(name, _)| *name)
        .collect())
}

fn takes(live: &Live, deployment: &Arc<Deployment>, name: &str, value: &Value) -> bool {
    let mut body =
        json!({"model": deployment.group, "messages": [{"role": "user", "content": "x"}], name: value});
    if let ("tool_choice" | "parallel_tool_calls", Some(fields)) = (name, body.as_object_mut()) {
        fields.extend(
            parameters().into_iter().filter(|(name, _)| *name == "tools").map(|(k, v)| (k.to_owned(), v)),
        );
    }
    if let ("top_logprobs", Some(fields)) = (name, body.as_object_mut()) {
        fields.insert("logprobs".to_owned(), true.into());
    }
    let call = Call::new(live.snapshot(), Endpoint::reply(Format::OpenAiChat), HeaderMap::new());
    let group = Arc::new(Group::alone(deployment.group.clone(), Arc::clone(deployment)));
    let Ok(payload) = intake::payload_for(&call, body.to_string().into(), group) else { return false };
    let Some(lane) = deployment.lane(Format::OpenAiChat) else { return false };
    let step = prepare::request(&call, &payload, deployment, lane);
    let prepared = step.and_then(|step| step.unfetched(&call, &payload, deployment, lane));
    prepared.is_ok_and(|prepared| {
        !prepared.losses.iter().any(|loss| loss.field == name || loss.field.starts_with(&format!("{name}.")))
    })
}
