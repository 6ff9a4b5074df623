//! A [`ChatRequest`] written as an OpenAI chat completion request.
//!
//! Every vendor hint that OpenAI's own API rejects (thinking signatures, cache marks) stays behind; a block
//! that has no place in a message is a loss. Quirks of single vendors are the provider table's, not ours.

use bytes::Bytes;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::reader::ChatReader;
use super::request::malformed;
use crate::chat::{Block, ChatRequest, Role, Shape, Source, Tool, ToolChoice, Turn};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::raw::Raw;

/// We speak OpenAI chat completions to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChatUpstream;

impl UpstreamCodec for ChatUpstream {
    fn format(&self) -> Format {
        Format::OpenAiChat
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let mut messages = Vec::with_capacity(request.turns.len());
        for (at, turn) in request.turns.iter().enumerate() {
            let path = format!("messages[{at}]");
            turn_messages(turn, target.model, &path, &mut messages, &mut losses);
        }
        let body = Body { request, model: target.model, messages };
        let body = serde_json::to_vec(&body).map_err(|error| malformed("body", &error.to_string()))?;
        let reader = Box::new(ChatReader { call_id: target.call_id.to_owned() });
        Ok(Outbound { body: Bytes::from(body), reader, losses })
    }
}

struct Body<'a> {
    request: &'a ChatRequest,
    model: &'a str,
    messages: Vec<Message<'a>>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ChatRequest { stream, sampling, tools, tool_choice, shape, extras, .. } = self.request;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("messages", &self.messages)?;
        if *stream {
            map.serialize_entry("stream", &true)?;
            // Asked for even when the client did not: the charge is computed from it.
            map.serialize_entry("stream_options", &StreamOptions { include_usage: true })?;
        }
        // Tools of kinds that are not modelled wait in the extras under the same name.
        let unmodeled = extras.iter().find(|(name, _)| name == "tools");
        if !tools.is_empty() || unmodeled.is_some() {
            map.serialize_entry("tools", &Tools { tools, unmodeled: unmodeled.map(|(_, raw)| raw) })?;
        }
        entry(&mut map, "tool_choice", tool_choice.as_ref().map(WireChoice))?;
        entry(&mut map, "parallel_tool_calls", self.request.parallel_tool_calls)?;
        entry(&mut map, "temperature", sampling.temperature)?;
        entry(&mut map, "top_p", sampling.top_p)?;
        let bound = if reasons(self.model) { "max_completion_tokens" } else { "max_tokens" };
        entry(&mut map, bound, sampling.max_tokens)?;
        entry(&mut map, "n", sampling.choices)?;
        entry(&mut map, "stop", (!sampling.stop.is_empty()).then_some(&sampling.stop))?;
        entry(&mut map, "seed", sampling.seed)?;
        entry(&mut map, "presence_penalty", sampling.presence_penalty)?;
        entry(&mut map, "frequency_penalty", sampling.frequency_penalty)?;
        entry(&mut map, "logprobs", sampling.logprobs)?;
        entry(&mut map, "top_logprobs", sampling.top_logprobs)?;
        entry(&mut map, "reasoning_effort", self.request.reasoning_effort.as_ref())?;
        entry(&mut map, "response_format", ResponseFormat::of(shape))?;
        entry(&mut map, "user", self.request.user.as_ref())?;
        for (name, raw) in extras.iter().filter(|(name, _)| name != "tools") {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

fn entry<M: SerializeMap, T: Serialize>(map: &mut M, name: &str, value: Option<T>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

/// OpenAI's reasoning models know only `max_completion_tokens`; imitators mostly know only `max_tokens`.
fn reasons(model: &str) -> bool {
    keeps_developer(model) || model.starts_with("gpt-5")
}

/// OpenAI's o-series reads `developer`; everyone reads `system`.
fn keeps_developer(model: &str) -> bool {
    ["o1", "o3", "o4"]
        .iter()
        .any(|family| model.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
}

fn turn_messages<'a>(
    turn: &'a Turn,
    model: &str,
    path: &str,
    messages: &mut Vec<Message<'a>>,
    losses: &mut Vec<Loss>,
) {
    let role = match turn.role {
        Role::Developer if keeps_developer(model) => "developer",
        Role::System | Role::Developer => "system",
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    };
    let mut message = Message { role, name: turn.name.as_deref(), ..Message::default() };
    let mut parts = Vec::new();
    for (at, block) in turn.blocks.iter().enumerate() {
        let path = format!("{path}.content[{at}]");
        match block {
            Block::ToolResult { id, content } => {
                let parts = content.iter().filter_map(|block| part(block, &path, losses)).collect();
                let content = Content::of(parts, false);
                messages.push(Message {
                    role: "tool",
                    content,
                    tool_call_id: Some(id),
                    ..Message::default()
                });
            }
            Block::ToolCall { id, name, input } => {
                message.tool_calls.get_or_insert_default().push(ToolCall {
                    id,
                    r#type: "function",
                    function: Function { name, arguments: if input.is_empty() { "{}" } else { input } },
                })
            }
            Block::Thinking { text, .. } => message.reasoning_content.get_or_insert_default().push_str(text),
            Block::Refusal(text) if turn.role == Role::Assistant => {
                message.refusal.get_or_insert_default().push_str(text);
            }
            _ => parts.extend(part(block, &path, losses)),
        }
    }
    // The name of a tool turn is the tool's: it belongs to a message that OpenAI no longer has.
    if turn.role == Role::Tool && parts.is_empty() {
        return;
    }
    message.content = Content::of(parts, turn.role == Role::Assistant);
    if message.tool_calls.is_some() && message.content.is_empty() {
        message.content = Content::Null;
    }
    messages.push(message);
}

fn part<'a>(block: &'a Block, path: &str, losses: &mut Vec<Loss>) -> Option<Part<'a>> {
    let why = match block {
        Block::Text(text) | Block::Refusal(text) => return Some(Part::Text { text }),
        Block::Image { source: Source::Url(url), detail } => {
            return Some(Part::ImageUrl {
                image_url: ImageUrl { url: url.clone(), detail: detail.as_deref() },
            });
        }
        Block::Image { source: Source::Inline { media_type, data }, detail } => {
            let url = format!("data:{media_type};base64,{data}");
            return Some(Part::ImageUrl { image_url: ImageUrl { url, detail: detail.as_deref() } });
        }
        Block::Audio { data, format } => {
            return Some(Part::InputAudio { input_audio: Audio { data, format } });
        }
        Block::File { source, name } => return Some(Part::File { file: File::of(source, name.as_deref()) }),
        Block::Opaque { from: Format::OpenAiChat, raw } => return Some(Part::Verbatim(raw)),
        Block::Image { source: Source::Id(_), .. } => "an image can be sent by address or inline, not by id",
        Block::Opaque { .. } => "a part of another format",
        Block::Thinking { .. } | Block::ToolCall { .. } | Block::ToolResult { .. } => {
            "not allowed inside a tool's result"
        }
    };
    losses.push(Loss { field: path.to_owned(), why });
    None
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

/// A string where that says all: some imitators know nothing else.
#[derive(Default)]
enum Content<'a> {
    #[default]
    Null,
    Text(String),
    Parts(Vec<Part<'a>>),
}

impl<'a> Content<'a> {
    fn of(parts: Vec<Part<'a>>, joined: bool) -> Self {
        let plain = (joined || parts.len() < 2)
            .then(|| parts.iter().map(Part::text).collect::<Option<Vec<&str>>>())
            .flatten();
        match plain {
            Some(texts) => Content::Text(texts.concat()),
            None => Content::Parts(parts),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Content::Text(text) if text.is_empty())
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Content::Null => serializer.serialize_none(),
            Content::Text(text) => serializer.serialize_str(text),
            Content::Parts(parts) => parts.serialize(serializer),
        }
    }
}

enum Part<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl<'a> },
    InputAudio { input_audio: Audio<'a> },
    File { file: File<'a> },
    Verbatim(&'a Raw),
}

impl Part<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Part::Text { text } => Some(text),
            Part::ImageUrl { .. } | Part::InputAudio { .. } | Part::File { .. } | Part::Verbatim(_) => None,
        }
    }
}

// By hand, because an internally tagged enum cannot hold verbatim JSON.
impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Part::Verbatim(raw) = self {
            return raw.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(2))?;
        match self {
            Part::Text { text } => typed_part(&mut map, "text", text)?,
            Part::ImageUrl { image_url } => typed_part(&mut map, "image_url", image_url)?,
            Part::InputAudio { input_audio } => typed_part(&mut map, "input_audio", input_audio)?,
            Part::File { file } => typed_part(&mut map, "file", file)?,
            Part::Verbatim(_) => {}
        }
        map.end()
    }
}

/// A part's payload stands under the same word as its type.
fn typed_part<M: SerializeMap, T: Serialize>(map: &mut M, word: &str, value: &T) -> Result<(), M::Error> {
    map.serialize_entry("type", word)?;
    map.serialize_entry(word, value)
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct Audio<'a> {
    data: &'a str,
    format: &'a str,
}

#[derive(Default, Serialize)]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<&'a str>,
}

impl<'a> File<'a> {
    fn of(source: &'a Source, filename: Option<&'a str>) -> Self {
        match source {
            Source::Inline { media_type, data } => {
                Self { filename, file_data: Some(format!("data:{media_type};base64,{data}")), file_id: None }
            }
            Source::Url(id) | Source::Id(id) => Self { filename, file_data: None, file_id: Some(id) },
        }
    }
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

struct Tools<'a> {
    tools: &'a [Tool],
    unmodeled: Option<&'a Raw>,
}

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let more: Vec<Raw> =
            self.unmodeled.and_then(|raw| serde_json::from_str(raw.text()).ok()).unwrap_or_default();
        let tools = self.tools.iter().map(OneTool::Function).chain(more.iter().map(OneTool::Verbatim));
        serializer.collect_seq(tools)
    }
}

enum OneTool<'a> {
    Function(&'a Tool),
    Verbatim(&'a Raw),
}

impl Serialize for OneTool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OneTool::Function(tool) => function_tool(tool).serialize(serializer),
            OneTool::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

/// A tool as OpenAI and Ollama both write it.
pub(crate) fn function_tool(tool: &Tool) -> impl Serialize + '_ {
    WireTool {
        r#type: "function",
        function: Declaration {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: tool.parameters.as_ref(),
            strict: tool.strict,
        },
    }
}

#[derive(Serialize)]
struct WireTool<'a> {
    r#type: &'static str,
    function: Declaration<'a>,
}

#[derive(Serialize)]
struct Declaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

struct WireChoice<'a>(&'a ToolChoice);

impl Serialize for WireChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ToolChoice::Auto => serializer.serialize_str("auto"),
            ToolChoice::Never => serializer.serialize_str("none"),
            ToolChoice::Required => serializer.serialize_str("required"),
            ToolChoice::Named(name) => {
                NamedChoice { r#type: "function", function: Named { name } }.serialize(serializer)
            }
        }
    }
}

#[derive(Serialize)]
struct NamedChoice<'a> {
    r#type: &'static str,
    function: Named<'a>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<JsonSchema<'a>>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    schema: &'a Raw,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl<'a> ResponseFormat<'a> {
    fn of(shape: &'a Shape) -> Option<Self> {
        match shape {
            Shape::Text => None,
            Shape::Json => Some(Self { r#type: "json_object", json_schema: None }),
            Shape::Schema { name, schema, strict } => {
                // OpenAI requires a name; other formats have none.
                let name = name.as_deref().unwrap_or("response");
                Some(Self {
                    r#type: "json_schema",
                    json_schema: Some(JsonSchema { name, schema, strict: *strict }),
                })
            }
        }
    }
}
