//! Replies in this API's shape: the whole response. Its stream is `stream_writer`'s. There is one answer: what a
//! provider says in further choices has no place, and no request in this format can ask for them.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::item::{self, Item, Part};
use super::request_tools::Spaces;
use super::response::{Echo, Response, Status, item_id, response_id};
use super::stream_writer::ResponsesStream;
use super::wire::rows;
use super::{custom, reasoning};
use crate::chat::{Block, Source};
use crate::codec::{ReplyWriter, Stamp, StreamEncoder};
use crate::format::Format;
use crate::openai_chat::{json, object, or};
use crate::raw::Raw;
use crate::reply::{ChatResponse, Stop};

/// Writes the reply to one request.
pub(super) struct ResponsesWriter {
    pub(super) echo: Echo,
    /// The names of custom tools.
    pub(super) customs: Vec<String>,
    pub(super) spaces: Spaces,
}

impl ReplyWriter for ResponsesWriter {
    fn whole(&self, response: &ChatResponse, stamp: &Stamp) -> Bytes {
        let own = Some(&stamp.id).filter(|id| id.starts_with("resp_"));
        let id = response_id(own.map_or_else(|| or(&response.id, &stamp.id), String::as_str));
        let choice = response.choices.first();
        let stop = choice.and_then(|choice| choice.stop);
        let logprobs = choice.and_then(|choice| choice.logprobs.as_ref()).map(listed).unwrap_or_default();
        let mut pages = Pages { writer: self, id: &id, output: Vec::new(), message: None, logprobs };
        for block in choice.map(|choice| choice.blocks.as_slice()).unwrap_or_default() {
            pages.block(block);
        }
        pages.close(item_status(stop));
        json(&Response {
            echo: &self.echo,
            id: &id,
            model: or(&stamp.model, &response.model),
            created: stamp.created,
            status: stop.map_or(Status::Open, Status::Ended),
            output: &pages.output,
            usage: response.usage.as_ref(),
        })
    }

    fn stream(self: Box<Self>, stamp: Stamp) -> Box<dyn StreamEncoder> {
        Box::new(ResponsesStream::new(*self, stamp))
    }
}

/// The status of the message that an answer ended in.
pub(super) fn item_status(stop: Option<Stop>) -> &'static str {
    match stop {
        Some(Stop::End | Stop::ToolUse) => "completed",
        Some(Stop::Length | Stop::Filtered | Stop::Paused) | None => "incomplete",
    }
}

/// The list inside log-probabilities of the shape of OpenAI's chat completions.
pub(super) fn listed(raw: &Raw) -> Vec<Raw> {
    #[derive(serde::Deserialize)]
    struct Content<'a> {
        #[serde(borrow)]
        content: Option<&'a RawValue>,
    }
    let content = object::<Content<'_>>(raw.value()).and_then(|raw| raw.content);
    rows(content).into_iter().map(Raw::from).collect()
}

/// The items of a reply as they are written.
struct Pages<'a> {
    writer: &'a ResponsesWriter,
    id: &'a str,
    output: Vec<Raw>,
    /// The parts of the message that is being written.
    message: Option<Vec<Prose>>,
    /// Those of all texts together; the first text has them.
    logprobs: Vec<Raw>,
}

/// A part of a message, about to be written.
pub(super) struct Prose {
    pub(super) refusal: bool,
    pub(super) text: String,
    pub(super) annotations: Vec<Raw>,
    pub(super) logprobs: Vec<Raw>,
}

impl Prose {
    pub(super) fn new(refusal: bool) -> Self {
        Self { refusal, text: String::new(), annotations: Vec::new(), logprobs: Vec::new() }
    }

    pub(super) fn part(&self) -> Part<'_> {
        if self.refusal {
            return Part { r#type: "refusal", refusal: Some(&self.text), ..Part::default() };
        }
        Part {
            annotations: Some(&self.annotations),
            logprobs: Some(&self.logprobs),
            ..Part::text("output_text", self.text.as_str())
        }
    }
}

/// A message of the assistant.
pub(super) fn message<'a>(id: &'a str, status: &'static str, parts: Vec<Part<'a>>) -> Item<'a> {
    Item {
        r#type: "message",
        id: Some(id),
        status: Some(status),
        role: Some("assistant"),
        content: Some(parts.into_iter().map(Part::one).collect()),
        ..Item::default()
    }
}

/// An item of reasoning. `summary` is empty where nothing can be read.
pub(super) fn thought<'a>(id: &'a str, summary: &'a str, encrypted: Option<Cow<'a, str>>) -> Item<'a> {
    let part = (!summary.is_empty()).then(|| Part::text("summary_text", summary));
    Item {
        r#type: "reasoning",
        id: Some(id),
        summary: Some(part.into_iter().collect()),
        encrypted_content: encrypted,
        ..Item::default()
    }
}

impl ResponsesWriter {
    pub(super) fn is_custom(&self, name: &str) -> bool {
        self.customs.iter().any(|custom| custom == name)
    }

    /// A call of a tool, in the words the caller declared it in.
    pub(super) fn call<'a>(
        &'a self,
        id: &'a str,
        status: &'static str,
        (call_id, name): (&'a str, &'a str),
        arguments: &'a str,
    ) -> Item<'a> {
        let item = Item { id: Some(id), status: Some(status), call_id: Some(call_id), ..Item::default() };
        if self.is_custom(name) {
            let input = Some(custom::input(arguments));
            return Item { r#type: "custom_tool_call", name: Some(name), input, ..item };
        }
        let (namespace, name) = self.spaces.of(name);
        Item { r#type: "function_call", namespace, name: Some(name), arguments: Some(arguments), ..item }
    }
}

impl Pages<'_> {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Text(text) if text.is_empty() => {}
            Block::Text(text) => {
                let logprobs = std::mem::take(&mut self.logprobs);
                self.say(Prose { text: text.clone(), logprobs, ..Prose::new(false) });
            }
            Block::Refusal(text) => self.say(Prose { text: text.clone(), ..Prose::new(true) }),
            Block::Citation(citation) => {
                if let Some(last) = self.message.as_mut().and_then(|parts| parts.last_mut()) {
                    last.annotations.extend(item::annotation(citation, last.text.chars().count()));
                }
            }
            Block::Thinking { text, signature } => {
                let sealed = signature.as_deref().and_then(reasoning::open);
                let own = sealed.map(|sealed| sealed.id).filter(|id| !id.is_empty());
                let made = self.next("rs");
                let id = own.map_or(made, str::to_owned);
                let encrypted = signature.as_deref().and_then(reasoning::encrypted);
                self.push(&thought(&id, text, encrypted));
            }
            Block::RedactedThinking(data) => {
                let id = self.next("rs");
                self.push(&thought(&id, "", Some(Cow::Owned(reasoning::redacted(data)))));
            }
            Block::ToolCall { id, name, input } => {
                let writer = self.writer;
                let own = self.next(if writer.is_custom(name) { "ctc" } else { "fc" });
                let input = if input.is_empty() { "{}" } else { input };
                self.push(&writer.call(&own, "completed", (id, name), input));
            }
            Block::Image { source: Source::Inline { data, .. }, .. } => {
                let id = self.next("ig");
                self.push(&Item {
                    r#type: "image_generation_call",
                    id: Some(&id),
                    status: Some("completed"),
                    result: Some(data),
                    ..Item::default()
                });
            }
            Block::Opaque { from: Format::OpenAiResponses, raw } => {
                self.close("completed");
                self.output.push(raw.clone());
            }
            Block::Opaque { .. }
            | Block::Image { .. }
            | Block::Audio { .. }
            | Block::File { .. }
            | Block::ToolResult { .. }
            | Block::CachePoint(_) => {}
        }
    }

    fn say(&mut self, prose: Prose) {
        self.message.get_or_insert_default().push(prose);
    }

    /// The id of the next item, when the message before it is complete.
    fn next(&mut self, prefix: &str) -> String {
        self.close("completed");
        item_id(prefix, self.id, self.output.len())
    }

    fn push(&mut self, item: &Item<'_>) {
        self.output.extend(Raw::of(item).ok());
    }

    fn close(&mut self, status: &'static str) {
        if let Some(parts) = self.message.take() {
            let id = item_id("msg", self.id, self.output.len());
            self.push(&message(&id, status, parts.iter().map(Prose::part).collect()));
        }
    }
}
