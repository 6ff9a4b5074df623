//! A [`ChatRequest`] written as a Converse request: its settings. The conversation is `turns`', tools are `tools`',
//! thinking is `reasoning`'s, and what is not modelled `additional`'s.
//!
//! The body is the same for `converse` and `converse-stream`, and names no model: both are said by the path.

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::additional::{self, Additional};
use super::block::Piece;
use super::family::Family;
use super::reader::{ConverseReader, Memory};
use super::tools::Toolbox;
use super::turns::{self, Script};
use super::{inline, reasoning};
use crate::anthropic_messages::JSON_ONLY;
use crate::chat::{ChatRequest, Shape};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::malformed;
use crate::openai_chat::renames::Renames;
use crate::raw::Raw;

/// We speak Converse to Bedrock.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConverseUpstream;

/// Bedrock takes names of tools up to this length, which begin with a letter.
const LONGEST_NAME: usize = 64;

impl UpstreamCodec for ConverseUpstream {
    fn format(&self) -> Format {
        Format::BedrockConverse
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let family = Family::of(target.model);
        let names = Renames::lettered(request.tool_names(), LONGEST_NAME);
        let mut script = turns::write(request, family, &names)?;
        if request.shape == Shape::Json {
            script.system.push(Piece::text(JSON_ONLY));
        }
        let mut losses = std::mem::take(&mut script.losses);
        let mut additional = Additional::of(request)?;
        let reasoned =
            reasoning::write(request, family, script.ends_in_bare_call(), &mut additional, &mut losses)?;
        let about = (reasoned.thinks, script.speaks_of_tools());
        let toolbox = Toolbox::of(request, family, &names, about, &mut additional, &mut losses)?;
        let fixed = reasoned.thinks || (family.is_claude() && !family.claude.takes_sampling());
        let inference = Inference::of(request, family, reasoned, &mut losses);
        let own = additional::write(request, family, fixed, &toolbox.betas, &mut additional, &mut losses)?;
        if own.iter().any(|(name, _)| name == "guardrailConfig") {
            script.guard();
        }
        let (answers, held) = (toolbox.answers, toolbox.answers && toolbox.is_free());
        let format = format(request, family)?;
        if format.is_some() && own.iter().any(|(name, _)| name == "outputConfig") {
            let why = "response_format says already what shape the answer has";
            losses.push(Loss { field: "outputConfig".to_owned(), why });
        }
        let body = Body { script, toolbox, inference, additional, own, format };
        let body = serde_json::to_vec(&body).map_err(|error| malformed("body", &error.to_string()))?;
        let memory = Memory { names, call_id: target.call_id.to_owned(), answers, held };
        Ok(Outbound { body: Bytes::from(body), reader: Box::new(ConverseReader { memory }), losses })
    }
}

/// `inferenceConfig`.
#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Inference<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
}

impl<'a> Inference<'a> {
    fn of(
        request: &'a ChatRequest,
        family: Family,
        reasoned: reasoning::Reasoned,
        losses: &mut Vec<Loss>,
    ) -> Self {
        let sampling = &request.sampling;
        let thinks = reasoned.thinks;
        let unchosen = family.is_claude() && !family.claude.takes_sampling();
        let mut lose = |lost: bool, field: &str, why| {
            if lost {
                losses.push(Loss { field: field.to_owned(), why });
            }
            lost
        };
        let why = "this model's sampling is fixed, or fixed while it thinks";
        let no_temperature = lose(
            (thinks || unchosen) && sampling.temperature.is_some_and(|it| it != 1.0),
            "temperature",
            why,
        );
        // While Claude thinks it takes the upper end of top_p, says Anthropic's documentation.
        let refused = |top_p: f64| (thinks && top_p < 0.95) || (unchosen && top_p < 1.0);
        let no_top_p = lose(sampling.top_p.is_some_and(refused), "top_p", why);
        lose(sampling.choices.is_some_and(|n| n > 1), "n", "Bedrock gives one answer a request");
        lose(sampling.seed.is_some(), "seed", "Bedrock's draws cannot be repeated");
        let why = "Bedrock gives no log-probabilities";
        lose(sampling.logprobs == Some(true), "logprobs", why);
        lose(sampling.top_logprobs.is_some_and(|n| n > 0), "top_logprobs", why);
        let penalty = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
        lose(penalty(sampling.presence_penalty), "presence_penalty", "Bedrock knows no penalties");
        lose(penalty(sampling.frequency_penalty), "frequency_penalty", "Bedrock knows no penalties");
        let fixed = thinks || unchosen;
        // OpenAI's scale goes to 2, Bedrock's ends at 1. Where it is fixed, 1 is what it is fixed at.
        let temperature = sampling.temperature.filter(|_| !fixed && !no_temperature).map(|it| it.min(1.0));
        let top_p = sampling.top_p.filter(|_| !no_top_p && !unchosen);
        let (temperature, top_p, lost) = family.claude.draws(temperature, top_p);
        lose(lost, "top_p", "this model takes temperature or top_p, not both");
        Self {
            max_tokens: reasoned.max_tokens,
            temperature,
            top_p,
            stop_sequences: sampling
                .stop
                .iter()
                .map(String::as_str)
                .filter(|it| !it.trim().is_empty())
                .collect(),
        }
    }
}

struct Body<'a> {
    script: Script<'a>,
    toolbox: Toolbox<'a>,
    inference: Inference<'a>,
    additional: Additional,
    own: Vec<(String, Raw)>,
    format: Option<OutputConfig>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { script, toolbox, inference, additional, own, format } = self;
        let mut map = serializer.serialize_map(None)?;
        if !script.system.is_empty() {
            map.serialize_entry("system", &script.system)?;
        }
        map.serialize_entry("messages", &script.messages)?;
        if !toolbox.tools.is_empty() {
            map.serialize_entry("toolConfig", toolbox)?;
        }
        if *inference != Inference::default() {
            map.serialize_entry("inferenceConfig", inference)?;
        }
        if let Some(format) = format {
            map.serialize_entry("outputConfig", format)?;
        }
        if !additional.is_empty() {
            map.serialize_entry("additionalModelRequestFields", additional)?;
        }
        // What the caller wrote in Converse's words would otherwise stand there twice.
        for (name, raw) in own.iter().filter(|(name, _)| format.is_none() || name != "outputConfig") {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputConfig {
    text_format: TextFormat,
}

#[derive(Serialize)]
struct TextFormat {
    r#type: &'static str,
    structure: Structure,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Structure {
    json_schema: JsonSchema,
}

#[derive(Serialize)]
struct JsonSchema {
    /// A string that holds the schema's JSON.
    schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

fn format(request: &ChatRequest, family: Family) -> Result<Option<OutputConfig>, TranslateError> {
    let Shape::Schema { name, schema, .. } = &request.shape else { return Ok(None) };
    if !family.takes_schema() {
        return Ok(None);
    }
    let schema = inline::cleaned(schema.text(), "response_format.json_schema.schema")?;
    let schema = crate::anthropic_messages::schema::cleaned(&schema)?;
    let json_schema = JsonSchema { schema: schema.text().to_owned(), name: name.clone() };
    Ok(Some(OutputConfig {
        text_format: TextFormat { r#type: "json_schema", structure: Structure { json_schema } },
    }))
}
