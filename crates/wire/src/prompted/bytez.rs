//! Bytez: messages of text, settings under `params`, and one message back, whole.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::prompt::{Object, texts, unsaid};
use super::reader::{Piece, TextReader};
use crate::chat::{ChatRequest, Role};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::dialect::Dialect;
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{object, text};

/// We speak it to Bytez.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bytez;

/// What models of the transformers library take.
const PARAMS: [&str; 5] = ["do_sample", "min_new_tokens", "num_beams", "repetition_penalty", "top_k"];

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: String,
}

impl UpstreamCodec for Bytez {
    fn format(&self) -> Format {
        Format::Own(Dialect::Bytez)
    }

    fn encode(&self, request: &ChatRequest, _: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        unsaid(request, &PARAMS, &mut losses);
        let sampling = &request.sampling;
        let params = Object::default()
            .some("max_new_tokens", sampling.max_tokens)?
            .some("temperature", sampling.temperature)?
            .some("top_p", sampling.top_p)?
            .some("stop", (!sampling.stop.is_empty()).then_some(&sampling.stop))?
            .some("seed", sampling.seed)?
            .some("presence_penalty", sampling.presence_penalty)?
            .some("frequency_penalty", sampling.frequency_penalty)?
            .extras(request, &PARAMS);
        let messages: Vec<Message> = (request.placed())
            .map(|(path, turn)| {
                let content = texts(&turn.blocks, &path.to_string(), &mut losses);
                Message { role: role(turn.role), content }
            })
            .collect();
        let body = Object::default()
            .with("messages", &messages)?
            .with("stream", &false)?
            .some("params", (!params.is_empty()).then_some(&params))?;
        Ok(Outbound { body: body.body()?, reader: TextReader::at_once(meaning), losses })
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "system",
        Role::User | Role::Tool => "user",
        Role::Assistant => "assistant",
    }
}

/// The message's content is a text or a list of parts.
fn meaning(raw: &RawValue, _: bool) -> Option<Piece> {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Reply<'a> {
        output: Option<&'a RawValue>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Output<'a> {
        content: Option<&'a RawValue>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Part {
        text: String,
    }
    let output = object::<Reply<'_>>(raw)?.output?;
    let content =
        if output.get().starts_with('"') { output } else { object::<Output<'_>>(output)?.content? };
    let said = match serde_json::from_str::<Vec<Part>>(content.get()) {
        Ok(parts) => parts.into_iter().map(|part| part.text).collect(),
        Err(_) => text(content).into_owned(),
    };
    Some(Piece { text: said, end: Some("stop".to_owned()), usage: None, model: None })
}
