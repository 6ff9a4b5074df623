//! The reply before it has a dialect: text, pieces, tool calls, usage.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::embedding::fnv1a;
use super::log::header_pairs;
use super::prompt::{Prompt, count_words};
use super::script::{Chunk, Script, ToolCall};

/// The same instant in every reply: tests compare whole bodies.
pub(crate) const CREATED: u64 = 1_700_000_000;

/// What will be said.
pub(crate) struct Draft {
    pub(crate) index: u64,
    pub(crate) model: String,
    pub(crate) choices: u64,
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) thinking: Option<String>,
    pub(crate) tools: Vec<ToolCall>,
    pub(crate) finish_reason: String,
    pub(crate) includes_usage: bool,
    pub(crate) done: bool,
    /// None when the script forbids it.
    usage: Option<Usage>,
}

enum Usage {
    Scripted(Value),
    Counted(Counts),
}

/// Words, which are this provider's tokens.
pub(crate) struct Counts {
    pub(crate) input: u64,
    /// With `reasoning`.
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

impl Draft {
    pub(crate) fn new(script: &Script, prompt: &Prompt, headers: &HeaderMap, index: u64) -> Self {
        let chunks = if script.chunks.is_empty() {
            words_with_spaces(&reply_text(script, prompt, headers))
        } else {
            script.chunks.clone()
        };
        let mut draft = Self {
            index,
            model: prompt.model.clone(),
            choices: prompt.choices(),
            chunks,
            thinking: script.thinking.clone(),
            tools: script.tools.clone(),
            finish_reason: script
                .finish_reason
                .clone()
                .unwrap_or_else(|| (if script.tools.is_empty() { "stop" } else { "tool_calls" }).to_owned()),
            usage: None,
            includes_usage: prompt.includes_usage(),
            done: !script.no_done,
        };
        if !script.no_usage {
            let counted = || Usage::Counted(draft.counted(prompt.words()));
            draft.usage = Some(script.usage.clone().map_or_else(counted, Usage::Scripted));
        }
        draft
    }

    /// The text chunks, joined.
    pub(crate) fn text(&self) -> String {
        let text = |chunk: &Chunk| match chunk {
            Chunk::Text(text) => Some(text.clone()),
            Chunk::Raw { .. } => None,
        };
        self.chunks.iter().filter_map(text).collect()
    }

    /// Whether there is text to say: always, but for a reply that is tool calls alone.
    pub(crate) fn speaks(&self) -> bool {
        self.tools.is_empty() || !self.chunks.is_empty()
    }

    /// Identifies the reply; unique within one provider.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}-fake-{}", self.index)
    }

    pub(crate) fn tool_id(&self, prefix: &str, index: usize, tool: &ToolCall) -> String {
        tool.id.clone().unwrap_or_else(|| format!("{prefix}_fake_{}_{index}", self.index))
    }

    /// The usage as the script gives it, else counted and put into the dialect's shape.
    pub(crate) fn usage(&self, shape: impl FnOnce(&Counts) -> Value) -> Option<Value> {
        self.usage.as_ref().map(|usage| match usage {
            Usage::Scripted(usage) => usage.clone(),
            Usage::Counted(counts) => shape(counts),
        })
    }

    /// The finish reason in the dialect's words; one that has none is sent as the script has it.
    pub(crate) fn finish_as<'a>(&'a self, words: &[(&str, &'a str)]) -> &'a str {
        let word = words.iter().find(|(ours, _)| *ours == self.finish_reason);
        word.map_or(&self.finish_reason, |(_, theirs)| theirs)
    }

    fn counted(&self, input: u64) -> Counts {
        let tools: u64 = self.tools.iter().map(|tool| 1 + count_words(&tool.arguments_text())).sum();
        let reasoning = self.thinking.as_deref().map_or(0, count_words) * self.choices;
        let output = (count_words(&self.text()) + tools) * self.choices + reasoning;
        Counts { input, output, reasoning }
    }
}

/// Two fragments of about the same length: a reader that expects a value whole shows.
pub(crate) fn halves(text: &str) -> (&str, &str) {
    let middle = text.len() / 2;
    text.split_at((middle..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0))
}

/// A multiple of three bytes long, so that it is recognised in base64 too.
const SIGNED: &str = "signed-by-the-fake-provider";

/// What makes thinking replayable: it fits one text only, so that mixing blocks up shows.
pub(crate) fn signature(thinking: &str) -> String {
    BASE64_STANDARD.encode(format!("{SIGNED}{:016x}", fnv1a(thinking.as_bytes())))
}

/// Whether a signature may stand beside the text. One that another party made is taken on trust.
pub(crate) fn signature_fits(signature_text: &str, thinking: &str) -> bool {
    let ours = BASE64_STANDARD.encode(SIGNED);
    !signature_text.is_empty()
        && (!signature_text.starts_with(&ours) || signature_text == signature(thinking))
}

fn reply_text(script: &Script, prompt: &Prompt, headers: &HeaderMap) -> String {
    if script.echo_headers {
        let echoed: Map<String, Value> =
            header_pairs(headers).into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        return json!(echoed).to_string();
    }
    match &script.reply {
        Some(reply) => reply.clone(),
        None if !script.tools.is_empty() => String::new(),
        None => format!("You said: {}", prompt.last_user_text()),
    }
}

/// One chunk a word, spaces kept, so that the joined chunks are the text.
fn words_with_spaces(text: &str) -> Vec<Chunk> {
    text.split_inclusive(char::is_whitespace).map(|word| Chunk::Text(word.to_owned())).collect()
}
