//! The canonical chat request: turns made of content blocks.
//!
//! Richer than an OpenAI message list, so that every other format embeds in it and keeps its order.
//! Not for same-format traffic: that is spliced, see [`crate::envelope`].

use std::fmt;

use crate::format::Format;
use crate::raw::Raw;

/// One request to continue a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatRequest {
    /// The format the caller spoke: `extras` and the `hints` of tools and files are in its words.
    pub format: Format,
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
    /// How to think, for callers who say it as Anthropic does.
    pub thinking: Option<Thinking>,
    /// The shape the answer's text must have.
    pub shape: Shape,
    /// The caller's end user, as OpenAI's `user`.
    pub user: Option<String>,
    /// Top-level fields that are not modelled, verbatim and in order.
    pub extras: Vec<(String, Raw)>,
}

impl ChatRequest {
    /// How much to think, as one of OpenAI's words, however the caller said it.
    #[must_use]
    pub fn effort(&self) -> Option<&str> {
        let mode = self.thinking.as_ref().map(|thinking| thinking.mode);
        self.reasoning_effort.as_deref().or(match mode {
            None => None,
            Some(ThinkingMode::Off) => Some("none"),
            Some(ThinkingMode::Budget(0..2048)) => Some("low"),
            Some(ThinkingMode::Adaptive | ThinkingMode::Budget(2048..4096)) => Some("medium"),
            Some(ThinkingMode::Budget(_)) => Some("high"),
        })
    }

    /// The names of tools that the request speaks of: declared, chosen, called.
    pub(crate) fn tool_names(&self) -> impl Iterator<Item = &str> + Clone {
        let chosen = self.tool_choice.iter().filter_map(|choice| match choice {
            ToolChoice::Named(name) => Some(name.as_str()),
            ToolChoice::Auto | ToolChoice::Never | ToolChoice::Required => None,
        });
        let called = self.turns.iter().flat_map(|turn| &turn.blocks).filter_map(|block| match block {
            Block::ToolCall { name, .. } => Some(name.as_str()),
            _ => None,
        });
        self.tools.iter().map(|tool| tool.name.as_str()).chain(chosen).chain(called)
    }

    /// The turns with their paths in the body the caller sent, for errors and losses, which alone they are written for.
    pub fn placed(&self) -> impl Iterator<Item = (TurnPath, &Turn)> {
        // What these callers write outside of the list. OpenAI's write every system turn in it.
        let (list, outside) = match self.format {
            Format::AnthropicMessages => ("messages", "system"),
            Format::OpenAiResponses => ("input", "instructions"),
            Format::Gemini => ("contents", "systemInstruction"),
            _ => ("messages", ""),
        };
        let mut next = 0;
        self.turns.iter().enumerate().map(move |(at, turn)| {
            if at == 0 && turn.role == Role::System && !outside.is_empty() {
                return (TurnPath { list: outside, at: None }, turn);
            }
            let path = TurnPath { list, at: Some(next) };
            next += if self.format == Format::OpenAiResponses { turn.items() } else { 1 };
            (path, turn)
        })
    }
}

/// Where a turn stands in the body the caller sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TurnPath {
    list: &'static str,
    at: Option<usize>,
}

impl TurnPath {
    /// The path of the message in `turn`, whose path this is, where a turn is several items.
    pub(crate) fn message(self, turn: &Turn) -> Self {
        let before = turn.blocks.iter().take_while(|block| !block.is_prose()).count();
        Self { at: self.at.map(|at| at + before), ..self }
    }
}

impl fmt::Display for TurnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{}[{at}]", self.list),
            None => f.write_str(self.list),
        }
    }
}

impl Turn {
    /// What `role` says, without a name.
    #[must_use]
    pub fn new(role: Role, blocks: Vec<Block>) -> Self {
        Self { role, name: None, phase: None, blocks }
    }

    /// How many items of the Responses API's `input` the turn is: a turn of the assistant may be several.
    fn items(&self) -> usize {
        if self.role != Role::Assistant {
            return 1;
        }
        let apart = self.blocks.iter().filter(|block| !block.is_prose()).count();
        apart + usize::from(self.blocks.iter().any(Block::is_prose) || self.blocks.is_empty())
    }
}

/// How to think before answering, in Anthropic's words.
#[derive(Clone, Debug, PartialEq)]
pub struct Thinking {
    /// What the object asks for.
    pub mode: ThinkingMode,
    /// The whole object, verbatim.
    pub raw: Raw,
}

/// What a `thinking` object asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThinkingMode {
    /// No thinking.
    Off,
    /// As much as the model finds fit.
    Adaptive,
    /// At most this many tokens.
    Budget(u64),
}

/// One speaker's contribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// The speaker's name, where the format has one.
    pub name: Option<String>,
    /// What a message of the model is in its answer, in the Responses API's words: `commentary`, `final_answer`.
    pub phase: Option<String>,
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
    /// Reasoning that only its provider can read; it wants to see it again.
    RedactedThinking(String),
    /// The model declining to answer.
    Refusal(String),
    /// A call of a tool. `input` is the arguments' JSON text exactly as the model wrote it.
    ToolCall { id: String, name: String, input: String },
    /// The result of the call with this id. `failed` says that the tool did not do its work.
    ToolResult { id: String, content: Vec<Block>, failed: bool },
    /// A picture. `detail` is OpenAI's `low`, `high`, `auto`.
    Image { source: Source, detail: Option<String> },
    /// A sound. `format` is OpenAI's `wav`, `mp3`, ….
    Audio { data: String, format: String },
    /// A document. `hints` are members that only the caller's format knows (`citations`, `context`).
    File { source: Source, name: Option<String>, hints: Vec<(String, Raw)> },
    /// A source of the text before it.
    Citation(Citation),
    /// The prompt up to here is worth caching; the value is Anthropic's `cache_control`. A hint: formats that
    /// cannot say it leave it out, and nothing is lost by that but money.
    CachePoint(Raw),
    /// A part that no other variant models; only its own format may write it back.
    Opaque { from: Format, raw: Raw },
}

impl Block {
    /// Whether it is part of a message where calls and reasoning stand apart, as in the Responses API.
    pub(crate) fn is_prose(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Refusal(_) | Self::Citation(_))
    }
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
    /// Here, as plain text.
    Text(String),
}

/// Where a statement of the model comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// The page's address, if it is a page.
    pub url: Option<String>,
    /// The page's or document's title.
    pub title: Option<String>,
    /// The format of `raw`.
    pub from: Format,
    /// The whole citation, verbatim.
    pub raw: Raw,
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
    /// Members of the declaration that only some formats know (`cache_control`, `defer_loading`), verbatim.
    pub hints: Vec<(String, Raw)>,
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
