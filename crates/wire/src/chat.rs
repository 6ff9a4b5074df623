//! The canonical chat request: turns made of content blocks.
//!
//! Richer than an OpenAI message list, so that every other format embeds in it and keeps its order.
//! Not for same-format traffic: that is spliced, see [`crate::envelope`].

use crate::format::Format;
use crate::raw::Raw;

/// One request to continue a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatRequest {
    /// The model as the upstream knows it (or, fresh from a client, as the client named it).
    pub model: String,
    /// Whether the reply is wanted as a stream.
    pub stream: bool,
    /// Whether the caller asked to see usage in the stream.
    pub stream_usage: bool,
    /// The conversation, oldest first.
    pub turns: Vec<Turn>,
    /// Functions the model may call.
    pub tools: Vec<Tool>,
    /// Whether and which tool must be called.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called in one turn.
    pub parallel_tool_calls: Option<bool>,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// How much to think before answering: the word the caller used (`low`, `high`, `none`, …).
    pub reasoning_effort: Option<String>,
    /// The shape the answer's text must have.
    pub shape: Shape,
    /// The caller's end user, as OpenAI's `user`.
    pub user: Option<String>,
    /// Top-level fields that are not modelled, verbatim and in order.
    pub extras: Vec<(String, Raw)>,
}

/// One speaker's contribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// The speaker's name, where the format has one.
    pub name: Option<String>,
    /// What is said, in order.
    pub blocks: Vec<Block>,
}

/// Who speaks in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the application.
    System,
    /// Instructions of the application, in OpenAI's newer word.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// Results of tools.
    Tool,
}

/// One piece of a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Plain text.
    Text(String),
    /// The model's reasoning; `signature` is what some providers need to see again.
    Thinking { text: String, signature: Option<String> },
    /// The model declining to answer.
    Refusal(String),
    /// A call of a tool. `input` is the arguments' JSON text exactly as the model wrote it.
    ToolCall { id: String, name: String, input: String },
    /// The result of the call with this id.
    ToolResult { id: String, content: Vec<Block> },
    /// A picture. `detail` is OpenAI's `low`, `high`, `auto`.
    Image { source: Source, detail: Option<String> },
    /// A sound. `format` is OpenAI's `wav`, `mp3`, ….
    Audio { data: String, format: String },
    /// A document.
    File { source: Source, name: Option<String> },
    /// A part that no other variant models; only its own format may write it back.
    Opaque { from: Format, raw: Raw },
}

/// Where the bytes of a picture or document are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// At an address.
    Url(String),
    /// Here, in base64, with a media type such as `image/png`.
    Inline { media_type: String, data: String },
    /// At the provider, under this id.
    Id(String),
}

/// A function the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// The function's name.
    pub name: String,
    /// What it does, for the model.
    pub description: Option<String>,
    /// JSON Schema of its arguments, verbatim.
    pub parameters: Option<Raw>,
    /// Whether arguments must follow the schema strictly.
    pub strict: Option<bool>,
}

/// Whether and which tool must be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool may be called.
    Never,
    /// Some tool must be called.
    Required,
    /// This tool must be called.
    Named(String),
}

/// The shape the answer's text must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shape {
    /// Any text.
    #[default]
    Text,
    /// Some JSON object.
    Json,
    /// JSON that follows this schema.
    Schema { name: Option<String>, schema: Raw, strict: Option<bool> },
}

/// How tokens are drawn. Absent means the upstream's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// Randomness, 0 to 2.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Upper bound of generated tokens, whichever of OpenAI's two names it came under.
    pub max_tokens: Option<u64>,
    /// How many alternatives to generate.
    pub choices: Option<u32>,
    /// Texts that end the generation.
    pub stop: Vec<String>,
    /// Seed for repeatable draws.
    pub seed: Option<i64>,
    /// Penalty on tokens already present.
    pub presence_penalty: Option<f64>,
    /// Penalty on frequent tokens.
    pub frequency_penalty: Option<f64>,
    /// Whether to return log-probabilities.
    pub logprobs: Option<bool>,
    /// How many alternatives per position to return log-probabilities for.
    pub top_logprobs: Option<u32>,
}
