//! Embeddings of the vendors whose request or reply is not OpenAI's: what may be asked, and the replies.

use serde_json::{Value, json};

use super::embedding::{inputs, rows, vector};
use super::prompt::{Prompt, count_words};
use super::rules::{Checked, Kind, POSITIVE, Shape, ensure, has, list, shaped};
use super::script::Script;
use super::vendor::Vendor;

/// Cohere's limit on the texts of one call.
const MOST_COHERE_TEXTS: usize = 96;
const PURPOSES: Kind =
    Kind::OneOf(&["search_document", "search_query", "classification", "clustering", "image"]);
const TRUNCATE: Kind = Kind::OneOf(&["NONE", "START", "END", "LEFT", "RIGHT"]);
const COHERE: &Shape = &[
    ("model", Kind::Text),
    ("input_type", PURPOSES),
    ("texts", Kind::Texts),
    ("images", Kind::Texts),
    ("inputs", Kind::List),
    ("max_tokens", POSITIVE),
    ("output_dimension", POSITIVE),
    ("embedding_types", Kind::Texts),
    ("truncate", TRUNCATE),
    ("priority", Kind::Integer(0, i64::MAX)),
];
const COHERE_ON_BEDROCK: &Shape = &[
    ("input_type", PURPOSES),
    ("texts", Kind::Texts),
    ("images", Kind::Texts),
    ("inputs", Kind::List),
    ("max_tokens", POSITIVE),
    ("output_dimension", POSITIVE),
    ("embedding_types", Kind::Texts),
    ("truncate", TRUNCATE),
];
const TITAN: &Shape = &[
    ("inputText", Kind::Text),
    ("dimensions", Kind::Integer(256, 1024)),
    ("normalize", Kind::Flag),
    ("embeddingTypes", Kind::Texts),
];
const JINA: &Shape = &[
    ("model", Kind::Text),
    ("input", Kind::Any),
    ("task", Kind::Text),
    ("dimensions", POSITIVE),
    ("normalized", Kind::Flag),
    ("late_chunking", Kind::Flag),
    ("truncate", Kind::Flag),
    ("embedding_type", Kind::Any),
    ("encoding_format", Kind::Text),
    ("return_multivector", Kind::Flag),
];
const VOYAGE: &Shape = &[
    ("model", Kind::Text),
    ("input", Kind::TextOrList),
    ("input_type", Kind::OneOf(&["query", "document"])),
    ("truncation", Kind::Flag),
    ("output_dimension", Kind::Integer(256, 2048)),
    ("output_dtype", Kind::OneOf(&["float", "int8", "uint8", "binary", "ubinary"])),
    ("encoding_format", Kind::OneOf(&["base64"])),
];
const TEI: &Shape = &[
    ("inputs", Kind::TextOrList),
    ("normalize", Kind::Flag),
    ("truncate", Kind::Flag),
    ("truncation_direction", Kind::OneOf(&["Left", "Right"])),
    ("prompt_name", Kind::Text),
    ("dimensions", POSITIVE),
];
const PIPELINE: &Shape = &[
    ("inputs", Kind::TextOrList),
    ("normalize", Kind::Flag),
    ("truncate", Kind::Flag),
    ("truncation_direction", Kind::Text),
    ("prompt_name", Kind::Text),
    ("parameters", Kind::Object),
    ("options", Kind::Object),
];

/// Embeddings that are not in OpenAI's shape, or have more to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embed {
    Cohere,
    CohereOnBedrock,
    Titan,
    Jina,
    Voyage,
    Tei,
    /// Hugging Face's feature extraction.
    Pipeline,
}

impl Embed {
    pub(crate) fn of(path: &str, model: &str) -> Option<Self> {
        if path.ends_with("/v2/embed") {
            return Some(Self::Cohere);
        }
        if path.ends_with("/pipeline/feature-extraction") || path.contains("/pipeline/feature-extraction/") {
            return Some(Self::Pipeline);
        }
        if path.ends_with("/embed") && !path.ends_with("/api/embed") {
            return Some(Self::Tei);
        }
        match Vendor::of(path, model).filter(|_| path.ends_with("/embeddings"))? {
            Vendor::Jina => Some(Self::Jina),
            Vendor::Voyage => Some(Self::Voyage),
            Vendor::Bedrock | Vendor::Cohere | Vendor::Infinity | Vendor::Tei | Vendor::Together => None,
        }
    }

    pub(crate) fn vendor(self) -> Vendor {
        match self {
            Self::Cohere => Vendor::Cohere,
            Self::CohereOnBedrock | Self::Titan => Vendor::Bedrock,
            Self::Jina => Vendor::Jina,
            Self::Voyage => Vendor::Voyage,
            Self::Tei | Self::Pipeline => Vendor::Tei,
        }
    }

    fn shape(self) -> (&'static Shape, &'static [&'static str]) {
        match self {
            Self::Cohere => (COHERE, &["model", "input_type", "embedding_types"]),
            Self::CohereOnBedrock => (COHERE_ON_BEDROCK, &["input_type"]),
            Self::Titan => (TITAN, &["inputText"]),
            Self::Jina => (JINA, &["model", "input"]),
            Self::Voyage => (VOYAGE, &["model", "input"]),
            Self::Tei => (TEI, &["inputs"]),
            Self::Pipeline => (PIPELINE, &["inputs"]),
        }
    }

    pub(crate) fn check(self, prompt: &Prompt) -> Checked {
        let body = &prompt.body;
        let (shape, required) = self.shape();
        shaped(body, "", shape, required)?;
        match self {
            Self::Cohere | Self::CohereOnBedrock => {
                let given = ["texts", "images", "inputs"].iter().filter(|name| has(body, name)).count();
                ensure(
                    given == 1,
                    "texts",
                    "invalid request: must provide exactly one of 'texts', 'images' or 'inputs'",
                )?;
                let count = list(&body["texts"]).len();
                ensure(
                    count <= MOST_COHERE_TEXTS,
                    "texts",
                    format!(
                        "invalid request: total number of texts must be at most {MOST_COHERE_TEXTS} - received {count}"
                    ),
                )
            }
            Self::Titan => ensure(body["inputText"] != "", "inputText", "expected minLength: 1, actual: 0"),
            Self::Jina | Self::Voyage | Self::Tei | Self::Pipeline => Ok(()),
        }
    }

    pub(crate) fn reply(self, script: &Script, prompt: &Prompt, index: u64) -> Value {
        let body = &prompt.body;
        let input =
            ["input", "inputs", "texts", "inputText", "images"].into_iter().find_map(|name| body.get(name));
        let texts = inputs(input.unwrap_or(&Value::Null));
        let asked = ["dimensions", "output_dimension"].into_iter().find_map(|name| body.get(name));
        let dimensions = script.dimensions_or(asked);
        let vectors: Vec<Vec<f32>> = texts.iter().map(|text| vector(text, dimensions)).collect();
        let words: u64 = texts.iter().map(|text| count_words(text)).sum();
        match self {
            Self::Tei | Self::Pipeline => json!(vectors),
            Self::Titan => {
                json!({"embedding": vectors.first(), "embeddingsByType": {"float": vectors.first()}, "inputTextTokenCount": words})
            }
            Self::Cohere | Self::CohereOnBedrock => {
                // Without types Bedrock answers with a bare list.
                let typed = has(body, "embedding_types");
                let embeddings = if typed { json!({"float": vectors}) } else { json!(vectors) };
                let kind = if typed { "embeddings_by_type" } else { "embeddings_floats" };
                let mut reply = json!({"id": format!("embed-fake-{index}"), "response_type": kind, "embeddings": embeddings, "texts": texts});
                if self == Self::Cohere && !script.no_usage {
                    reply["meta"] =
                        json!({"api_version": {"version": "2"}, "billed_units": {"input_tokens": words}});
                }
                reply
            }
            Self::Jina | Self::Voyage => {
                let as_base64 = body["encoding_format"] == "base64" || body["embedding_type"] == "base64";
                let mut reply = rows(&vectors, as_base64, &prompt.model);
                if !script.no_usage {
                    let mut counted = json!({"total_tokens": words});
                    if self == Self::Jina {
                        counted["prompt_tokens"] = json!(words);
                    }
                    reply["usage"] = script.usage.clone().unwrap_or(counted);
                }
                reply
            }
        }
    }
}
