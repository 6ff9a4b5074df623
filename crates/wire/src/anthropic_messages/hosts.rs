//! Claude in its own words at other hosts: Bedrock's `invoke` and Vertex AI's `rawPredict`. Both take the Messages
//! API's body without its `model` (the path names it), with the version and the beta flags that are headers at
//! Anthropic. Bedrock wraps each event of a stream in a message of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::betas::{self, Host};
use super::claude::Claude;
use super::encode::{Head, write};
use super::reader::{Memory, MessagesReader};
use super::stream::MessagesDecoder;
use crate::bedrock_converse::fault;
use crate::chat::{Block, ChatRequest, Source};
use crate::codec::{Finish, Outbound, Read, ReplyReader, StreamDecoder, Target, UpstreamCodec};
use crate::event::ChatEvent;
use crate::fault::{Fault, TranslateError};
use crate::format::Format;
use crate::frame::{Frame, Framing};
use crate::openai_chat::malformed;
use crate::raw::Raw;
use crate::reply::ChatResponse;

/// We speak the Messages API to Bedrock's `invoke` and `invoke-with-response-stream`.
#[derive(Clone, Copy, Debug, Default)]
pub struct BedrockInvoke;

/// We speak the Messages API to Vertex AI's `rawPredict` and `streamRawPredict`.
#[derive(Clone, Copy, Debug, Default)]
pub struct VertexRaw;

/// What hosts other than Anthropic say elsewhere or do not know.
const REFUSED: [&str; 6] =
    ["anthropic_beta", "anthropic_version", "betas", "inference_geo", "service_tier", "speed"];

impl UpstreamCodec for BedrockInvoke {
    fn format(&self) -> Format {
        Format::AnthropicMessages
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let head = head(request, Host::Invoke, "bedrock-2023-05-31")?;
        let (written, memory) = write(request, target, Claude::of(target.model).without_schema(), head)?;
        Ok(written.read_by(Box::new(InvokeReader { inner: MessagesReader { memory } })))
    }
}

impl UpstreamCodec for VertexRaw {
    fn format(&self) -> Format {
        Format::AnthropicMessages
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let stream = request.stream.then_some(true);
        let head = Head { stream, ..head(request, Host::Vertex, "vertex-2023-10-16")? };
        let (written, memory) = write(request, target, Claude::of(target.model).without_schema(), head)?;
        Ok(written.read_by(Box::new(MessagesReader { memory })))
    }
}

fn head(request: &ChatRequest, host: Host, version: &'static str) -> Result<Head<'static>, TranslateError> {
    for (path, turn) in request.placed() {
        has_bytes(&turn.blocks, &path.to_string())?;
    }
    let mut anthropic_beta = betas::of(request, host);
    let mut add = |flag: &str| {
        if !anthropic_beta.iter().any(|known| known == flag) {
            anthropic_beta.push(flag.to_owned());
        }
    };
    let advanced = |name: &str| matches!(name, "allowed_callers" | "defer_loading" | "input_examples");
    if request.tools.iter().flat_map(|tool| &tool.hints).any(|(name, _)| advanced(name)) {
        add("tool-search-tool-2025-10-19");
    }
    for (name, raw) in &request.extras {
        match name.as_str() {
            "web_search_options" if host == Host::Invoke => return Err(malformed(name, NO_SEARCH)),
            "web_search_options" => add(SEARCH),
            "context_management" => add("context-management-2025-06-27"),
            "tools" => {
                let tools: Vec<Raw> =
                    serde_json::from_str(raw.text()).map_err(|_| malformed(name, "must be a list"))?;
                let kinds: Vec<String> = tools.iter().map(super::block_type).collect();
                if host == Host::Invoke && kinds.iter().any(|kind| kind.starts_with("web_")) {
                    return Err(malformed(name, NO_SEARCH));
                }
                if kinds.iter().any(|kind| kind.starts_with("web_search_")) {
                    add(SEARCH);
                }
                kinds.iter().filter_map(|kind| betas::of_tool(kind)).for_each(&mut add);
            }
            _ => {}
        }
    }
    Ok(Head { anthropic_version: Some(version), anthropic_beta, refused: &REFUSED, ..Head::default() })
}

const SEARCH: &str = "web-search-2025-03-05";
const NO_SEARCH: &str = "Bedrock does not search or fetch the web for Claude";

/// These hosts fetch nothing and keep no files: whoever may open connections fetches before.
fn has_bytes(blocks: &[Block], path: &str) -> Result<(), TranslateError> {
    for (at, block) in blocks.iter().enumerate() {
        let path = format!("{path}.content[{at}]");
        match block {
            Block::Image { source: Source::Url(_) | Source::Id(_), .. }
            | Block::File { source: Source::Url(_) | Source::Id(_), .. } => {
                return Err(malformed(&path, "this host fetches no addresses: send the data inline"));
            }
            Block::ToolResult { content, .. } => has_bytes(content, &path)?,
            _ => {}
        }
    }
    Ok(())
}

struct InvokeReader {
    inner: MessagesReader,
}

impl ReplyReader for InvokeReader {
    fn framing(&self) -> Framing {
        Framing::AwsEvents
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        self.inner.whole(body)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(InvokeDecoder { inner: MessagesDecoder::new(self.inner.memory), failed: None })
    }
}

/// Unwraps the events of a Messages stream.
struct InvokeDecoder {
    inner: MessagesDecoder<Memory>,
    failed: Option<Fault>,
}

impl StreamDecoder for InvokeDecoder {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        #[derive(Deserialize)]
        struct Chunk {
            bytes: String,
        }
        if let Some(name) = frame.exception() {
            let fault = fault::of_stream(name, frame.data);
            self.failed = Some(fault.clone());
            return Read::Failed(fault);
        }
        if frame.event != "chunk" {
            return Read::Unknown;
        }
        let chunk: Result<Chunk, _> = serde_json::from_str(frame.data);
        let bytes = chunk.ok().and_then(|chunk| STANDARD.decode(chunk.bytes).ok());
        match bytes.map(String::from_utf8) {
            Some(Ok(data)) => self.inner.frame(&Frame { event: "", data: &data }, out),
            _ => Read::Corrupt("not a chunk of base64".to_owned()),
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        let finish = self.inner.end(out);
        self.failed.take().map_or(finish, Finish::Failed)
    }
}
