//! One turn written as OpenAI messages.
//!
//! Every vendor hint that OpenAI's own API rejects (thinking signatures, cache marks) stays behind; a block
//! that has no place in a message is a loss.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::chat::{Block, Role, Source, Turn};
use crate::fault::Loss;
use crate::format::Format;
use crate::raw::Raw;

/// Appends the messages that say `turn`.
pub(super) fn turn<'a>(
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
