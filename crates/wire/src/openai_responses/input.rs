//! The turns of a conversation written as `instructions` and the items of `input`, each block in its place.
//!
//! | of the conversation | here |
//! | --- | --- |
//! | the first system turn of a caller of this API | `instructions` |
//! | text, pictures, files | parts of a message |
//! | a call, a result | an item of its own, a custom tool's as such |
//! | reasoning that OpenAI encrypted | a reasoning item; without its id, which belongs to what is stored |
//! | other reasoning | left out: it cannot be replayed |

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Arguments;

use super::custom;
use super::item::{Audio, Item, OneItem, OnePart, Output, Part};
use super::reasoning;
use crate::chat::{Block, ChatRequest, Role, Source, Turn};
use crate::fault::Loss;
use crate::format::Format;
use crate::gemini::signature::plain_id;
use crate::openai_chat::renames::Renames;

/// What was written so far.
pub(super) struct Script<'a> {
    pub(super) instructions: Option<String>,
    pub(super) items: Vec<OneItem<'a>>,
    pub(super) losses: Vec<Loss>,
    names: &'a Renames,
    ids: &'a Renames,
    stored: bool,
    /// The names of custom tools.
    customs: HashSet<&'a str>,
    /// Calls of custom tools written so far: their results are written in kind.
    called: HashSet<&'a str>,
}

/// How the ids of calls are spelled, so that each has at most `longest` letters.
pub(super) fn call_ids(request: &ChatRequest, longest: usize) -> Renames {
    let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    let ids = blocks.filter_map(|block| match block {
        Block::ToolCall { id, .. } | Block::ToolResult { id, .. } => Some(plain_id(id)),
        _ => None,
    });
    Renames::of(ids, longest)
}

/// Writes the turns of `request`. `stored`: the provider keeps what it said before.
pub(super) fn write<'a>(
    request: &'a ChatRequest,
    names: &'a Renames,
    ids: &'a Renames,
    stored: bool,
) -> Script<'a> {
    let customs = request.tools.iter().filter(|tool| custom::declared(tool).is_some());
    let mut script = Script {
        instructions: None,
        items: Vec::with_capacity(request.turns.len()),
        losses: Vec::new(),
        names,
        ids,
        stored,
        customs: customs.map(|tool| tool.name.as_str()).collect(),
        called: HashSet::new(),
    };
    for (at, (path, turn)) in request.placed().enumerate() {
        if at == 0 && request.format == Format::OpenAiResponses && turn.role == Role::System {
            script.instructions = plain(&turn.blocks);
            if script.instructions.is_some() {
                continue;
            }
        }
        script.turn(turn, format_args!("{path}"));
    }
    script
}

/// The text of `blocks` if they are nothing else.
fn plain(blocks: &[Block]) -> Option<String> {
    let texts = blocks.iter().map(|block| match block {
        Block::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Option<Vec<&str>>>().map(|texts| texts.join("\n"))
}

impl<'a> Script<'a> {
    fn turn(&mut self, turn: &'a Turn, path: Arguments<'_>) {
        let role = match turn.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        let mut parts = Vec::new();
        for (at, block) in turn.blocks.iter().enumerate() {
            let path = format_args!("{path}.content[{at}]");
            let Some(item) = self.item(block, path) else {
                parts.extend(part(block, role, path, &mut self.losses));
                continue;
            };
            self.say(turn, role, &mut parts);
            self.items.extend(item);
        }
        self.say(turn, role, &mut parts);
    }

    fn say(&mut self, turn: &'a Turn, role: &'static str, parts: &mut Vec<OnePart<'a>>) {
        if !parts.is_empty() {
            let content = Some(std::mem::take(parts));
            let (role, phase) = (Some(role), turn.phase.as_deref());
            self.items.push(Item { r#type: "message", role, phase, content, ..Item::default() }.one());
        }
    }

    /// The item that `block` is, which may be none; `None` when it is part of a message.
    fn item(&mut self, block: &'a Block, path: Arguments<'_>) -> Option<Option<OneItem<'a>>> {
        let item = match block {
            Block::Thinking { text, signature } => return Some(self.reasoning(text, signature.as_deref())),
            Block::RedactedThinking(_) => return Some(None),
            Block::ToolCall { id, name, input } if self.customs.contains(name.as_str()) => {
                self.called.insert(id);
                Item {
                    r#type: "custom_tool_call",
                    call_id: Some(self.ids.sent(plain_id(id))),
                    name: Some(self.names.sent(name)),
                    input: Some(custom::input(input)),
                    ..Item::default()
                }
            }
            Block::ToolCall { id, name, input } => Item {
                r#type: "function_call",
                call_id: Some(self.ids.sent(plain_id(id))),
                name: Some(self.names.sent(name)),
                arguments: Some(if input.is_empty() { "{}" } else { input }),
                ..Item::default()
            },
            Block::ToolResult { id, content, failed } => {
                let custom = self.called.contains(id.as_str());
                Item {
                    r#type: if custom { "custom_tool_call_output" } else { "function_call_output" },
                    call_id: Some(self.ids.sent(plain_id(id))),
                    output: Some(self.output(content, *failed, path)),
                    ..Item::default()
                }
            }
            // Parts and items are told apart by their type, as they were when they were read.
            Block::Opaque { from: Format::OpenAiResponses, raw } if !super::wire::is_part(raw) => {
                return Some(Some(OneItem::Verbatim(raw)));
            }
            _ => return None,
        };
        Some(Some(item.one()))
    }

    fn reasoning(&self, text: &'a str, signature: Option<&'a str>) -> Option<OneItem<'a>> {
        let sealed = reasoning::open(signature?)?;
        if sealed.content.is_empty() && !self.stored {
            return None;
        }
        let summary = (!text.is_empty()).then(|| Part::text("summary_text", text));
        let item = Item {
            r#type: "reasoning",
            id: Some(sealed.id).filter(|id| self.stored && !id.is_empty()),
            summary: Some(summary.into_iter().collect()),
            encrypted_content: Some(sealed.content).filter(|content| !content.is_empty()).map(Cow::Borrowed),
            ..Item::default()
        };
        Some(item.one())
    }

    fn output(&mut self, content: &'a [Block], failed: bool, path: Arguments<'_>) -> Output<'a> {
        match content {
            [] if failed => return Output::Text(Cow::Borrowed("Error: ")),
            [] => return Output::Text(Cow::Borrowed("")),
            [Block::Text(text)] if failed => return Output::Text(Cow::Owned(format!("Error: {text}"))),
            [Block::Text(text)] => return Output::Text(Cow::Borrowed(text)),
            _ => {}
        }
        let mut parts = Vec::with_capacity(content.len());
        if failed {
            parts.push(Part::text("input_text", "Error: ").one());
        }
        for (at, block) in content.iter().enumerate() {
            parts.extend(part(block, "user", format_args!("{path}.content[{at}]"), &mut self.losses));
        }
        Output::Parts(parts)
    }
}

/// A part of a message of `role`.
fn part<'a>(
    block: &'a Block,
    role: &str,
    path: Arguments<'_>,
    losses: &mut Vec<Loss>,
) -> Option<OnePart<'a>> {
    let answer = role == "assistant";
    let why = match block {
        Block::Text(text) if answer && text.is_empty() => return None,
        Block::Refusal(text) if answer => {
            return Some(Part { r#type: "refusal", refusal: Some(text), ..Part::default() }.one());
        }
        Block::Text(text) | Block::Refusal(text) => {
            return Some(Part::text(if answer { "output_text" } else { "input_text" }, text.as_str()).one());
        }
        Block::Opaque { from: Format::OpenAiResponses, raw } => {
            return Some(OnePart::Verbatim(Cow::Borrowed(raw)));
        }
        Block::Citation(_) | Block::CachePoint(_) => return None,
        Block::Image { .. } | Block::Audio { .. } | Block::File { .. } if answer => {
            "a message of the assistant is text"
        }
        Block::Image { source, detail } => match picture(source, detail.as_deref()) {
            Some(part) => return Some(part.one()),
            None => "an image can be sent by address, inline or by id",
        },
        Block::Audio { data, format } => {
            let input_audio = Some(Audio { data, format });
            return Some(Part { r#type: "input_audio", input_audio, ..Part::default() }.one());
        }
        Block::File { source, name, .. } => return Some(file(source, name.as_deref()).one()),
        Block::Opaque { .. } => "a part of another format",
        Block::Thinking { .. }
        | Block::RedactedThinking(_)
        | Block::ToolCall { .. }
        | Block::ToolResult { .. } => "not allowed inside a tool's result",
    };
    losses.push(Loss { field: path.to_string(), why });
    None
}

fn picture<'a>(source: &'a Source, detail: Option<&'a str>) -> Option<Part<'a>> {
    let part = Part { r#type: "input_image", detail, ..Part::default() };
    Some(match source {
        Source::Url(url) => Part { image_url: Some(Cow::Borrowed(url)), ..part },
        Source::Inline { media_type, data } => {
            Part { image_url: Some(Cow::Owned(format!("data:{media_type};base64,{data}"))), ..part }
        }
        Source::Id(id) => Part { file_id: Some(id), ..part },
        Source::Text(_) => return None,
    })
}

fn file<'a>(source: &'a Source, filename: Option<&'a str>) -> Part<'a> {
    let part = Part { r#type: "input_file", filename, ..Part::default() };
    match source {
        Source::Url(url) => Part { file_url: Some(url), filename: None, ..part },
        Source::Inline { media_type, data } => {
            // OpenAI refuses data without a name, and goes by its ending.
            let unnamed = if media_type == "application/pdf" { "file.pdf" } else { "file" };
            let file_data = Some(format!("data:{media_type};base64,{data}"));
            Part { filename: Some(filename.unwrap_or(unnamed)), file_data, ..part }
        }
        Source::Id(id) => Part { file_id: Some(id), filename: None, ..part },
        Source::Text(text) => {
            let title = filename.map(|name| format!("{name}:\n")).unwrap_or_default();
            Part::text("input_text", title + text)
        }
    }
}
