//! Embeddings without a model: a bag of words hashed into a unit vector, so that equal texts are equal,
//! similar texts are near, and nothing is random. In the shapes of OpenAI and Ollama;
//! Google's are in [`super::gemini`], the other vendors' in [`super::embed`].

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::prompt::{Dialect, Prompt, count_words};
use super::script::Script;

const DIMENSIONS: usize = 32;
/// The longest vector any provider offers, with room.
const MOST_DIMENSIONS: usize = 16_384;

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
pub(crate) fn rows(vectors: &[Vec<f32>], as_base64: bool, model: &str) -> Value {
    let row = |(index, vector): (usize, &Vec<f32>)| {
        let embedding = if as_base64 { json!(base64_of(vector)) } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let data: Vec<Value> = vectors.iter().enumerate().map(row).collect();
    json!({"object": "list", "model": model, "data": data})
}

/// A text, a list of texts, a list of token ids, or a list of lists of token ids. A token is a word.
pub(crate) fn inputs(input: &Value) -> Vec<String> {
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
