//! What the provider reads of a request: which dialect, which model, which words.

use serde_json::Value;

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
    /// Answered only by scripts that need no dialect (`raw`, `status`, `error`).
    Other,
}

impl Dialect {
    pub(crate) fn of(path: &str) -> Self {
        let ends = [
            ("/chat/completions", Self::Chat),
            ("/completions", Self::Completions),
            ("/embeddings", Self::Embeddings),
            ("/api/chat", Self::OllamaChat),
            ("/api/generate", Self::OllamaGenerate),
            ("/api/embed", Self::OllamaEmbed),
        ];
        ends.into_iter().find(|(end, _)| path.ends_with(end)).map_or(Self::Other, |(_, dialect)| dialect)
    }

    pub(crate) fn is_ollama(self) -> bool {
        matches!(self, Self::OllamaChat | Self::OllamaGenerate | Self::OllamaEmbed)
    }
}

/// A request, read.
pub(crate) struct Prompt {
    pub(crate) dialect: Dialect,
    /// Empty when neither body nor path names one.
    pub(crate) model: String,
    pub(crate) body: Value,
}

impl Prompt {
    /// Never fails: what cannot be read is absent.
    pub(crate) fn read(path: &str, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let model =
            body.get("model").and_then(Value::as_str).or_else(|| model_in_path(path)).unwrap_or_default();
        Self { dialect: Dialect::of(path), model: model.to_owned(), body }
    }

    /// Ollama streams unless told not to; OpenAI the other way round.
    pub(crate) fn streams(&self) -> bool {
        self.body.get("stream").and_then(Value::as_bool).unwrap_or(self.dialect.is_ollama())
    }

    pub(crate) fn includes_usage(&self) -> bool {
        self.body.pointer("/stream_options/include_usage").and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn choices(&self) -> u64 {
        self.body.get("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, MOST_CHOICES)
    }

    /// The last user message's text, or the text of `prompt`.
    pub(crate) fn last_user_text(&self) -> String {
        let messages =
            self.body.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let last = messages.iter().rev().find(|message| message["role"] == "user");
        let content = last.map_or(&self.body["prompt"], |message| &message["content"]);
        texts(content).join(" ")
    }

    /// Words of everything that is prompt.
    pub(crate) fn words(&self) -> u64 {
        let messages =
            self.body.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let contents = messages.iter().map(|message| &message["content"]);
        contents.chain([&self.body["prompt"], &self.body["system"]]).flat_map(texts).map(count_words).sum()
    }
}

pub(crate) fn count_words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
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

/// `…/deployments/{model}/…` (Azure) and `…/models/{model}:verb` (Google).
fn model_in_path(path: &str) -> Option<&str> {
    let mut segments = path.split('/');
    segments.find(|segment| matches!(*segment, "deployments" | "models"))?;
    let model = segments.next()?;
    Some(model.split_once(':').map_or(model, |(name, _)| name))
}
