//! The turns of a conversation written as Cohere's messages.
//!
//! Results of tools are text or documents, so the pictures they hold wait for the next user message. Reasoning
//! of a turn that calls tools is its `tool_plan`, except to models that reason in their content. Names of speakers are not sent: Cohere has no place for them.
//! What is written for a turn depends on nothing after it: a prompt that was cached stays a prefix.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};

use crate::anthropic_messages::block_type;
use crate::chat::{Block, ChatRequest, Role, Source, Turn};
use crate::fault::Loss;
use crate::openai_chat::object;
use crate::openai_chat::renames::Renames;
use crate::raw::Raw;

/// The messages that say the turns of `request`. `reasons`: the model reasons in its content.
pub(super) fn messages<'a>(
    request: &'a ChatRequest,
    reasons: bool,
    names: &'a Renames,
    losses: &mut Vec<Loss>,
) -> Vec<Message<'a>> {
    let messages = Vec::with_capacity(request.turns.len());
    let mut script = Script { names, reasons, messages, media: Vec::new(), losses };
    for (path, turn) in request.placed() {
        script.turn(turn, &path.to_string());
    }
    script.show_media();
    script.messages
}

/// The messages written so far.
struct Script<'a, 'l> {
    names: &'a Renames,
    reasons: bool,
    messages: Vec<Message<'a>>,
    /// What tools gave besides text and documents.
    media: Vec<Piece<'a>>,
    losses: &'l mut Vec<Loss>,
}

impl<'a> Script<'a, '_> {
    fn turn(&mut self, turn: &'a Turn, path: &str) {
        let role = match turn.role {
            Role::System | Role::Developer => "system",
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        if role != "user" {
            self.show_media();
        }
        let calls = turn.blocks.iter().any(|block| matches!(block, Block::ToolCall { .. }));
        let mut message = Message { role, ..Message::default() };
        let (mut pieces, mut results) = (Vec::new(), false);
        for (at, block) in turn.blocks.iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            match block {
                Block::ToolResult { id, content, failed } => {
                    results = true;
                    self.result(id, content, *failed, &path);
                }
                Block::ToolCall { id, name, input } => {
                    let arguments = if input.is_empty() { "{}" } else { input };
                    let function = Function { name: self.names.sent(name), arguments };
                    message.tool_calls.push(ToolCall { id, r#type: "function", function });
                }
                Block::Thinking { text, .. } if calls && !self.reasons => message.tool_plan.push_str(text),
                Block::Thinking { text, .. } if turn.role == Role::Assistant => {
                    pieces.push(Part { r#type: "thinking", thinking: Some(text), ..Part::default() }.piece());
                }
                _ => pieces.extend(piece(block, &path, self.losses)),
            }
        }
        if turn.role == Role::User && !self.media.is_empty() {
            pieces.splice(0..0, std::mem::take(&mut self.media));
        }
        if results && pieces.is_empty() {
            return;
        }
        let content = Content::of(pieces, turn.role == Role::Assistant);
        message.content = (!calls || !content.is_empty()).then_some(content);
        self.messages.push(message);
    }

    fn result(&mut self, id: &'a str, content: &'a [Block], failed: bool, path: &str) {
        let (mut said, mut media) = (Vec::new(), Vec::new());
        if failed {
            said.push(Part::text("Error: ").piece());
        }
        for block in content {
            match piece(block, path, self.losses) {
                Some(Piece::Part(part)) if part.image_url.is_some() => media.push(Piece::Part(part)),
                other => said.extend(other),
            }
        }
        if !media.is_empty() {
            let marker = format!("What the tool call {id} gave besides text:");
            self.media.push(Part::text(marker).piece());
            self.media.append(&mut media);
        }
        let content = Some(Content::of(said, failed));
        self.messages.push(Message { role: "tool", tool_call_id: Some(id), content, ..Message::default() });
    }

    /// Shows the model what tools gave besides text, where no user message follows that could.
    fn show_media(&mut self) {
        if !self.media.is_empty() {
            let content = Some(Content::Pieces(std::mem::take(&mut self.media)));
            self.messages.push(Message { role: "user", content, ..Message::default() });
        }
    }
}

fn piece<'a>(block: &'a Block, path: &str, losses: &mut Vec<Loss>) -> Option<Piece<'a>> {
    let why = match block {
        Block::Text(text) | Block::Refusal(text) => return Some(Part::text(text).piece()),
        Block::Image { source: Source::Url(url), detail } => {
            return Some(Part::image(Cow::Borrowed(url), detail.as_deref()).piece());
        }
        Block::Image { source: Source::Inline { media_type, data }, detail } => {
            let url = format!("data:{media_type};base64,{data}");
            return Some(Part::image(Cow::Owned(url), detail.as_deref()).piece());
        }
        Block::File { source: Source::Text(text), name, hints } => {
            if hints.iter().any(|(name, raw)| name == "citations" && is_enabled(raw)) {
                let why = "Cohere cites only what is in the request's documents";
                losses.push(Loss { field: format!("{path}.citations"), why });
            }
            let title = name.as_ref().map(|name| format!("{name}:\n")).unwrap_or_default();
            return Some(Part::text(title + text).piece());
        }
        Block::Opaque { raw, .. } if block_type(raw) == "document" => return Some(Piece::Verbatim(raw)),
        Block::CachePoint(_) | Block::Citation(_) | Block::RedactedThinking(_) => return None,
        Block::Image { .. } => "an image can be sent by address or inline, not by id",
        Block::Audio { .. } => "Cohere takes no sound",
        Block::File { .. } => "Cohere takes no files",
        Block::Opaque { .. } => "Cohere has no such part",
        Block::Thinking { .. } | Block::ToolCall { .. } | Block::ToolResult { .. } => {
            "only the model's own turns may hold it"
        }
    };
    losses.push(Loss { field: path.to_owned(), why });
    None
}

/// Whether Anthropic's `citations` of a document ask for them.
fn is_enabled(raw: &Raw) -> bool {
    #[derive(Deserialize)]
    struct Citations {
        enabled: bool,
    }
    object::<Citations>(raw.value()).is_some_and(|citations| citations.enabled)
}

/// One message.
#[derive(Default, Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    tool_plan: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
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

/// A string where that says all.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(String),
    Pieces(Vec<Piece<'a>>),
}

impl<'a> Content<'a> {
    /// `joined`: several texts are one text in pieces.
    fn of(pieces: Vec<Piece<'a>>, joined: bool) -> Self {
        let texts = (joined || pieces.len() < 2)
            .then(|| pieces.iter().map(Piece::text).collect::<Option<Vec<&str>>>())
            .flatten();
        match texts {
            Some(texts) => Self::Text(texts.concat()),
            None => Self::Pieces(pieces),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

/// A part of ours, or one that is passed on as it came.
enum Piece<'a> {
    Part(Box<Part<'a>>),
    Verbatim(&'a Raw),
}

#[derive(Default, Serialize)]
struct Part<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<ImageUrl<'a>>,
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a> Part<'a> {
    fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { r#type: "text", text: Some(text.into()), ..Self::default() }
    }

    fn image(url: Cow<'a, str>, detail: Option<&'a str>) -> Self {
        Self { r#type: "image_url", image_url: Some(ImageUrl { url, detail }), ..Self::default() }
    }

    fn piece(self) -> Piece<'a> {
        Piece::Part(Box::new(self))
    }
}

impl Piece<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Part(part) => part.text.as_deref(),
            Self::Verbatim(_) => None,
        }
    }
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Part(part) => part.serialize(serializer),
            Self::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}
