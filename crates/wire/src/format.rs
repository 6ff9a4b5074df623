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
    /// Cohere's `POST /v2/embed`.
    CohereEmbed,
    /// Cohere's embedding models on Bedrock, `/model/ID/invoke`.
    BedrockCohereEmbed,
    /// Amazon's Titan embedding models on Bedrock, `/model/ID/invoke`: one text a call.
    BedrockTitanEmbed,
    /// Voyage's `POST /v1/embeddings`.
    VoyageEmbed,
    /// Voyage's `POST /v1/contextualizedembeddings`.
    VoyageContextEmbed,
    /// Voyage's `POST /v1/multimodalembeddings`.
    VoyageMultimodalEmbed,
    /// Jina's `POST /v1/embeddings`.
    JinaEmbed,
    /// Mistral's `POST /v1/embeddings`.
    MistralEmbed,
    /// Hugging Face feature extraction, hosted or by Text Embeddings Inference (`POST /embed`).
    HuggingFaceEmbed,
    /// Google's `:batchEmbedContents`, on AI Studio.
    GeminiEmbed,
    /// Google's `:predict` of text embedding models, on Vertex AI.
    VertexEmbed,
    /// Google's `:embedContent`, on Vertex AI: one text a call.
    VertexEmbedContent,
    /// `POST /v2/rerank`, as Cohere documents it.
    CohereRerank,
    /// Cohere's older `POST /v1/rerank`.
    CohereRerankV1,
    /// Jina's `POST /v1/rerank`.
    JinaRerank,
    /// Voyage's `POST /v1/rerank`.
    VoyageRerank,
    /// Together's `POST /v1/rerank`.
    TogetherRerank,
    /// vLLM's `POST /rerank`.
    VllmRerank,
    /// Infinity's `POST /rerank`.
    InfinityRerank,
    /// Bedrock's `POST /rerank` of the agent runtime.
    BedrockRerank,
    /// `POST /rerank` of Hugging Face's Text Embeddings Inference.
    HuggingFaceRerank,
    /// DeepInfra's `POST /v1/inference/MODEL` for rerankers.
    DeepInfraRerank,
    /// NVIDIA NIM's `POST …/reranking`.
    NvidiaRerank,
    /// Google's `…/rankingConfigs/CONFIG:rank`, of Vertex AI Search.
    VertexRerank,
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
    /// Documents ordered by what they say to a question.
    Rerank,
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
            Self::OpenAiEmbeddings
            | Self::OllamaEmbed
            | Self::CohereEmbed
            | Self::BedrockCohereEmbed
            | Self::BedrockTitanEmbed
            | Self::VoyageEmbed
            | Self::VoyageContextEmbed
            | Self::VoyageMultimodalEmbed
            | Self::JinaEmbed
            | Self::MistralEmbed
            | Self::HuggingFaceEmbed
            | Self::GeminiEmbed
            | Self::VertexEmbed
            | Self::VertexEmbedContent => Operation::Embedding,
            Self::CohereRerank
            | Self::CohereRerankV1
            | Self::JinaRerank
            | Self::VoyageRerank
            | Self::TogetherRerank
            | Self::VllmRerank
            | Self::InfinityRerank
            | Self::BedrockRerank
            | Self::HuggingFaceRerank
            | Self::DeepInfraRerank
            | Self::NvidiaRerank
            | Self::VertexRerank => Operation::Rerank,
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
            Self::CohereEmbed => "Cohere embed",
            Self::BedrockCohereEmbed => "Cohere embed on Bedrock",
            Self::BedrockTitanEmbed => "Titan embeddings on Bedrock",
            Self::VoyageEmbed => "Voyage embeddings",
            Self::VoyageContextEmbed => "Voyage contextualized embeddings",
            Self::VoyageMultimodalEmbed => "Voyage multimodal embeddings",
            Self::JinaEmbed => "Jina embeddings",
            Self::MistralEmbed => "Mistral embeddings",
            Self::HuggingFaceEmbed => "Hugging Face feature extraction",
            Self::GeminiEmbed => "Gemini embeddings",
            Self::VertexEmbed => "Vertex AI embeddings",
            Self::VertexEmbedContent => "Vertex AI embeddings of contents",
            Self::CohereRerank => "Cohere rerank",
            Self::CohereRerankV1 => "Cohere rerank v1",
            Self::JinaRerank => "Jina rerank",
            Self::VoyageRerank => "Voyage rerank",
            Self::TogetherRerank => "Together rerank",
            Self::VllmRerank => "vLLM rerank",
            Self::InfinityRerank => "Infinity rerank",
            Self::BedrockRerank => "Bedrock rerank",
            Self::HuggingFaceRerank => "Hugging Face rerank",
            Self::DeepInfraRerank => "DeepInfra rerank",
            Self::NvidiaRerank => "NVIDIA NIM rerank",
            Self::VertexRerank => "Vertex AI ranking",
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
            Self::Rerank => "/rerank",
        }
    }

    /// The `mode` of this operation in `model_info` and in the model catalog.
    #[must_use]
    pub const fn mode(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "completion",
            Self::Embedding => "embedding",
            Self::Rerank => "rerank",
        }
    }
}
