//! Embeddings without a model: a bag of words hashed into a unit vector, so that equal texts are equal,
//! similar texts are near, and nothing is random. In the shapes of OpenAI, Ollama and the [`Embed`] vendors;
//! Google's are in [`super::gemini`].

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::prompt::{Dialect, Prompt, count_words};
use super::rules::{Checked, Kind, POSITIVE, Shape, ensure, has, list, shaped};
use super::script::Script;
use super::vendor::Vendor;

const DIMENSIONS: usize = 32;
/// The longest vector any provider offers, with room.
const MOST_DIMENSIONS: usize = 16_384;
/// Cohere's limit on the texts of one call.
const MOST_COHERE_TEXTS: usize = 96;

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
        const PURPOSES: Kind =
            Kind::OneOf(&["search_document", "search_query", "classification", "clustering", "image"]);
        const TRUNCATE: Kind = Kind::OneOf(&["NONE", "START", "END", "LEFT", "RIGHT"]);
        match self {
            Self::Cohere => (
                &[
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
                ],
                &["model", "input_type", "embedding_types"],
            ),
            Self::CohereOnBedrock => (
                &[
                    ("input_type", PURPOSES),
                    ("texts", Kind::Texts),
                    ("images", Kind::Texts),
                    ("inputs", Kind::List),
                    ("max_tokens", POSITIVE),
                    ("output_dimension", POSITIVE),
                    ("embedding_types", Kind::Texts),
                    ("truncate", TRUNCATE),
                ],
                &["input_type"],
            ),
            Self::Titan => (
                &[
                    ("inputText", Kind::Text),
                    ("dimensions", Kind::Integer(256, 1024)),
                    ("normalize", Kind::Flag),
                    ("embeddingTypes", Kind::Texts),
                ],
                &["inputText"],
            ),
            Self::Jina => (
                &[
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
                ],
                &["model", "input"],
            ),
            Self::Voyage => (
                &[
                    ("model", Kind::Text),
                    ("input", Kind::TextOrList),
                    ("input_type", Kind::OneOf(&["query", "document"])),
                    ("truncation", Kind::Flag),
                    ("output_dimension", Kind::Integer(256, 2048)),
                    ("output_dtype", Kind::OneOf(&["float", "int8", "uint8", "binary", "ubinary"])),
                    ("encoding_format", Kind::OneOf(&["base64"])),
                ],
                &["model", "input"],
            ),
            Self::Tei => (
                &[
                    ("inputs", Kind::TextOrList),
                    ("normalize", Kind::Flag),
                    ("truncate", Kind::Flag),
                    ("truncation_direction", Kind::OneOf(&["Left", "Right"])),
                    ("prompt_name", Kind::Text),
                    ("dimensions", POSITIVE),
                ],
                &["inputs"],
            ),
            Self::Pipeline => (
                &[
                    ("inputs", Kind::TextOrList),
                    ("normalize", Kind::Flag),
                    ("truncate", Kind::Flag),
                    ("truncation_direction", Kind::Text),
                    ("prompt_name", Kind::Text),
                    ("parameters", Kind::Object),
                    ("options", Kind::Object),
                ],
                &["inputs"],
            ),
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

impl Script {
    /// The length of vectors: the script's, else what is asked for.
    pub(crate) fn dimensions_or(&self, asked: Option<&Value>) -> usize {
        let asked = asked.and_then(Value::as_u64).and_then(|asked| usize::try_from(asked).ok());
        self.dimensions.or(asked).unwrap_or(DIMENSIONS).clamp(1, MOST_DIMENSIONS)
    }
}

pub(crate) fn reply(script: &Script, prompt: &Prompt) -> Value {
    let dimensions = script.dimensions_or(prompt.body.get("dimensions"));
    let inputs = inputs(&prompt.body["input"]);
    let words: u64 = inputs.iter().map(|text| count_words(text)).sum();
    let vectors: Vec<Vec<f32>> = inputs.iter().map(|text| vector(text, dimensions)).collect();
    if prompt.dialect == Dialect::OllamaEmbed {
        let mut body = json!({"model": prompt.model, "embeddings": vectors, "total_duration": 1_000_000});
        if !script.no_usage {
            body["prompt_eval_count"] = json!(words);
        }
        return body;
    }
    let mut body = rows(&vectors, prompt.body["encoding_format"] == "base64", &prompt.model);
    if !script.no_usage {
        let counted = || json!({"prompt_tokens": words, "total_tokens": words});
        body["usage"] = script.usage.clone().unwrap_or_else(counted);
    }
    body
}

/// OpenAI's list of vectors.
fn rows(vectors: &[Vec<f32>], as_base64: bool, model: &str) -> Value {
    let row = |(index, vector): (usize, &Vec<f32>)| {
        let embedding = if as_base64 { json!(base64_of(vector)) } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let data: Vec<Value> = vectors.iter().enumerate().map(row).collect();
    json!({"object": "list", "model": model, "data": data})
}

/// A text, a list of texts, a list of token ids, or a list of lists of token ids. A token is a word.
fn inputs(input: &Value) -> Vec<String> {
    match input {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_number) => vec![tokens(items)],
        Value::Array(items) => {
            let text = |item: &Value| match item {
                Value::String(text) => text.clone(),
                Value::Array(ids) => tokens(ids),
                other => {
                    other.get("text").and_then(Value::as_str).map_or_else(|| other.to_string(), str::to_owned)
                }
            };
            items.iter().map(text).collect()
        }
        _ => Vec::new(),
    }
}

fn tokens(ids: &[Value]) -> String {
    ids.iter().map(Value::to_string).collect::<Vec<_>>().join(" ")
}

pub(crate) fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    for word in text.split_whitespace() {
        let place = fnv1a(word.to_lowercase().as_bytes()) % dimensions as u64;
        if let Some(cell) = usize::try_from(place).ok().and_then(|place| vector.get_mut(place)) {
            *cell += 1.0;
        }
    }
    let length = vector.iter().map(|cell| cell * cell).sum::<f32>().sqrt();
    if length == 0.0 {
        // A vector without direction breaks cosine similarity; no real model returns one.
        vector[0] = 1.0;
        return vector;
    }
    vector.iter().map(|cell| cell / length).collect()
}

/// FNV-1a, because the standard hasher may change between releases and the vectors must not.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn base64_of(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|cell| cell.to_le_bytes()).collect();
    BASE64_STANDARD.encode(bytes)
}
