//! Vendors whose embedding API is OpenAI's with words of their own: Voyage, Jina, Mistral. Their replies agree.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{extras, text, texts};
use crate::codec::Target;
use crate::embed::{EmbedRequest, EmbedResponse, Encoding, Vector};
use crate::embed_codec::{EmbedOutbound, EmbedReader, EmbedUpstream, counted};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{list, malformed, object, usage};

/// We speak one of these vendors' embedding APIs to it.
#[derive(Clone, Copy, Debug)]
pub struct Imitator {
    format: Format,
    /// The name of `dimensions`.
    dimensions: &'static str,
    /// The name of the field whose value `base64` asks for base64.
    encoding: &'static str,
    /// Whether the input may hold pictures, each element being an object then.
    pictures: bool,
}

impl Imitator {
    /// Voyage.
    pub const VOYAGE: Self = Self {
        format: Format::VoyageEmbed,
        dimensions: "output_dimension",
        encoding: "encoding_format",
        pictures: false,
    };
    /// Jina.
    pub const JINA: Self = Self {
        format: Format::JinaEmbed,
        dimensions: "dimensions",
        encoding: "embedding_type",
        pictures: true,
    };
    /// Mistral.
    pub const MISTRAL: Self = Self { format: Format::MistralEmbed, ..Self::VOYAGE };

    fn input(&self, request: &EmbedRequest) -> Result<Vec<Members>, TranslateError> {
        let one = |(at, input)| {
            let text = text(input, at, self.format)?;
            let mut element = Members::default();
            match input.picture().and_then(|uri| uri.split_once(',')) {
                Some((_, data)) => element.set("image", data)?,
                None => element.set("text", text)?,
            }
            Ok(element)
        };
        request.input.iter().enumerate().map(one).collect()
    }
}

impl EmbedUpstream for Imitator {
    fn format(&self) -> Format {
        self.format
    }

    fn encode(&self, request: &EmbedRequest, target: &Target<'_>) -> Result<EmbedOutbound, TranslateError> {
        let mut body = Members::default();
        body.set("model", target.model)?;
        if self.pictures && request.input.iter().any(|input| input.picture().is_some()) {
            body.set("input", &self.input(request)?)?;
        } else {
            body.set("input", &texts(request, self.format)?)?;
        }
        if request.encoding == Encoding::Base64 {
            body.set(self.encoding, "base64")?;
        }
        for (name, raw) in extras(request) {
            body.set(name, raw)?;
        }
        body.set_some(self.dimensions, request.dimensions)?;
        let reader = ImitatorReader { count: request.input.len() };
        Ok(EmbedOutbound { bodies: vec![body.body()?], reader: Box::new(reader), losses: Vec::new() })
    }
}

struct ImitatorReader {
    /// How many inputs the request holds.
    count: usize,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    data: Option<&'a RawValue>,
    model: String,
    usage: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Row<'a> {
    index: Option<usize>,
    embedding: Option<&'a RawValue>,
}

impl EmbedReader for ImitatorReader {
    fn read(&self, _part: usize, body: &[u8]) -> Result<EmbedResponse, TranslateError> {
        let reply: Reply<'_> =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let rows = list(reply.data.ok_or_else(|| malformed("data", "is required"))?, "data")?;
        let mut vectors: Vec<(usize, Vector)> = Vec::with_capacity(rows.len());
        for (at, raw) in rows.into_iter().enumerate() {
            let row: Row<'_> =
                object(raw).ok_or_else(|| malformed(format_args!("data[{at}]"), "must be an object"))?;
            let path = format!("data[{at}].embedding");
            let embedding = row.embedding.ok_or_else(|| malformed(&path, "is required"))?;
            vectors.push((row.index.unwrap_or(at), Vector::read(embedding, &path)?));
        }
        vectors.sort_by_key(|(index, _)| *index);
        if vectors.iter().zip(0..).any(|((index, _), at)| *index != at) {
            return Err(malformed("data", "every input must have one vector"));
        }
        let vectors = vectors.into_iter().map(|(_, vector)| vector).collect();
        let usage = reply.usage.and_then(usage::read);
        counted(EmbedResponse { model: reply.model, vectors, usage }, self.count)
    }
}
