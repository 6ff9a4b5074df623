//! The upstream side of every chat-like format, by the name of its directory of fixtures.

use tollgate_wire::anthropic_messages::{BedrockInvoke, MessagesUpstream, VertexRaw};
use tollgate_wire::bedrock_converse::ConverseUpstream;
use tollgate_wire::codec::UpstreamCodec;
use tollgate_wire::cohere_chat::CohereUpstream;
use tollgate_wire::gemini::GeminiUpstream;
use tollgate_wire::ollama::{OllamaChat, OllamaGenerate};
use tollgate_wire::openai_chat::ChatUpstream;
use tollgate_wire::openai_responses::ResponsesUpstream;
use tollgate_wire::oracle::OracleChat;
use tollgate_wire::prompted::{Bytez, CustomServer, NlpCloud, TextGeneration, TritonGenerate, WatsonxText};
use tollgate_wire::replicate::Prediction;
use tollgate_wire::sagemaker::{EndpointChat, EndpointText};
use tollgate_wire::watsonx::WatsonxChat;

/// A further codec is a further line.
pub(crate) const UPSTREAMS: &[(&str, &dyn UpstreamCodec)] = &[
    ("anthropic_bedrock", &BedrockInvoke),
    ("anthropic_messages", &MessagesUpstream),
    ("anthropic_vertex", &VertexRaw),
    ("bedrock_converse", &ConverseUpstream),
    ("bytez", &Bytez),
    ("cohere_chat", &CohereUpstream),
    ("custom_server", &CustomServer),
    ("gemini", &GeminiUpstream::AiStudio),
    ("gemini_vertex", &GeminiUpstream::Vertex),
    ("nlp_cloud", &NlpCloud),
    ("ollama_chat", &OllamaChat),
    ("ollama_generate", &OllamaGenerate),
    ("openai_chat", &ChatUpstream),
    ("openai_responses", &ResponsesUpstream),
    ("oracle", &OracleChat),
    ("replicate", &Prediction { versioned: false }),
    ("replicate_version", &Prediction { versioned: true }),
    ("sagemaker_chat", &EndpointChat),
    ("sagemaker_text", &EndpointText),
    ("text_generation", &TextGeneration),
    ("triton", &TritonGenerate),
    ("watsonx", &WatsonxChat { deployment: false }),
    ("watsonx_deployment", &WatsonxChat { deployment: true }),
    ("watsonx_text", &WatsonxText),
];
