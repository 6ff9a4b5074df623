//! watsonx.ai's text generation: `input` and `parameters`. Sampling must be asked for, or the model is greedy.

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
use crate::watsonx::{OWNERS, owner};

/// We speak it to watsonx.
#[derive(Clone, Copy, Debug, Default)]
pub struct WatsonxText;

const PARAMETERS: [&str; 7] = [
    "decoding_method",
    "length_penalty",
    "min_new_tokens",
    "repetition_penalty",
    "time_limit",
    "top_k",
    "truncate_input_tokens",
];

impl UpstreamCodec for WatsonxText {
    fn format(&self) -> Format {
        Format::Own(Dialect::WatsonxText)
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let sampling = &request.sampling;
        let warm =
            sampling.temperature.is_some_and(|temperature| temperature > 0.0) || sampling.top_p.is_some();
        let named = request.extras.iter().any(|(name, _)| name == "decoding_method");
        let parameters = Object::default()
            .some("max_new_tokens", sampling.max_tokens)?
            .some("decoding_method", (warm && !named).then_some("sample"))?
            .some("temperature", sampling.temperature)?
            .some("top_p", sampling.top_p)?
            .some("stop_sequences", (!sampling.stop.is_empty()).then_some(&sampling.stop))?
            .some("random_seed", sampling.seed)?
            .extras(request, &PARAMETERS);
        let known: Vec<&str> = PARAMETERS.into_iter().chain(OWNERS).chain(["moderations"]).collect();
        unsaid(request, &known, &mut losses);
        losses.retain(|loss| !OWNERS.contains(&loss.field.as_str()));
        for (penalty, field) in [
            (sampling.presence_penalty, "presence_penalty"),
            (sampling.frequency_penalty, "frequency_penalty"),
        ] {
            if penalty.is_some_and(|penalty| penalty != 0.0) {
                losses.push(Loss { field: field.to_owned(), why: "watsonx knows only repetition_penalty" });
            }
        }
        owner(request)?;
        let body = Object::default()
            .with("model_id", target.model)?
            .with("input", &prompt(request, &mut losses))?
            .some("parameters", (!parameters.is_empty()).then_some(&parameters))?
            .extras(request, &["project_id", "space_id", "moderations"]);
        Ok(Outbound { body: body.body()?, reader: TextReader::streamed(meaning), losses })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    model_id: Option<String>,
    results: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Generated {
    generated_text: String,
    generated_token_count: Option<u64>,
    input_token_count: Option<u64>,
    stop_reason: Option<String>,
}

fn meaning(raw: &RawValue, _: bool) -> Option<Piece> {
    let reply: Reply<'_> = object(raw)?;
    let result: Generated = reply.results?.first().and_then(|raw| object(raw))?;
    let end = result.stop_reason.map(|word| word.to_ascii_lowercase()).filter(|word| word != "not_finished");
    let end = end.map(|word| {
        if matches!(word.as_str(), "token_limit" | "time_limit") { "length".to_owned() } else { word }
    });
    let usage = usage(result.input_token_count, result.generated_token_count);
    Some(Piece { text: result.generated_text, end, usage, model: reply.model_id })
}
