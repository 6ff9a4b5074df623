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
    shape: Shape,
}

/// How the input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Texts.
    Plain,
    /// Texts, or objects where one of them is a picture.
    Pictures,
    /// A list for each text: the pieces of a document of its own, for nobody says that they are one's.
    Documents,
    /// Objects with parts.
    Parts,
}

impl Imitator {
    /// Voyage.
    pub const VOYAGE: Self = Self {
        format: Format::VoyageEmbed,
        dimensions: "output_dimension",
        encoding: "encoding_format",
        shape: Shape::Plain,
    };
    /// Voyage's models that read a piece of a document in the light of the others.
    pub const VOYAGE_CONTEXT: Self =
        Self { format: Format::VoyageContextEmbed, shape: Shape::Documents, ..Self::VOYAGE };
    /// Voyage's models that read pictures too.
    pub const VOYAGE_MULTIMODAL: Self = Self {
        format: Format::VoyageMultimodalEmbed,
        encoding: "output_encoding",
        shape: Shape::Parts,
        ..Self::VOYAGE
    };
    /// Jina.
    pub const JINA: Self = Self {
        format: Format::JinaEmbed,
        dimensions: "dimensions",
        encoding: "embedding_type",
        shape: Shape::Pictures,
    };
    /// Mistral.
    pub const MISTRAL: Self = Self { format: Format::MistralEmbed, ..Self::VOYAGE };

    fn input(&self, request: &EmbedRequest, body: &mut Members) -> Result<(), TranslateError> {
        let pictures = request.input.iter().any(|input| input.picture().is_some());
        match self.shape {
            Shape::Pictures if pictures => body.set("input", &self.objects(request, jinas)?),
            Shape::Plain | Shape::Pictures => body.set("input", &texts(request, self.format)?),
            Shape::Documents => {
                let documents: Vec<_> = texts(request, self.format)?.into_iter().map(|text| [text]).collect();
                body.set("inputs", &documents)
            }
            Shape::Parts => body.set("inputs", &self.objects(request, voyages)?),
        }
    }

    fn objects(
        &self,
        request: &EmbedRequest,
        one: impl Fn(&str, Option<&str>) -> Result<Members, TranslateError>,
    ) -> Result<Vec<Members>, TranslateError> {
        let inputs = request.input.iter().enumerate();
        inputs.map(|(at, input)| one(text(input, at, self.format)?, input.picture())).collect()
    }
}

impl EmbedUpstream for Imitator {
    fn format(&self) -> Format {
        self.format
    }

    fn encode(&self, request: &EmbedRequest, target: &Target<'_>) -> Result<EmbedOutbound, TranslateError> {
        let mut body = Members::default();
        body.set("model", target.model)?;
        self.input(request, &mut body)?;
        if request.encoding == Encoding::Base64 {
            body.set(self.encoding, "base64")?;
        }
        for (name, raw) in extras(request) {
            body.set(name, raw)?;
        }
        body.set_some(self.dimensions, request.dimensions)?;
        let reader = ImitatorReader { count: request.input.len(), nested: self.shape == Shape::Documents };
        Ok(EmbedOutbound { bodies: vec![body.body()?], reader: Box::new(reader), losses: Vec::new() })
    }
}

/// An input as Jina writes it where some are pictures, of which it takes the bare base64.
fn jinas(text: &str, picture: Option<&str>) -> Result<Members, TranslateError> {
    let mut element = Members::default();
    match picture.and_then(|uri| uri.split_once(',')) {
        Some((_, data)) => element.set("image", data)?,
        None => element.set("text", text)?,
    }
    Ok(element)
}

/// An input of one part as Voyage's multimodal models take it.
fn voyages(text: &str, picture: Option<&str>) -> Result<Members, TranslateError> {
    let word = if picture.is_some() { "image_base64" } else { "text" };
    let (mut part, mut element) = (Members::default(), Members::default());
    part.set("type", word)?;
    part.set(word, picture.unwrap_or(text))?;
    element.set("content", &[part])?;
    Ok(element)
}

struct ImitatorReader {
    /// How many inputs the request holds.
    count: usize,
    /// Whether the vectors of each input stand in a list of their own.
    nested: bool,
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
    data: Option<&'a RawValue>,
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
            let embedding = if self.nested { only(row.data) } else { row.embedding };
            let embedding = embedding.ok_or_else(|| malformed(&path, "is required"))?;
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

/// The vector of a document that was sent as one piece.
fn only(pieces: Option<&RawValue>) -> Option<&RawValue> {
    match list(pieces?, "data").ok()?[..] {
        [raw] => object::<Row<'_>>(raw)?.embedding,
        _ => None,
    }
}
