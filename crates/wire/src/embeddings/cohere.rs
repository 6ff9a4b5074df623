//! Cohere's `/v2/embed`, and the same models behind Bedrock's `/model/ID/invoke`.
//!
//! A request holds texts or pictures, never both, so the input is cut into runs of its kinds, texts at Cohere's
//! bound. Bedrock answers older models with a bare list of vectors, and counts tokens only in its headers.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{bounded, extras, first_type, repeatable, text};
use crate::codec::Target;
use crate::embed::{EmbedRequest, EmbedResponse, Vector};
use crate::embed_codec::{EmbedOutbound, EmbedReader, EmbedUpstream, counted};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{Fields, list, malformed, object};
use crate::reply::Usage;

/// We speak Cohere's embedding API to a provider.
#[derive(Clone, Copy, Debug)]
pub struct CohereEmbed {
    format: Format,
}

impl CohereEmbed {
    /// At Cohere.
    pub const COHERE: Self = Self { format: Format::CohereEmbed };
    /// On Bedrock, where the address names the model.
    pub const BEDROCK: Self = Self { format: Format::BedrockCohereEmbed };
}

/// Cohere takes so many texts a request.
const MOST_TEXTS: usize = 96;

/// What one request is for.
enum Run<'a> {
    Texts(Vec<&'a str>),
    Picture(&'a str),
}

impl EmbedUpstream for CohereEmbed {
    fn format(&self) -> Format {
        self.format
    }

    fn encode(&self, request: &EmbedRequest, target: &Target<'_>) -> Result<EmbedOutbound, TranslateError> {
        bounded(request)?;
        let mut losses = Vec::new();
        let mut settings = Members::default();
        if self.format == Format::CohereEmbed {
            settings.set("model", target.model)?;
        }
        let mut kind = "float".to_owned();
        for (name, raw) in extras(request) {
            match name {
                "embedding_types" => kind = first_type(name, raw, &mut losses)?.unwrap_or(kind),
                _ => settings.set(name, raw)?,
            }
        }
        settings.set("embedding_types", &[&kind])?;
        settings.set_some("output_dimension", request.dimensions)?;
        let runs = self.runs(request)?;
        repeatable(&settings, runs.len())?;
        let typed = request.extras.iter().any(|(name, raw)| name == "input_type" && raw.text() != "null");
        let mut bodies = Vec::with_capacity(runs.len());
        for run in &runs {
            let mut body = settings.clone();
            let default = match run {
                Run::Texts(texts) => {
                    body.set("texts", texts)?;
                    "search_document"
                }
                Run::Picture(uri) => {
                    body.set("images", &[uri])?;
                    "image"
                }
            };
            if !typed {
                body.set("input_type", default)?;
            }
            bodies.push(body.body()?);
        }
        let counts = runs.iter().map(Run::len).collect();
        Ok(EmbedOutbound { bodies, reader: Box::new(CohereReader { kind, counts }), losses })
    }
}

impl CohereEmbed {
    fn runs<'a>(&self, request: &'a EmbedRequest) -> Result<Vec<Run<'a>>, TranslateError> {
        let mut runs: Vec<Run<'a>> = Vec::new();
        for (at, input) in request.input.iter().enumerate() {
            if let Some(uri) = input.picture() {
                runs.push(Run::Picture(uri));
                continue;
            }
            let text = text(input, at, self.format)?;
            match runs.last_mut() {
                Some(Run::Texts(texts)) if texts.len() < MOST_TEXTS => texts.push(text),
                _ => runs.push(Run::Texts(vec![text])),
            }
        }
        Ok(runs)
    }
}

impl Run<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Picture(_) => 1,
        }
    }
}

struct CohereReader {
    /// The type of vector asked for.
    kind: String,
    /// How many inputs each request holds.
    counts: Vec<usize>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    embeddings: Option<&'a RawValue>,
    meta: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    billed_units: Option<Billed>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Billed {
    input_tokens: f64,
    image_tokens: f64,
}

impl EmbedReader for CohereReader {
    fn read(&self, part: usize, body: &[u8]) -> Result<EmbedResponse, TranslateError> {
        let reply: Reply<'_> =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let embeddings = reply.embeddings.ok_or_else(|| malformed("embeddings", "is required"))?;
        let (path, vectors) = if embeddings.get().starts_with('{') {
            let path = format!("embeddings.{}", self.kind);
            let fields = Fields::read(embeddings, "embeddings")?;
            let vectors = fields.required(&self.kind, "embeddings")?;
            (path, vectors)
        } else {
            ("embeddings".to_owned(), embeddings)
        };
        let vectors = list(vectors, &path)?.into_iter().enumerate();
        let vectors: Result<Vec<Vector>, _> =
            vectors.map(|(at, raw)| Vector::read(raw, &format!("{path}[{at}]"))).collect();
        let billed = reply.meta.and_then(object::<Meta>).and_then(|meta| meta.billed_units);
        // Cohere writes counts as floating-point numbers; a cast saturates.
        let usage = billed.map(|billed| Usage {
            input: (billed.input_tokens + billed.image_tokens) as u64,
            ..Usage::default()
        });
        let response = EmbedResponse { model: String::new(), vectors: vectors?, usage };
        counted(response, self.counts.get(part).copied().unwrap_or_default())
    }
}
