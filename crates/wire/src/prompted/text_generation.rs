//! Hugging Face's text generation servers (TGI, LoRAX at Predibase, the containers of SageMaker): `inputs` and
//! `parameters`.
//!
//! | of the request | there |
//! | --- | --- |
//! | `max_tokens` | `max_new_tokens` |
//! | `temperature` 0 | `do_sample: false`: the server refuses a temperature that is not above 0 |
//! | `temperature`, `top_p` | the same, with `do_sample: true`; a `top_p` of 1 is refused and means nothing |
//! | `stop`, `seed`, `frequency_penalty` | the same |
//! | `top_k`, `repetition_penalty`, `typical_p`, `watermark`, `truncate`, `adapter_id`, `adapter_source` | the same |

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

/// We speak it to a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextGeneration;

const SETTINGS: [&str; 8] = [
    "adapter_id",
    "adapter_source",
    "best_of",
    "repetition_penalty",
    "top_k",
    "truncate",
    "typical_p",
    "watermark",
];

impl UpstreamCodec for TextGeneration {
    fn format(&self) -> Format {
        Format::Own(Dialect::TextGeneration)
    }

    fn encode(&self, request: &ChatRequest, _: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let body = body(request, &mut losses)?.body()?;
        Ok(Outbound { body, reader: TextReader::streamed(meaning), losses })
    }
}

/// The request as the server reads it, whoever carries it there.
pub(crate) fn body(request: &ChatRequest, losses: &mut Vec<Loss>) -> Result<Object, TranslateError> {
    let sampling = &request.sampling;
    let greedy = sampling.temperature == Some(0.0);
    let top_p = sampling.top_p.filter(|top_p| *top_p < 1.0);
    let samples = (sampling.temperature.is_some() || top_p.is_some()).then_some(!greedy);
    let parameters = Object::default()
        .some("max_new_tokens", sampling.max_tokens)?
        .some("temperature", sampling.temperature.filter(|_| !greedy))?
        .some("top_p", top_p.filter(|_| !greedy))?
        .some("do_sample", samples)?
        .some("stop", (!sampling.stop.is_empty()).then_some(&sampling.stop))?
        .some("seed", sampling.seed)?
        .some("frequency_penalty", sampling.frequency_penalty)?
        .extras(request, &SETTINGS)
        .with("return_full_text", &false)?
        .with("details", &true)?;
    if sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0) {
        let why = "the server knows only frequency_penalty and repetition_penalty";
        losses.push(Loss { field: "presence_penalty".to_owned(), why });
    }
    unsaid(request, &SETTINGS, losses);
    Object::default().with("inputs", &prompt(request, losses))?.with("parameters", &parameters)
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    generated_text: Option<String>,
    token: Option<Token>,
    details: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Token {
    text: String,
    #[serde(default)]
    special: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    finish_reason: Option<String>,
    generated_tokens: Option<u64>,
    /// TGI.
    input_length: Option<u64>,
    /// LoRAX.
    prompt_tokens: Option<u64>,
}

/// A piece of a stream has a token, and the last one the whole text as well; a whole reply has the text alone, in a
/// list of one at some containers.
pub(crate) fn meaning(raw: &RawValue, whole: bool) -> Option<Piece> {
    let list: Vec<&RawValue> = match raw.get().starts_with('[') && whole {
        true => serde_json::from_str(raw.get()).ok()?,
        false => vec![raw],
    };
    let reply: Reply<'_> = object(list.first()?)?;
    let details: Details = reply.details.and_then(object).unwrap_or_default();
    let word = details.finish_reason;
    let used = usage(details.input_length.or(details.prompt_tokens), details.generated_tokens);
    match (reply.token, reply.generated_text) {
        (Some(token), text) => {
            let end = word.or_else(|| text.is_some().then(|| "stop".to_owned()));
            let said = if token.special { String::new() } else { token.text };
            Some(Piece { text: said, end, usage: used, model: None })
        }
        (None, Some(text)) if whole => Some(Piece {
            text,
            end: Some(word.unwrap_or_else(|| "stop".to_owned())),
            usage: used,
            model: None,
        }),
        _ => None,
    }
}
