//! The usual sets of formats, and those of single vendors: the value of a row's `speaks`. The preferred format of an
//! operation comes first; OpenAI's chat is that nearly everywhere, for most callers speak it.

use super::{Auth, Host, SignIn, Speaks};
use crate::bedrock;
use crate::dialect::Dialect;
use crate::format::Format;

const fn chat(path: &'static str) -> Speaks {
    Speaks::at(Format::OpenAiChat, path)
}

const fn embed(path: &'static str) -> Speaks {
    Speaks::at(Format::OpenAiEmbeddings, path)
}

/// Anthropic's Messages at another vendor, which mostly reads the key as Anthropic does.
const fn messages(path: &'static str) -> Speaks {
    Speaks::at(Format::AnthropicMessages, path).headers(ANTHROPIC_VERSION)
}

const fn own(dialect: Dialect, path: &'static str) -> Speaks {
    Speaks::at(Format::Own(dialect), path)
}

/// What Messages requests carry.
pub(super) const ANTHROPIC_VERSION: &[(&str, &str)] = &[("anthropic-version", "2023-06-01")];
const X_API_KEY: Auth = Auth::Header("x-api-key");

const COMPLETIONS: Speaks = Speaks::at(Format::OpenAiCompletions, "/completions");
const RESPONSES: Speaks = Speaks::at(Format::OpenAiResponses, "/responses");
const CHATS: Speaks = chat("/chat/completions");
const EMBEDDINGS: Speaks = embed("/embeddings");
const V1_MESSAGES: Speaks = messages("/v1/messages");

/// Anthropic's own API, counting included.
pub(super) const ANTHROPIC: &[Speaks] =
    &[Speaks::at(Format::AnthropicMessages, "/v1/messages").counts("/v1/messages/count_tokens")];

const fn ranks(format: Format) -> Speaks {
    Speaks::at(format, "/rerank")
}

const fn embeds(format: Format) -> Speaks {
    Speaks::at(format, "/embeddings")
}

/// All that the gateway itself answers.
pub(super) const BUILT_IN: &[Speaks] = &[CHATS, COMPLETIONS, EMBEDDINGS, ranks(Format::CohereRerank)];

// Vectors and rankings in formats of vendors' own.
pub(super) const INFINITY: &[Speaks] = &[EMBEDDINGS, ranks(Format::InfinityRerank)];
pub(super) const JINA: &[Speaks] = &[embeds(Format::JinaEmbed), ranks(Format::JinaRerank)];
pub(super) const VOYAGE: &[Speaks] = &[
    Speaks::at(Format::VoyageContextEmbed, "/contextualizedembeddings").only(is_contextual),
    Speaks::at(Format::VoyageMultimodalEmbed, "/multimodalembeddings").only(is_multimodal),
    embeds(Format::VoyageEmbed),
    ranks(Format::VoyageRerank),
];
pub(super) const MISTRAL_WAYS: &[Speaks] = &[CHATS, embeds(Format::MistralEmbed)];
pub(super) const TOGETHER: &[Speaks] = &[CHATS, COMPLETIONS, EMBEDDINGS, ranks(Format::TogetherRerank)];
pub(super) const VLLM: &[Speaks] = &[CHATS, COMPLETIONS, EMBEDDINGS, RESPONSES, ranks(Format::VllmRerank)];
pub(super) const LITELLM: &[Speaks] = &[CHATS, EMBEDDINGS, RESPONSES, ranks(Format::CohereRerank)];
// These took over Jina's words.
pub(super) const FIREWORKS: &[Speaks] =
    &[CHATS, COMPLETIONS, EMBEDDINGS, RESPONSES, ranks(Format::JinaRerank)];
pub(super) const CHAT_EMBED_RANK: &[Speaks] = &[CHATS, EMBEDDINGS, ranks(Format::JinaRerank)];
pub(super) const DEEP_INFRA: &[Speaks] =
    &[CHATS, COMPLETIONS, EMBEDDINGS, Speaks::at(Format::DeepInfraRerank, "//v1/inference/{segments}")];
/// Rerankers have a host of their own; a NIM that somebody runs has one path for its one model.
pub(super) const NVIDIA: &[Speaks] = &[
    CHATS,
    COMPLETIONS,
    EMBEDDINGS,
    Speaks::at(Format::NvidiaRerank, "https://ai.api.nvidia.com/v1/retrieval/{segments}/reranking")
        .elsewhere("/ranking"),
];
/// Pipelines at Hugging Face, else Text Embeddings Inference or an endpoint, which answers at its root.
pub(super) const HUGGING_FACE: &[Speaks] = &[
    chat("/v1/chat/completions"),
    Speaks::at(Format::HuggingFaceEmbed, "/hf-inference/models/{segments}/pipeline/feature-extraction")
        .elsewhere("/"),
    ranks(Format::HuggingFaceRerank),
];

pub(super) const CHAT: &[Speaks] = &[CHATS];
pub(super) const TEXT: &[Speaks] = &[COMPLETIONS];
pub(super) const CHAT_EMBED: &[Speaks] = &[CHATS, EMBEDDINGS];
pub(super) const CHAT_TEXT_EMBED: &[Speaks] = &[CHATS, COMPLETIONS, EMBEDDINGS];
pub(super) const CHAT_RESPONSES: &[Speaks] = &[CHATS, RESPONSES];
pub(super) const CHAT_EMBED_RESPONSES: &[Speaks] = &[CHATS, EMBEDDINGS, RESPONSES];
pub(super) const CHAT_MESSAGES_RESPONSES: &[Speaks] = &[CHATS, V1_MESSAGES, RESPONSES];
pub(super) const CHAT_EMBED_MESSAGES_RESPONSES: &[Speaks] = &[CHATS, EMBEDDINGS, V1_MESSAGES, RESPONSES];
/// All of OpenAI's formats.
pub(super) const ALL: &[Speaks] = &[CHATS, COMPLETIONS, EMBEDDINGS, RESPONSES];
pub(super) const MANUS: &[Speaks] = &[RESPONSES];

// The version is part of the path where people configure a base URL without one.
pub(super) const V1_CHAT: &[Speaks] = &[chat("/v1/chat/completions")];
pub(super) const V1_CHAT_EMBED: &[Speaks] = &[chat("/v1/chat/completions"), embed("/v1/embeddings")];
pub(super) const GEMINI: &[Speaks] = &[
    Speaks::at(Format::Gemini, "/v1beta/models/{model}:generateContent")
        .streams("/v1beta/models/{model}:streamGenerateContent?alt=sse")
        .counts("/v1beta/models/{model}:countTokens"),
    Speaks::at(Format::GeminiEmbed, "/v1beta/models/{model}:batchEmbedContents"),
];
pub(super) const COHERE: &[Speaks] = &[
    Speaks::at(Format::CohereChat, "/v2/chat"),
    Speaks::at(Format::CohereEmbed, "/v2/embed"),
    Speaks::at(Format::CohereRerank, "/v2/rerank"),
];

/// The Converse API, and the format of Anthropic's models where callers speak it or the model's name says `invoke`.
pub(super) const BEDROCK: &[Speaks] = &[
    Speaks::at(Format::BedrockConverse, "/model/{model}/converse")
        .streams("/model/{model}/converse-stream")
        .only(is_conversed)
        .hosted(Host::Bedrock),
    Speaks::at(Format::AnthropicMessages, "/model/{model}/invoke")
        .streams("/model/{model}/invoke-with-response-stream")
        .only(is_invoked)
        .hosted(Host::Bedrock),
    Speaks::at(Format::BedrockTitanEmbed, "/model/{model}/invoke").only(is_titan_embed),
    Speaks::at(Format::BedrockCohereEmbed, "/model/{model}/invoke").only(is_cohere_embed),
    Speaks::at(Format::BedrockRerank, "/rerank").only(is_reranker),
];
pub(super) const BEDROCK_SIGN_IN: Auth = Auth::SignIn(SignIn::Aws { service: "bedrock" });

const GOOGLES: &str = "/publishers/google/models/{model}:generateContent";
const GOOGLES_STREAM: &str = "/publishers/google/models/{model}:streamGenerateContent?alt=sse";
const GOOGLES_COUNT: &str = "/publishers/google/models/{model}:countTokens";

/// Google's models, those of partners, and endpoints of one's own.
pub(super) const VERTEX: &[Speaks] = &[
    Speaks::at(Format::Gemini, GOOGLES)
        .streams(GOOGLES_STREAM)
        .counts(GOOGLES_COUNT)
        .only(is_googles)
        .hosted(Host::Vertex),
    Speaks::at(Format::Gemini, "/endpoints/{model}:generateContent")
        .streams("/endpoints/{model}:streamGenerateContent?alt=sse")
        .only(is_tuned)
        .hosted(Host::Vertex),
    Speaks::at(Format::AnthropicMessages, "/publishers/anthropic/models/{model}:rawPredict")
        .streams("/publishers/anthropic/models/{model}:streamRawPredict")
        .only(is_claude)
        .hosted(Host::Vertex),
    chat("/publishers/mistralai/models/{model}:rawPredict")
        .streams("/publishers/mistralai/models/{model}:streamRawPredict")
        .only(is_mistrals)
        .naming(),
    chat("/endpoints/{model}/chat/completions").only(is_own_endpoint).naming(),
    chat("/endpoints/openapi/chat/completions").only(is_partners),
    Speaks::at(Format::VertexEmbedContent, "/publishers/google/models/{model}:embedContent")
        .only(is_embedded_by_content),
    Speaks::at(Format::VertexEmbed, "/publishers/google/models/{model}:predict")
        .only(is_embedded_by_prediction),
    Speaks::at(Format::VertexRerank, "/rankingConfigs/default_ranking_config:rank").only(is_ranker),
];

pub(super) const DATAROBOT: &[Speaks] = &[chat("/api/v2/genai/llmgw/chat/completions/")];
pub(super) const OLLAMA: &[Speaks] = &[
    Speaks::at(Format::OllamaChat, "/api/chat"),
    Speaks::at(Format::OllamaGenerate, "/api/generate"),
    Speaks::at(Format::OllamaEmbed, "/api/embed"),
];

// Vendors that speak Anthropic's Messages beside the path of their OpenAI API.
pub(super) const MINIMAX: &[Speaks] = &[CHATS, messages("//anthropic/v1/messages").auth(X_API_KEY)];
pub(super) const DEEPSEEK: &[Speaks] =
    &[CHATS, COMPLETIONS, messages("//anthropic/v1/messages").auth(X_API_KEY)];
pub(super) const BIGMODEL: &[Speaks] =
    &[CHATS, messages("//api/anthropic/v1/messages").auth(X_API_KEY), RESPONSES];
pub(super) const TENCENT: &[Speaks] = &[CHATS, V1_MESSAGES.auth(X_API_KEY)];
pub(super) const OPENCODE_GO: &[Speaks] =
    &[CHATS, messages("//inference/go/anthropic/v1/messages"), RESPONSES];
pub(super) const MANTLE: &[Speaks] =
    &[CHATS, messages("//anthropic/v1/messages").only(is_claude), RESPONSES.only(is_gpt)];
pub(super) const HOSTINGER: &[Speaks] =
    &[CHATS, EMBEDDINGS, V1_MESSAGES.only(is_claude), RESPONSES.only(is_gpt)];
pub(super) const DATABRICKS: &[Speaks] =
    &[CHATS, EMBEDDINGS, messages("/anthropic/v1/messages").only(is_claude), RESPONSES.only(is_gpt)];
pub(super) const SNOWFLAKE: &[Speaks] =
    &[chat("/cortex/v1/chat/completions"), messages("/cortex/v1/messages").only(is_claude)];
pub(super) const AZURE_AI: &[Speaks] = &[
    CHATS,
    EMBEDDINGS,
    messages("/anthropic/v1/messages").only(is_claude).auth(X_API_KEY),
    RESPONSES.only(is_gpt),
    Speaks::at(Format::CohereRerank, "/v1/rerank"),
];
/// Models of other vendors are known to Perplexity's Agent API alone.
pub(super) const PERPLEXITY: &[Speaks] =
    &[CHATS.only(is_own), Speaks::at(Format::OpenAiResponses, "/v1/responses").only(is_of_others)];

pub(super) const WATSONX: &[Speaks] = &[
    own(Dialect::WatsonxDeployment, "/ml/v1/deployments/{model}/text/chat?version=2024-03-13")
        .streams("/ml/v1/deployments/{model}/text/chat_stream?version=2024-03-13")
        .only(is_deployment),
    own(Dialect::Watsonx, "/ml/v1/text/chat?version=2024-03-13")
        .streams("/ml/v1/text/chat_stream?version=2024-03-13")
        .only(is_no_deployment),
];

const INVOCATIONS: &str = "/endpoints/{model}/invocations";
const INVOCATIONS_STREAM: &str = "/endpoints/{model}/invocations-response-stream";
pub(super) const SAGEMAKER: &[Speaks] =
    &[own(Dialect::SageMakerText, INVOCATIONS).streams(INVOCATIONS_STREAM)];
pub(super) const SAGEMAKER_CHAT: &[Speaks] =
    &[own(Dialect::SageMakerChat, INVOCATIONS).streams(INVOCATIONS_STREAM)];
pub(super) const SAGEMAKER_SIGN_IN: Auth = Auth::SignIn(SignIn::Aws { service: "sagemaker" });

pub(super) const PREDIBASE: &[Speaks] =
    &[own(Dialect::TextGeneration, "/{model}/generate").streams("/{model}/generate_stream")];
pub(super) const TRITON: &[Speaks] = &[own(Dialect::Triton, "/v2/models/{model}/generate")];
pub(super) const CUSTOM: &[Speaks] = &[own(Dialect::CustomServer, "/")];
pub(super) const WATSONX_TEXT: &[Speaks] =
    &[own(Dialect::WatsonxText, "/ml/v1/text/generation?version=2024-03-13")
        .streams("/ml/v1/text/generation_stream?version=2024-03-13")];
pub(super) const NLP_CLOUD: &[Speaks] = &[own(Dialect::NlpCloud, "/{segments}/generation")];
pub(super) const BYTEZ: &[Speaks] = &[own(Dialect::Bytez, "/{segments}")];
pub(super) const REPLICATE: &[Speaks] = &[
    own(Dialect::ReplicateVersion, "/predictions").only(is_version),
    own(Dialect::Replicate, "/{segments}/predictions").only(is_deployment),
    own(Dialect::Replicate, "/models/{segments}/predictions").only(is_replicates_model),
];
pub(super) const ORACLE: &[Speaks] = &[own(Dialect::Oracle, "/20231130/actions/chat")];

/// The last part of a name such as `databricks-claude-sonnet-4` or `anthropic.claude-…`.
fn is_claude(model: &str) -> bool {
    model.to_ascii_lowercase().split(['/', '.', '-']).any(|word| word == "claude")
}

/// OpenAI's closed models; `gpt-oss` runs on servers of any kind.
fn is_gpt(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    let family = |name: &str| model.split(['/', '.', '-']).any(|word| word == name);
    !model.contains("gpt-oss") && ["gpt", "o1", "o3", "o4"].into_iter().any(family)
}

fn is_of_others(model: &str) -> bool {
    model.contains('/')
}

fn is_own(model: &str) -> bool {
    !is_of_others(model)
}

fn is_deployment(model: &str) -> bool {
    model.starts_with("deployment/") || model.starts_with("deployments/")
}

fn is_no_deployment(model: &str) -> bool {
    !is_deployment(model)
}

/// A version of a model at Replicate: 64 hexadecimal digits, alone or behind the model's name and a colon.
fn is_version(model: &str) -> bool {
    let version = model.rsplit(':').next().unwrap_or(model);
    version.len() == 64 && version.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_replicates_model(model: &str) -> bool {
    !is_version(model) && !is_deployment(model)
}

fn is_conversed(model: &str) -> bool {
    bedrock::Address::of(model).route == bedrock::Route::Converse
}

/// Whether the format of Anthropic's models is spoken; not where the name insists on the other API.
fn is_invoked(model: &str) -> bool {
    let address = bedrock::Address::of(model);
    let insists = model.split('/').any(|word| word == "converse");
    address.route == bedrock::Route::Invoke || (is_claude(address.id) && !insists && is_conversed(model))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_tuned(model: &str) -> bool {
    is_digits(model.strip_prefix("gemini/").unwrap_or(model))
}

fn is_own_endpoint(model: &str) -> bool {
    model.strip_prefix("openai/").is_some_and(is_digits)
}

fn is_mistrals(model: &str) -> bool {
    ["mistral", "codestral", "ministral"].iter().any(|name| model.starts_with(name))
}

fn is_partners(model: &str) -> bool {
    model.contains('/') && !is_tuned(model) && !is_own_endpoint(model)
}

fn is_googles(model: &str) -> bool {
    !(is_claude(model) || is_tuned(model) || is_mistrals(model) || model.contains('/'))
}

fn is_titan_embed(model: &str) -> bool {
    model.contains("titan-embed")
}

fn is_cohere_embed(model: &str) -> bool {
    model.contains("cohere.embed")
}

/// Google's `semantic-ranker-default-004` and its kin.
fn is_ranker(model: &str) -> bool {
    model.contains("ranker")
}

fn is_contextual(model: &str) -> bool {
    model.contains("-context-")
}

fn is_multimodal(model: &str) -> bool {
    model.contains("-multimodal-")
}

fn is_reranker(model: &str) -> bool {
    model.contains("rerank")
}

/// Vertex AI's newer embedding models, which read contents of any kind.
fn is_embedded_by_content(model: &str) -> bool {
    model.starts_with("gemini-embedding-2") || model == "gemini-flash-experimental"
}

fn is_embedded_by_prediction(model: &str) -> bool {
    is_googles(model) && !is_embedded_by_content(model)
}
