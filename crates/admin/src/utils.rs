//! Questions about requests that are not sent: how many tokens, which parameters, what would go upstream.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use gateway::{count, preview};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use wire::codecs::{self, Spoken};
use wire::format::Format;

use crate::access::{Known, Refused, Sent};

/// A prompt to be counted: `prompt`, or `messages` in OpenAI's shape with `tools`.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Prompt {
    /// A public model name, or any other.
    model: String,
    /// A text.
    prompt: Option<Value>,
    /// A conversation.
    messages: Option<Value>,
    /// Functions the model may call.
    tools: Option<Value>,
}

/// An estimate of the tokens of a prompt, made here.
#[utoipa::path(post, path = "/utils/token_counter", tag = "utils", request_body = Prompt,
    responses((status = 200, description = "The count and how it was made"), (status = 400, description = "Nothing to count")))]
pub(crate) async fn token_counter(
    _: Known,
    State(gateway): State<Gateway>,
    Sent(asked): Sent<Prompt>,
) -> Result<Json<Value>, Refused> {
    let tokens = match (&asked.prompt, &asked.messages) {
        (_, Some(messages)) => {
            let mut body = json!({"model": asked.model, "messages": messages});
            if let (Some(tools), Some(fields)) = (&asked.tools, body.as_object_mut()) {
                fields.insert("tools".to_owned(), tools.clone());
            }
            count::estimate(decoded(&body)?).await
        }
        (Some(Value::String(text)), None) => count::estimate_text(text.clone()).await,
        (Some(Value::Array(texts)), None) => {
            let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
            count::estimate_text(texts.join("\n")).await
        }
        _ => {
            let problem = "Send `prompt` (a text) or `messages` (a conversation in OpenAI's shape).";
            return Err(Refused(Refusal::new(400, problem).with_param("prompt")));
        }
    };
    let group = gateway.live.snapshot().group(&asked.model);
    let used = group.as_ref().and_then(|group| group.deployments.first()).map(|it| it.model.as_str());
    Ok(Json(json!({
        "total_tokens": tokens,
        "request_model": asked.model,
        "model_used": used.unwrap_or(&asked.model),
        "tokenizer_type": "openai_tokenizer",
        "count_source": "local_estimate",
        "original_response": null,
        "error": false,
        "error_message": null,
        "status_code": null,
    })))
}

fn decoded(body: &Value) -> Result<wire::chat::ChatRequest, Refused> {
    let spoken = Spoken { format: Format::OpenAiChat, model: "", stream: false, events: true };
    let inbound = codecs::decode(spoken, body.to_string().as_bytes());
    inbound
        .map(|inbound| inbound.request)
        .map_err(|error| Refused(Refusal::untranslatable("/utils/token_counter", &error)))
}

/// Whose parameters.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Whose {
    /// A public model name, or `provider/model`.
    model: String,
}

/// Which of OpenAI's parameters a model takes.
#[utoipa::path(get, path = "/utils/supported_openai_params", tag = "utils", params(Whose),
    responses((status = 200, description = "Names of parameters"), (status = 400, description = "Nobody knows the model")))]
pub(crate) async fn supported_openai_params(
    _: Known,
    State(gateway): State<Gateway>,
    Query(whose): Query<Whose>,
) -> Result<Json<Value>, Refused> {
    let names = preview::supported_parameters(&gateway.live, &whose.model).map_err(Refused)?;
    Ok(Json(json!({"supported_openai_params": names})))
}

/// A request to be shown as the upstream would get it.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Shown {
    /// LiteLLM's name of the call: `completion`, `embedding`, `anthropic_messages`, `responses`, ….
    call_type: String,
    /// The body, as it would be posted.
    request_body: Value,
}

/// The upstream request that a body would become. Nothing is sent, and credentials are starred out.
#[utoipa::path(post, path = "/utils/transform_request", tag = "utils", request_body = Shown,
    responses((status = 200, description = "Address, body and headers, or why there are none")))]
pub(crate) async fn transform_request(
    _: Known,
    State(gateway): State<Gateway>,
    Sent(asked): Sent<Shown>,
) -> Response {
    let name = asked.call_type.strip_prefix('a').filter(|rest| format_of(rest).is_some());
    let Some(format) = format_of(name.unwrap_or(&asked.call_type)) else {
        let problem = format!(
            "call_type `{}` is not one of completion, text_completion, embedding, rerank, anthropic_messages, responses, \
             generate_content",
            asked.call_type
        );
        return Refused(Refusal::new(400, problem).with_param("call_type")).into_response();
    };
    let shown = preview::request(&gateway.live, format, asked.request_body.to_string().into());
    Json(match shown {
        Ok(shown) => json!({
            "raw_request_api_base": shown.url, "raw_request_body": shown.body,
            "raw_request_headers": shown.headers, "dropped_params": shown.lost, "error": null,
        }),
        Err(refusal) => json!({
            "raw_request_api_base": null, "raw_request_body": null, "raw_request_headers": null,
            "error": refusal.message,
        }),
    })
    .into_response()
}

fn format_of(call_type: &str) -> Option<Format> {
    Some(match call_type {
        "completion" => Format::OpenAiChat,
        "text_completion" => Format::OpenAiCompletions,
        "embedding" => Format::OpenAiEmbeddings,
        "rerank" => Format::CohereRerank,
        "anthropic_messages" => Format::AnthropicMessages,
        "responses" => Format::OpenAiResponses,
        "generate_content" => Format::Gemini,
        _ => return None,
    })
}
