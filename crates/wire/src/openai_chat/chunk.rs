//! What is picked out of an OpenAI-shaped reply or chunk, forgiving about types: each value is kept raw and
//! read by whoever wants it, so one odd member never spoils the rest.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::usage;
use crate::chat::{Block, Citation};
use crate::format::Format;
use crate::raw::Raw;
use crate::reply::Usage;

/// A reply, a chunk, or whatever else an object under this roof may be.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Reply<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) object: Option<&'a RawValue>,
    pub(super) model: Option<&'a RawValue>,
    pub(super) choices: Option<&'a RawValue>,
    usage: Option<&'a RawValue>,
    service_tier: Option<&'a RawValue>,
    pub(super) error: Option<&'a RawValue>,
    x_groq: Option<&'a RawValue>,
    base_resp: Option<&'a RawValue>,
}

/// One alternative, whole or a piece.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct WireChoice<'a> {
    index: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    delta: Option<&'a RawValue>,
    finish_reason: Option<&'a RawValue>,
    pub(super) logprobs: Option<&'a RawValue>,
    pub(super) usage: Option<&'a RawValue>,
    pub(super) error: Option<&'a RawValue>,
}

/// A message or a delta.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct WireMessage<'a> {
    content: Option<&'a RawValue>,
    reasoning_content: Option<&'a RawValue>,
    reasoning: Option<&'a RawValue>,
    refusal: Option<&'a RawValue>,
    thinking_blocks: Option<&'a RawValue>,
    annotations: Option<&'a RawValue>,
    tool_calls: Option<&'a RawValue>,
    function_call: Option<&'a RawValue>,
}

/// A block of signed reasoning, whole or a piece, as LiteLLM writes it.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct WireThinking<'a> {
    thinking: Option<&'a RawValue>,
    signature: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Annotation<'a> {
    url_citation: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct UrlCitation<'a> {
    url: Option<&'a RawValue>,
    title: Option<&'a RawValue>,
}

/// A tool call, whole or a piece.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct WireCall<'a> {
    index: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    function: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct WireFunction<'a> {
    name: Option<&'a RawValue>,
    arguments: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct WirePart<'a> {
    text: Option<&'a RawValue>,
    thinking: Option<&'a RawValue>,
    summary: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Groq<'a> {
    usage: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BaseResp {
    status_code: i64,
}

/// A piece of prose.
pub(super) enum Prose {
    Thinking,
    Text,
    Refusal,
}

/// A tool call as it was said; empty where nothing was said.
pub(super) struct Call<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) arguments: Cow<'a, str>,
}

impl<'a> Reply<'a> {
    /// The failure reported under status 200, wherever this server puts it.
    pub(super) fn failure(&self) -> Option<&'a RawValue> {
        // MiniMax reports failures as a `status_code` other than 0 in `base_resp`.
        let failed = |raw: &&RawValue| of::<BaseResp>(Some(*raw)).status_code != 0;
        present(self.error)
            .or_else(|| present(of::<Groq<'_>>(self.x_groq).error))
            .or_else(|| present(self.base_resp).filter(failed))
    }

    /// What was used, with the tier, wherever this server puts it.
    pub(super) fn usage(&self, choices: &[WireChoice<'_>]) -> Option<Usage> {
        let mut used = present(self.usage)
            .and_then(usage::read)
            .or_else(|| usage::read(of::<Groq<'_>>(self.x_groq).usage?))
            .or_else(|| choices.iter().find_map(|choice| usage::read(present(choice.usage)?)))?;
        used.tier = usage::tier(self.service_tier.map(text).as_deref());
        Some(used)
    }

    /// The choices, or `None` when there is no such list.
    pub(super) fn choices(&self) -> Option<Vec<WireChoice<'a>>> {
        let list: Vec<&RawValue> = serde_json::from_str(self.choices?.get()).ok()?;
        Some(list.into_iter().map(|raw| of(Some(raw))).collect())
    }
}

impl<'a> WireChoice<'a> {
    /// The choice's index, or its place in the list; `None` beyond any real number of choices.
    pub(super) fn index(&self, place: usize) -> Option<u32> {
        const MOST_CHOICES: u32 = 128;
        let index = match present(self.index) {
            Some(raw) => serde_json::from_str(raw.get()).ok()?,
            None => u32::try_from(place).ok()?,
        };
        (index < MOST_CHOICES).then_some(index)
    }

    /// The delta of a chunk, or the message of a whole reply: some servers mix them up.
    pub(super) fn message(&self) -> WireMessage<'a> {
        of(present(self.delta).or(self.message))
    }

    /// Why it ended, if it did; xAI says an empty string for "not yet".
    pub(super) fn finish_reason(&self) -> Option<Cow<'a, str>> {
        self.finish_reason.map(text).filter(|word| !word.is_empty())
    }
}

impl<'a> WireMessage<'a> {
    /// Calls `emit` with each piece of prose, reasoning first. Never with an empty one.
    pub(super) fn prose(&self, emit: &mut dyn FnMut(Prose, &str)) {
        let mut give = |prose, text: &str| {
            if !text.is_empty() {
                emit(prose, text);
            }
        };
        let reasoning = self.reasoning_content.map(text).filter(|text| !text.is_empty());
        give(Prose::Thinking, &reasoning.or_else(|| self.reasoning.map(text)).unwrap_or_default());
        if let Some(content) = self.content {
            if content.get().starts_with('[') {
                // Mistral and Databricks answer with a list of parts.
                for part in rows::<WirePart<'_>>(content) {
                    if let Some(thinking) = part.thinking {
                        for inner in rows::<WirePart<'_>>(thinking) {
                            give(Prose::Thinking, &inner.text.map(text).unwrap_or_default());
                        }
                        give(Prose::Thinking, &text(thinking));
                    }
                    for inner in part.summary.map(rows::<WirePart<'_>>).unwrap_or_default() {
                        give(Prose::Thinking, &inner.text.map(text).unwrap_or_default());
                    }
                    give(Prose::Text, &part.text.map(text).unwrap_or_default());
                }
            } else {
                give(Prose::Text, &text(content));
            }
        }
        give(Prose::Refusal, &self.refusal.map(text).unwrap_or_default());
    }

    /// The reasoning as signed or redacted blocks, where the server gives them.
    pub(super) fn thinking_blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for part in present(self.thinking_blocks).map(rows::<WireThinking<'_>>).unwrap_or_default() {
            if let Some(data) = present(part.data) {
                blocks.push(Block::RedactedThinking(text(data).into_owned()));
            } else {
                let signature = present(part.signature).map(|raw| text(raw).into_owned());
                let text = part.thinking.map(text).unwrap_or_default().into_owned();
                blocks.push(Block::Thinking { text, signature });
            }
        }
        blocks
    }

    /// Where the answer's statements come from.
    pub(super) fn citations(&self) -> Vec<Citation> {
        let list: Vec<&RawValue> = present(self.annotations)
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        let citation = |raw: &RawValue| {
            let page: UrlCitation<'_> = of(of::<Annotation<'_>>(Some(raw)).url_citation);
            let said = |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned());
            let (url, title) = (said(page.url), said(page.title));
            Citation { url, title, from: Format::OpenAiChat, raw: Raw::from(raw) }
        };
        list.into_iter().map(citation).collect()
    }

    /// The tool calls, a legacy function call included.
    pub(super) fn calls(&self) -> Vec<Call<'a>> {
        let mut calls: Vec<Call<'a>> = Vec::new();
        if let Some(raw) = self.tool_calls {
            for call in rows::<WireCall<'a>>(raw) {
                let index = call.index.and_then(|raw| serde_json::from_str(raw.get()).ok());
                calls.push(Call::new(index, call.id.map(text).unwrap_or_default(), call.function));
            }
        }
        if let Some(function) = present(self.function_call).filter(|_| calls.is_empty()) {
            calls.push(Call::new(Some(0), Cow::Borrowed(""), Some(function)));
        }
        calls
    }
}

impl<'a> Call<'a> {
    fn new(index: Option<u64>, id: Cow<'a, str>, function: Option<&'a RawValue>) -> Self {
        let function: WireFunction<'a> = of(function);
        let arguments = match function.arguments {
            // Some servers send the arguments as the object itself.
            Some(raw) if raw.get().starts_with('{') => Cow::Borrowed(raw.get()),
            Some(raw) => text(raw),
            None => Cow::Borrowed(""),
        };
        Self { index, id, name: function.name.map(text).unwrap_or_default(), arguments }
    }
}

/// The text of a JSON string; anything else is no text.
pub(crate) fn text(raw: &RawValue) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw.get()).map(|text| text.0).unwrap_or_default()
}

fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| !matches!(raw.get(), "null" | "\"\"" | "{}" | "false"))
}

/// The object in `raw`. A list is none, though serde would fill a struct from it by position.
pub(crate) fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

/// The object in `raw`, or an empty one.
fn of<'a, T: Default + Deserialize<'a>>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(object).unwrap_or_default()
}

/// The objects of a list.
fn rows<'a, T: Default + Deserialize<'a>>(raw: &'a RawValue) -> Vec<T> {
    let list: Vec<&'a RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    list.into_iter().map(|raw| of(Some(raw))).collect()
}
