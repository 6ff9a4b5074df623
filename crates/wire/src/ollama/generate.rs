//! A [`ChatRequest`] written for Ollama's `/api/generate`, which continues one prompt: the last user turn.
//! System turns become `system`; any other turn is a loss. Conversations belong to `/api/chat`.

use super::reader::{OllamaReader, Operation};
use super::request::{picture, settings};
use crate::chat::{Block, ChatRequest, Role};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::members::Members;

/// We speak Ollama's text generation API to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaGenerate;

/// Fields of `/api/generate` that a caller may name in Ollama's words.
const TOP_LEVEL: [&str; 4] = ["context", "raw", "suffix", "template"];

impl UpstreamCodec for OllamaGenerate {
    fn format(&self) -> Format {
        Format::OllamaGenerate
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let (mut system, mut prompt, mut images) = (Vec::new(), String::new(), Vec::new());
        let last = request.turns.iter().rposition(|turn| turn.role == Role::User);
        for (at, (path, turn)) in request.placed().enumerate() {
            let path = path.to_string();
            let instructs = matches!(turn.role, Role::System | Role::Developer);
            if !instructs && Some(at) != last {
                losses.push(Loss { field: path, why: "only the last user message can be continued" });
                continue;
            }
            for (part, block) in turn.blocks.iter().enumerate() {
                let path = format!("{path}.content[{part}]");
                match block {
                    Block::Text(text) if instructs => system.push(text.as_str()),
                    Block::Text(text) => prompt.push_str(text),
                    Block::Image { source, .. } if !instructs => images.push(picture(source, &path)?),
                    Block::CachePoint(_) | Block::Citation(_) => {}
                    _ => losses.push(Loss { field: path, why: "a prompt is text and pictures" }),
                }
            }
        }
        if !request.tools.is_empty() {
            losses.push(Loss { field: "tools".to_owned(), why: "text generation knows no tools" });
        }
        let mut body = Members::default();
        body.set("model", target.model)?;
        body.set("stream", &request.stream)?;
        body.set("prompt", &prompt)?;
        if !system.is_empty() {
            body.set("system", &system.join("\n"))?;
        }
        if !images.is_empty() {
            body.set("images", &images)?;
        }
        settings(request, target.model, &TOP_LEVEL, &mut body, &mut losses)?;
        let reader = OllamaReader { call_id: target.call_id.to_owned(), operation: Operation::Generate };
        Ok(Outbound { body: body.body()?, reader: Box::new(reader), losses })
    }
}
