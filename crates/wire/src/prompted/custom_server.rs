//! The server that LiteLLM documents as an example of one's own: prompts under `params`, an output for each.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::prompt::{Object, prompt, unsaid};
use super::reader::{Piece, TextReader};
use crate::chat::ChatRequest;
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::dialect::Dialect;
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::object;

/// We speak it to such a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomServer;

impl UpstreamCodec for CustomServer {
    fn format(&self) -> Format {
        Format::Own(Dialect::CustomServer)
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let sampling = &request.sampling;
        unsaid(request, &["top_k"], &mut losses);
        for (lost, field) in [
            (!sampling.stop.is_empty(), "stop"),
            (sampling.seed.is_some(), "seed"),
            (sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0), "presence_penalty"),
            (sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0), "frequency_penalty"),
        ] {
            if lost {
                losses.push(Loss { field: field.to_owned(), why: "such a server does not take it" });
            }
        }
        let params = Object::default()
            .with("prompt", &[prompt(request, &mut losses)])?
            .some("max_tokens", sampling.max_tokens)?
            .some("temperature", sampling.temperature)?
            .some("top_p", sampling.top_p)?
            .extras(request, &["top_k"]);
        let body = Object::default().with("model", target.model)?.with("params", &params)?;
        Ok(Outbound { body: body.body()?, reader: TextReader::at_once(meaning), losses })
    }
}

fn meaning(raw: &RawValue, _: bool) -> Option<Piece> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Reply {
        data: Option<Vec<Answer>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Answer {
        output: Vec<String>,
    }
    let answer = object::<Reply>(raw)?.data?.into_iter().next()?;
    Some(Piece { text: answer.output.into_iter().next()?, end: Some("stop".to_owned()), ..Piece::default() })
}
