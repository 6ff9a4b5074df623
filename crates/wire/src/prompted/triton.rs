//! Triton's generate extension: `text_input` in, `text_output` out. Its streams do not say whether they are complete,
//! so the answer is always asked for whole.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::prompt::{Object, prompt, unsaid};
use super::reader::{Piece, TextReader};
use crate::chat::ChatRequest;
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::dialect::Dialect;
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::object;

/// We speak it to a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct TritonGenerate;

/// Parameters of the TensorRT-LLM and vLLM backends.
const PARAMETERS: [&str; 4] = ["bad_words", "length_penalty", "repetition_penalty", "top_k"];

impl UpstreamCodec for TritonGenerate {
    fn format(&self) -> Format {
        Format::Own(Dialect::Triton)
    }

    fn encode(&self, request: &ChatRequest, _: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let sampling = &request.sampling;
        unsaid(request, &PARAMETERS, &mut losses);
        let parameters = Object::default()
            .some("max_tokens", sampling.max_tokens)?
            .some("temperature", sampling.temperature)?
            .some("top_p", sampling.top_p)?
            .some("stop_words", (!sampling.stop.is_empty()).then_some(&sampling.stop))?
            .some("random_seed", sampling.seed)?
            .some("presence_penalty", sampling.presence_penalty)?
            .some("frequency_penalty", sampling.frequency_penalty)?
            .extras(request, &PARAMETERS);
        let body = Object::default()
            .with("text_input", &prompt(request, &mut losses))?
            .with("parameters", &parameters)?
            .with("stream", &false)?;
        Ok(Outbound { body: body.body()?, reader: TextReader::at_once(meaning), losses })
    }
}

fn meaning(raw: &RawValue, _: bool) -> Option<Piece> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Reply {
        model_name: Option<String>,
        text_output: Option<String>,
    }
    let reply: Reply = object(raw)?;
    Some(Piece {
        text: reply.text_output?,
        end: Some("stop".to_owned()),
        usage: None,
        model: reply.model_name,
    })
}
