//! What the provider reads of a request: which dialect, which model, which words.

use http::Uri;
use serde_json::Value;

use super::control::decoded;
use super::embed::Embed;
use super::gemini::Verb;
use super::rerank::Rerank;
use super::rules::list;
use super::{anthropic, bedrock};

/// More choices than any provider grants; a hostile `n` must not make the fake provider big.
const MOST_CHOICES: u64 = 128;

/// The dialects, told by the end of the path, so that any base path works (`/v1`, Azure deployments, …).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Chat,
    Completions,
    Embeddings,
    OllamaChat,
    OllamaGenerate,
    OllamaEmbed,
    Anthropic(anthropic::Host),
    AnthropicCount,
    Responses,
    ResponsesCount,
    Gemini(Verb),
    Bedrock(bedrock::Call),
    Cohere,
    Embed(Embed),
    Rerank(Rerank),
    /// Answered only by scripts that need no dialect (`raw`, `status`, `error`).
    Other,
}

impl Dialect {
    fn of(path: &str) -> Self {
        let ends = [
            ("/chat/completions", Self::Chat),
            ("/completions", Self::Completions),
            ("/api/chat", Self::OllamaChat),
            ("/api/generate", Self::OllamaGenerate),
            ("/api/embed", Self::OllamaEmbed),
            ("/v1/messages", Self::Anthropic(anthropic::Host::Direct)),
            ("/messages/count_tokens", Self::AnthropicCount),
            ("/responses/input_tokens", Self::ResponsesCount),
            ("/responses", Self::Responses),
            ("/v2/chat", Self::Cohere),
        ];
        ends.into_iter().find(|(end, _)| path.ends_with(end)).map_or(Self::Other, |(_, dialect)| dialect)
    }

    pub(crate) fn is_ollama(self) -> bool {
        matches!(self, Self::OllamaChat | Self::OllamaGenerate | Self::OllamaEmbed)
    }

    fn can_stream(self) -> bool {
        match self {
            Self::Chat
            | Self::Completions
            | Self::OllamaChat
            | Self::OllamaGenerate
            | Self::Anthropic(_)
            | Self::Responses
            | Self::Gemini(_)
            | Self::Bedrock(_)
            | Self::Cohere
            | Self::Other => true,
            Self::Embeddings
            | Self::OllamaEmbed
            | Self::AnthropicCount
            | Self::ResponsesCount
            | Self::Embed(_)
            | Self::Rerank(_) => false,
        }
    }
}

/// A request, read.
pub(crate) struct Prompt {
    pub(crate) dialect: Dialect,
    /// Empty when neither body nor path names one.
    pub(crate) model: String,
    pub(crate) body: Value,
    /// Where the path says it, and the body does not.
    streams_by_path: Option<bool>,
    /// `?alt=sse`, Google's choice of framing.
    pub(crate) alt_sse: bool,
    pub(crate) path: String,
    /// The items of the conversation that the request continues (Responses only).
    pub(crate) earlier: Vec<Value>,
}

impl Prompt {
    /// Never fails: what cannot be read is absent.
    pub(crate) fn read(uri: &Uri, body: &[u8]) -> Self {
        let path = uri.path();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let named = body.get("model").and_then(Value::as_str);
        let routed = google(path).or_else(|| aws(path, &body));
        let (dialect, in_path, streams_by_path) = routed.unwrap_or_else(|| {
            let model = named.unwrap_or_default();
            let dialect = Embed::of(path, model)
                .map(Dialect::Embed)
                .or_else(|| Rerank::of(path, model, &body).map(Dialect::Rerank))
                .or_else(|| path.ends_with("/embeddings").then_some(Dialect::Embeddings))
                .unwrap_or_else(|| Dialect::of(path));
            (dialect, None, None)
        });
        let model = in_path.or_else(|| named.map(str::to_owned)).or_else(|| deployment(path));
        let alt_sse = uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse"));
        let (model, path) = (model.unwrap_or_default(), path.to_owned());
        Self { dialect, model, body, streams_by_path, alt_sse, path, earlier: Vec::new() }
    }

    /// Ollama streams unless told not to; OpenAI the other way round.
    pub(crate) fn streams(&self) -> bool {
        let asked = || self.body.get("stream").and_then(Value::as_bool);
        self.dialect.can_stream() && self.streams_by_path.or_else(asked).unwrap_or(self.dialect.is_ollama())
    }

    pub(crate) fn includes_usage(&self) -> bool {
        self.body.pointer("/stream_options/include_usage").and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn choices(&self) -> u64 {
        let google = || self.body.pointer("/generationConfig/candidateCount");
        self.body.get("n").or_else(google).and_then(Value::as_u64).unwrap_or(1).clamp(1, MOST_CHOICES)
    }

    /// The last user message's text, or the text of `prompt`. A message without text (tool results) does
    /// not count.
    pub(crate) fn last_user_text(&self) -> String {
        // Google takes contents without a role for the user's.
        let of_user = |message: &&Value| {
            message.get("role").map_or(message.get("parts").is_some(), |role| role == "user")
        };
        let said = self.messages().rev().filter(of_user).map(|message| texts(content(message)));
        let mut said = said.filter(|texts| !texts.is_empty());
        said.next().unwrap_or_else(|| texts(single(&self.body))).join(" ")
    }

    /// Words of everything that is prompt.
    pub(crate) fn words(&self) -> u64 {
        let earlier = self.earlier.iter().map(content).flat_map(texts).map(count_words);
        earlier.sum::<u64>() + words(&self.body)
    }

    fn messages(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.earlier.iter().chain(messages(&self.body))
    }
}

/// Words of a request's own prompt, whatever the dialect.
pub(crate) fn words(body: &Value) -> u64 {
    let contents = messages(body).map(content);
    let system = ["system", "instructions"].map(|name| &body[name]);
    let google = ["systemInstruction", "system_instruction"].map(|name| &body[name]["parts"]);
    let rest = system.into_iter().chain(google).chain([single(body)]);
    contents.chain(rest).flat_map(texts).map(count_words).sum()
}

fn messages(body: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    let named = ["messages", "contents", "input"].into_iter().flat_map(|name| list(&body[name]));
    named.filter(|message| message.is_object())
}

/// Prompts that are one text: legacy completions, Responses.
fn single(body: &Value) -> &Value {
    let input = &body["input"];
    if input.is_string() { input } else { &body["prompt"] }
}

pub(crate) fn count_words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

fn content(message: &Value) -> &Value {
    message.get("content").unwrap_or(&message["parts"])
}

/// The texts of a message's content: itself, or those of its parts.
fn texts(content: &Value) -> Vec<&str> {
    match content {
        Value::String(text) => vec![text],
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str())).collect()
        }
        _ => Vec::new(),
    }
}

type Routed = (Dialect, Option<String>, Option<bool>);

/// `…/models/{model}:verb` and `…/endpoints/{id}:verb`; the verb follows the last colon.
fn google(path: &str) -> Option<Routed> {
    let (resource, verb) = path.rsplit_once(':')?;
    let (collection, model) = resource.rsplit_once('/')?;
    let model = decoded(model);
    if !(collection.ends_with("/models") || collection.ends_with("/endpoints")) {
        return None;
    }
    let streams = verb.starts_with("stream");
    if matches!(verb, "rawPredict" | "streamRawPredict") {
        return Some(match (collection.ends_with("/anthropic/models"), model.as_str()) {
            (true, "count-tokens") => (Dialect::AnthropicCount, None, None),
            (true, _) => (Dialect::Anthropic(anthropic::Host::Vertex), Some(model), Some(streams)),
            (false, _) => (Dialect::Chat, Some(model), Some(streams)),
        });
    }
    Some((Dialect::Gemini(Verb::of(verb)?), Some(model), Some(streams)))
}

/// `/model/{id}/…` of the runtime and `/rerank` of the agent runtime.
fn aws(path: &str, body: &Value) -> Option<Routed> {
    if path.ends_with("/rerank") && body.get("rerankingConfiguration").is_some() {
        let arn = "/rerankingConfiguration/bedrockRerankingConfiguration/modelConfiguration/modelArn";
        let model = body.pointer(arn).and_then(Value::as_str)?.rsplit('/').next()?;
        return Some((Dialect::Rerank(Rerank::Bedrock), Some(model.to_owned()), None));
    }
    let (model, call) = path.split_once("/model/")?.1.rsplit_once('/')?;
    let model = decoded(model);
    let streams = call.ends_with("-stream");
    let dialect = match call {
        "converse" | "converse-stream" => Dialect::Bedrock(bedrock::Call::Converse),
        "count-tokens" => Dialect::Bedrock(bedrock::Call::Count),
        "invoke" if model.contains("titan-embed") => Dialect::Embed(Embed::Titan),
        "invoke" if model.contains("cohere.embed") => Dialect::Embed(Embed::CohereOnBedrock),
        "invoke" if model.contains("rerank") => Dialect::Rerank(Rerank::CohereOnBedrock),
        "invoke" | "invoke-with-response-stream" => Dialect::Anthropic(anthropic::Host::Bedrock),
        _ => return None,
    };
    Some((dialect, Some(model), Some(streams)))
}

/// `…/deployments/{model}/…` (Azure), `…/models/{model}` and `…/pipeline/{task}/{owner}/{name}`.
fn deployment(path: &str) -> Option<String> {
    if let Some((_, rest)) = path.split_once("/pipeline/") {
        return rest.split_once('/').map(|(_, model)| decoded(model));
    }
    let mut segments = path.split('/');
    segments.find(|segment| matches!(*segment, "deployments" | "models"))?;
    Some(segments.next()?.to_owned())
}
