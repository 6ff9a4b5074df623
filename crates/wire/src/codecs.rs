//! Which code speaks which format, as one table for each side. The only place that knows them all.

use bytes::{Bytes, BytesMut};

use crate::codec::{ClientCodec, Inbound, UpstreamCodec};
use crate::fault::{Fault, TranslateError};
use crate::format::Format;
use crate::meter::Meter;
use crate::provider::Host;
use crate::{
    anthropic_messages, bedrock, bedrock_converse, cohere_chat, gemini, ollama, openai_chat,
    openai_completions, openai_responses,
};

/// What a request says beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Spoken<'a> {
    /// The format.
    pub format: Format,
    /// The model asked for; some formats name it in the path.
    pub model: &'a str,
    /// Whether a stream is wanted; some formats say it in the path.
    pub stream: bool,
    /// Whether a stream is wanted as server-sent events, in the format that knows another way.
    pub events: bool,
}

/// The meaning of a request's body, and the writer of its reply.
///
/// # Errors
/// When the body is not a request of this format, or callers do not speak it.
pub fn decode(spoken: Spoken<'_>, body: &[u8]) -> Result<Inbound, TranslateError> {
    let mut inbound = match spoken.format {
        Format::OpenAiChat => openai_chat::ChatClient.decode(body),
        Format::OpenAiCompletions => openai_completions::CompletionClient.decode(body),
        Format::OpenAiResponses => openai_responses::ResponsesClient.decode(body),
        Format::AnthropicMessages => anthropic_messages::MessagesClient.decode(body),
        Format::Gemini => {
            let way = if spoken.events { gemini::Streamed::Events } else { gemini::Streamed::Array };
            let streamed = spoken.stream.then_some(way);
            gemini::GeminiClient { model: spoken.model.to_owned(), streamed }.decode(body)
        }
        format => Err(TranslateError::Unsupported { field: "format".to_owned(), by: format }),
    }?;
    inbound.request.stream = spoken.stream;
    Ok(inbound)
}

/// The upstream side of a chat-like format; `None` where we do not speak it to providers. Gemini's is the one of
/// AI Studio; Vertex AI has its own.
#[must_use]
pub fn upstream(format: Format, host: Host) -> Option<&'static dyn UpstreamCodec> {
    match (format, host) {
        (Format::AnthropicMessages, Host::Bedrock) => return Some(&anthropic_messages::BedrockInvoke),
        (Format::AnthropicMessages, Host::Vertex) => return Some(&anthropic_messages::VertexRaw),
        (Format::Gemini, Host::Vertex) => return Some(&gemini::GeminiUpstream::Vertex),
        _ => {}
    }
    match format {
        Format::OpenAiChat => Some(&openai_chat::ChatUpstream),
        Format::OpenAiResponses => Some(&openai_responses::ResponsesUpstream),
        Format::AnthropicMessages => Some(&anthropic_messages::MessagesUpstream),
        Format::Gemini => Some(&gemini::GeminiUpstream::AiStudio),
        Format::CohereChat => Some(&cohere_chat::CohereUpstream),
        Format::OllamaChat => Some(&ollama::OllamaChat),
        Format::OllamaGenerate => Some(&ollama::OllamaGenerate),
        Format::Own(dialect) => Some(dialect.codec()),
        Format::BedrockConverse => Some(&bedrock_converse::ConverseUpstream),
        // Embeddings, text completions and reranking are no chat: see `embeddings::upstream` and `rerank::upstream`.
        _ => None,
    }
}

/// What meters a reply that passes through in `format`; `None` for OpenAI's own, which [`crate::tap`] looks at.
#[must_use]
pub fn meter(format: Format) -> Option<Box<dyn Meter>> {
    match format {
        Format::OpenAiResponses => Some(Box::new(openai_responses::ResponsesMeter::default())),
        Format::AnthropicMessages => Some(Box::new(anthropic_messages::MessagesMeter::default())),
        Format::Gemini => Some(Box::new(gemini::GeminiMeter::default())),
        _ => None,
    }
}

/// What an upstream's error reply means. `exception` is Amazon's header `x-amzn-errortype`, which tells more than
/// the status does.
#[must_use]
pub fn fault(format: Format, status: u16, exception: Option<&str>, body: &[u8]) -> Fault {
    if exception.is_some() || format == Format::BedrockConverse {
        return bedrock_converse::fault::read(status, exception, body);
    }
    // The other shapes that are in use agree in all that is read.
    openai_chat::fault::read(status, body)
}

/// Whether an upstream needs the bytes of a medium that a request only names by its address.
#[must_use]
pub fn needs_bytes(format: Format, host: Host, url: &str) -> bool {
    match (format, host) {
        (Format::BedrockConverse, _) => bedrock::needs_bytes(url),
        (Format::AnthropicMessages, Host::Bedrock | Host::Vertex) => true,
        (Format::Gemini, Host::Vertex) => gemini::GeminiUpstream::Vertex.needs_bytes(url),
        (Format::Gemini, _) => gemini::GeminiUpstream::AiStudio.needs_bytes(url),
        (Format::OllamaChat | Format::OllamaGenerate, _) => true,
        _ => false,
    }
}

/// An error body in the client's format, where that is not OpenAI's shape.
#[must_use]
pub fn error_body(format: Format, fault: &Fault) -> Option<Bytes> {
    match format {
        Format::OpenAiResponses => Some(openai_responses::fault::body_of(fault)),
        Format::AnthropicMessages => Some(anthropic_messages::fault::body_of(fault)),
        Format::Gemini => Some(gemini::fault::body_of(fault)),
        _ => None,
    }
}

/// Appends the frame that tells a client in the middle of a stream that it failed. Nothing in OpenAI's formats.
pub fn error_frame(format: Format, fault: &Fault, out: &mut BytesMut) {
    let Some(body) = error_body(format, fault) else { return };
    match format {
        Format::AnthropicMessages => out.extend_from_slice(b"event: error\n"),
        Format::OpenAiResponses => {
            out.extend_from_slice(b"event: error\ndata: ");
            out.extend_from_slice(&openai_responses::fault::event_of(fault));
            out.extend_from_slice(b"\n\n");
            return;
        }
        _ => {}
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&body);
    out.extend_from_slice(b"\n\n");
}
