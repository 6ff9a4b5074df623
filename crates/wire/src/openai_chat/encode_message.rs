//! One turn written as OpenAI messages.
//!
//! Every vendor hint that OpenAI's own API rejects (thinking signatures, cache points) stays behind; a block
//! that has no place in a message is a loss. Results of tools come before the rest of their turn.

use std::borrow::Cow;
use std::fmt::Arguments;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::renames::Renames;
use super::writer::{Function, ToolCall};
use crate::chat::{Block, ChatRequest, Role, Source, Turn};
use crate::fault::Loss;
use crate::format::Format;
use crate::gemini::signature::plain_id;
use crate::raw::Raw;

/// The messages that say the turns of `request`, and what they cannot say.
pub(super) fn messages<'a>(
    request: &'a ChatRequest,
    model: &str,
    names: &'a Renames,
) -> (Vec<Message<'a>>, Vec<Loss>) {
    let mut script = Script {
        names,
        messages: Vec::with_capacity(request.turns.len()),
        media: Vec::new(),
        losses: Vec::new(),
    };
    for (path, turn) in request.placed() {
        let role = match turn.role {
            Role::Developer if keeps_developer(model) => "developer",
            Role::System | Role::Developer => "system",
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        script.turn(turn, role, format_args!("{path}"));
    }
    script.show_media();
    (script.messages, script.losses)
}

/// The messages written so far.
struct Script<'a> {
    names: &'a Renames,
    messages: Vec<Message<'a>>,
    /// What tools gave besides text: OpenAI's tool messages are text, so it waits for the next user message.
    media: Vec<Part<'a>>,
    losses: Vec<Loss>,
}

impl<'a> Script<'a> {
    fn turn(&mut self, turn: &'a Turn, role: &'static str, path: Arguments<'_>) {
        if !matches!(turn.role, Role::User | Role::Tool) {
            self.show_media();
        }
        let mut message = Message { role, name: turn.name.as_deref(), ..Message::default() };
        let mut parts = Vec::new();
        let mut results = false;
        for (at, block) in turn.blocks.iter().enumerate() {
            let path = format_args!("{path}.content[{at}]");
            match block {
                Block::ToolResult { id, content, failed } => {
                    results = true;
                    self.result(id, content, *failed, path);
                }
                Block::ToolCall { id, name, input } => {
                    let arguments = if input.is_empty() { "{}" } else { input };
                    let function = Function { name: self.names.sent(name), arguments };
                    message.tool_calls.get_or_insert_default().push(ToolCall {
                        id: plain_id(id),
                        r#type: "function",
                        function,
                    });
                }
                Block::Thinking { text, .. } => {
                    message.reasoning_content.get_or_insert_default().push_str(text);
                }
                Block::Refusal(text) if turn.role == Role::Assistant => {
                    message.refusal.get_or_insert_default().push_str(text);
                }
                _ => parts.extend(part(block, path, &mut self.losses)),
            }
        }
        if turn.role == Role::User && !self.media.is_empty() {
            parts.splice(0..0, std::mem::take(&mut self.media));
        }
        // The name of a tool turn is the tool's: it belongs to a message that OpenAI no longer has.
        if results && parts.is_empty() {
            return;
        }
        let foreign = |block: &Block| matches!(block, Block::Opaque { from: Format::OpenAiResponses, .. });
        if parts.is_empty() && !turn.blocks.is_empty() && turn.blocks.iter().all(foreign) {
            return;
        }
        message.content = Content::of(parts, turn.role == Role::Assistant);
        if message.tool_calls.is_some() && message.content.is_empty() {
            message.content = Content::Null;
        }
        self.messages.push(message);
    }

    fn result(&mut self, id: &'a str, content: &'a [Block], failed: bool, path: Arguments<'_>) {
        let (mut texts, mut media) = (Vec::new(), Vec::new());
        if failed {
            texts.push(Part::Text { text: Cow::Borrowed("Error: ") });
        }
        for block in content {
            match part(block, path, &mut self.losses) {
                Some(text @ Part::Text { .. }) => texts.push(text),
                Some(other) => media.push(other),
                None => {}
            }
        }
        if !media.is_empty() {
            let marker = format!("What the tool call {id} gave besides text:");
            self.media.push(Part::Text { text: Cow::Owned(marker) });
            self.media.append(&mut media);
        }
        let content = Content::of(texts, failed);
        self.messages.push(Message {
            role: "tool",
            content,
            tool_call_id: Some(plain_id(id)),
            ..Message::default()
        });
    }

    /// Shows the model what tools gave besides text, where no user message follows that could.
    fn show_media(&mut self) {
        if !self.media.is_empty() {
            let content = Content::of(std::mem::take(&mut self.media), false);
            self.messages.push(Message { role: "user", content, ..Message::default() });
        }
    }
}

fn part<'a>(block: &'a Block, path: Arguments<'_>, losses: &mut Vec<Loss>) -> Option<Part<'a>> {
    let why = match block {
        Block::Text(text) | Block::Refusal(text) => {
            return Some(Part::Text { text: Cow::Borrowed(text) });
        }
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
        Block::File { source: Source::Text(text), name, .. } => {
            let title = name.as_ref().map(|name| format!("{name}:\n")).unwrap_or_default();
            return Some(Part::Text { text: Cow::Owned(title + text) });
        }
        Block::File { source, name, .. } => {
            return Some(Part::File { file: File::of(source, name.as_deref()) });
        }
        Block::Opaque { from: Format::OpenAiChat, raw } => return Some(Part::Verbatim(raw)),
        Block::CachePoint(_) | Block::Citation(_) | Block::RedactedThinking(_) => return None,
        Block::Image { source: Source::Id(_) | Source::Text(_), .. } => {
            "an image can be sent by address or inline, not by id"
        }
        Block::Opaque { .. } => "a part of another format",
        Block::Thinking { .. } | Block::ToolCall { .. } | Block::ToolResult { .. } => {
            "not allowed inside a tool's result"
        }
    };
    losses.push(Loss { field: path.to_string(), why });
    None
}

/// OpenAI's o-series reads `developer`; everyone reads `system`.
pub(super) fn keeps_developer(model: &str) -> bool {
    ["o1", "o3", "o4"]
        .iter()
        .any(|family| model.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
}

/// One message.
#[derive(Default, Serialize)]
pub(super) struct Message<'a> {
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
    Text { text: Cow<'a, str> },
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
            Source::Url(id) | Source::Id(id) | Source::Text(id) => {
                Self { filename, file_data: None, file_id: Some(id) }
            }
        }
    }
}
