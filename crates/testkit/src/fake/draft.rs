//! The reply before it has a dialect: text, pieces, tool calls, usage.

use http::HeaderMap;
use serde_json::{Map, Value, json};

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
    /// In OpenAI's shape unless the script says otherwise; none when the script forbids it.
    pub(crate) usage: Option<Value>,
    pub(crate) includes_usage: bool,
    pub(crate) done: bool,
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
            draft.usage = Some(script.usage.clone().unwrap_or_else(|| draft.counted(prompt.words())));
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

    /// Identifies the reply; unique within one provider.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}-fake-{}", self.index)
    }

    fn counted(&self, prompt_words: u64) -> Value {
        let tools: u64 = self.tools.iter().map(|tool| 1 + count_words(&tool.arguments_text())).sum();
        let thinking = self.thinking.as_deref().map_or(0, count_words);
        let reply_words = (count_words(&self.text()) + tools + thinking) * self.choices;
        json!({
            "prompt_tokens": prompt_words,
            "completion_tokens": reply_words,
            "total_tokens": prompt_words + reply_words,
        })
    }
}

fn reply_text(script: &Script, prompt: &Prompt, headers: &HeaderMap) -> String {
    if script.echo_headers {
        let echoed: Map<String, Value> =
            header_pairs(headers).into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        return Value::Object(echoed).to_string();
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
