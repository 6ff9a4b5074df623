//! NLP Cloud's `generation`: a text in, a text out, whole.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::prompt::{Object, prompt, unsaid};
use super::reader::{Piece, TextReader, usage};
use crate::chat::ChatRequest;
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::dialect::Dialect;
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::object;

/// We speak it to NLP Cloud.
#[derive(Clone, Copy, Debug, Default)]
pub struct NlpCloud;

const SETTINGS: [&str; 9] = [
    "bad_words",
    "end_sequence",
    "length_no_input",
    "min_length",
    "num_beams",
    "remove_end_sequence",
    "remove_input",
    "repetition_penalty",
    "top_k",
];

impl UpstreamCodec for NlpCloud {
    fn format(&self) -> Format {
        Format::Own(Dialect::NlpCloud)
    }

    fn encode(&self, request: &ChatRequest, _: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let sampling = &request.sampling;
        unsaid(request, &SETTINGS, &mut losses);
        for (lost, field) in [
            (sampling.seed.is_some(), "seed"),
            (sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0), "presence_penalty"),
            (sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0), "frequency_penalty"),
        ] {
            if lost {
                losses.push(Loss { field: field.to_owned(), why: "NLP Cloud does not take it" });
            }
        }
        let body = Object::default()
            .with("text", &prompt(request, &mut losses))?
            .some("max_length", sampling.max_tokens)?
            .some("temperature", sampling.temperature)?
            .some("top_p", sampling.top_p)?
            .some("stop_sequences", (!sampling.stop.is_empty()).then_some(&sampling.stop))?
            .extras(request, &SETTINGS);
        Ok(Outbound { body: body.body()?, reader: TextReader::at_once(meaning), losses })
    }
}

fn meaning(raw: &RawValue, _: bool) -> Option<Piece> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Reply {
        generated_text: Option<String>,
        nb_input_tokens: Option<u64>,
        nb_generated_tokens: Option<u64>,
    }
    let reply: Reply = object(raw)?;
    let usage = usage(reply.nb_input_tokens, reply.nb_generated_tokens);
    Some(Piece { text: reply.generated_text?, end: Some("stop".to_owned()), usage, model: None })
}
