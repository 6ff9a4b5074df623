//! The wire dialects by name, and which operation each one carries.

use crate::dialect::Dialect;

/// A wire dialect. Behaviour hangs on the codecs, not on matches over this enum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `POST …/chat/completions`, as OpenAI documents it.
    #[default]
    OpenAiChat,
    /// `POST …/completions`, OpenAI's legacy text completion.
    OpenAiCompletions,
    /// `POST …/embeddings`, as OpenAI documents it.
    OpenAiEmbeddings,
    /// `POST …/v1/messages`, as Anthropic documents it.
    AnthropicMessages,
    /// `POST …/responses`, as OpenAI documents it.
    OpenAiResponses,
    /// Google's `:generateContent`, on AI Studio and on Vertex AI.
    Gemini,
    /// Amazon Bedrock's `/model/ID/converse`, streamed as AWS events.
    BedrockConverse,
    /// Cohere's `POST /v2/chat`.
    CohereChat,
    /// Ollama's `POST /api/chat`, newline-delimited JSON.
    OllamaChat,
    /// Ollama's `POST /api/generate`, newline-delimited JSON.
    OllamaGenerate,
    /// Ollama's `POST /api/embed`.
    OllamaEmbed,
    /// A way to chat that one vendor or server speaks alone.
    Own(Dialect),
}

/// What a caller wants done, whatever the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A conversation continued.
    Chat,
    /// A text continued.
    Completion,
    /// Vectors for texts.
    Embedding,
}

impl Format {
    /// The operation that requests in this format ask for.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::OpenAiChat
            | Self::OpenAiResponses
            | Self::AnthropicMessages
            | Self::Gemini
            | Self::BedrockConverse
            | Self::CohereChat
            | Self::OllamaChat
            | Self::Own(_) => Operation::Chat,
            Self::OpenAiCompletions | Self::OllamaGenerate => Operation::Completion,
            Self::OpenAiEmbeddings | Self::OllamaEmbed => Operation::Embedding,
        }
    }

    /// The name shown to people, in messages and logs.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::OpenAiChat => "OpenAI chat completions",
            Self::OpenAiCompletions => "OpenAI completions",
            Self::OpenAiEmbeddings => "OpenAI embeddings",
            Self::AnthropicMessages => "Anthropic Messages",
            Self::OpenAiResponses => "OpenAI Responses",
            Self::Gemini => "Gemini",
            Self::BedrockConverse => "Bedrock Converse",
            Self::CohereChat => "Cohere chat",
            Self::OllamaChat => "Ollama chat",
            Self::OllamaGenerate => "Ollama generate",
            Self::OllamaEmbed => "Ollama embed",
            Self::Own(dialect) => dialect.title(),
        }
    }
}

impl Operation {
    /// The route of this operation, as error messages name it (`/chat/completions`).
    #[must_use]
    pub const fn route(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Completion => "/completions",
            Self::Embedding => "/embeddings",
        }
    }

    /// The `mode` of this operation in `model_info` and in the model catalog.
    #[must_use]
    pub const fn mode(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "completion",
            Self::Embedding => "embedding",
        }
    }
}
