//! Amazon's Titan embedding models behind Bedrock's `/model/ID/invoke`: one input a request.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{bounded, extras, first_type, repeatable, text};
use crate::codec::Target;
use crate::embed::{EmbedRequest, EmbedResponse, Vector};
use crate::embed_codec::{EmbedOutbound, EmbedReader, EmbedUpstream, counted};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{Fields, malformed};
use crate::reply::Usage;

/// We speak the body of Titan's embedding models to Bedrock.
#[derive(Clone, Copy, Debug, Default)]
pub struct TitanEmbed;

/// The generations of the model, which take different settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Titan {
    /// `amazon.titan-embed-text-v1` and `amazon.titan-embed-g1-text-02`.
    First,
    /// `amazon.titan-embed-text-v2:0`, and whatever comes after it.
    Second,
    /// `amazon.titan-embed-image-v1`, for texts and pictures.
    Multimodal,
}

impl Titan {
    fn of(model: &str) -> Self {
        if model.contains("titan-embed-image") {
            Self::Multimodal
        } else if model.contains("titan-embed-text-v1") || model.contains("titan-embed-g1") {
            Self::First
        } else {
            Self::Second
        }
    }
}

impl EmbedUpstream for TitanEmbed {
    fn format(&self) -> Format {
        Format::BedrockTitanEmbed
    }

    fn encode(&self, request: &EmbedRequest, target: &Target<'_>) -> Result<EmbedOutbound, TranslateError> {
        bounded(request)?;
        let titan = Titan::of(target.model);
        let (mut losses, mut kind) = (Vec::new(), None);
        let mut settings = Members::default();
        for (name, raw) in extras(request) {
            match name {
                "embeddingTypes" if titan == Titan::Second => {
                    kind = first_type(name, raw, &mut losses)?;
                    settings.set_some(name, kind.as_ref().map(|kind| [kind]))?;
                }
                "normalize" if titan == Titan::Second => settings.set(name, raw)?,
                "embeddingConfig" if titan == Titan::Multimodal => settings.set(name, raw)?,
                _ => {
                    losses.push(Loss { field: name.to_owned(), why: "this Titan model has no such setting" })
                }
            }
        }
        if let Some(dimensions) = request.dimensions {
            match titan {
                Titan::First => losses.push(Loss {
                    field: "dimensions".to_owned(),
                    why: "vectors of the first Titan text model have one length",
                }),
                Titan::Second => settings.set("dimensions", &dimensions)?,
                Titan::Multimodal => {
                    let mut config = Members::default();
                    config.set("outputEmbeddingLength", &dimensions)?;
                    settings.set("embeddingConfig", &config)?;
                }
            }
        }
        repeatable(&settings, request.input.len())?;
        let one = |(at, input)| {
            let text = text(input, at, Format::BedrockTitanEmbed)?;
            let picture = input.picture().filter(|_| titan == Titan::Multimodal);
            let mut body = settings.clone();
            match picture.and_then(|uri| uri.split_once(',')) {
                Some((_, data)) => body.set("inputImage", data)?,
                None => body.set("inputText", text)?,
            }
            body.body()
        };
        let bodies: Result<Vec<_>, TranslateError> = request.input.iter().enumerate().map(one).collect();
        Ok(EmbedOutbound { bodies: bodies?, reader: Box::new(TitanReader { kind }), losses })
    }
}

struct TitanReader {
    /// The type of vector asked for, if one was.
    kind: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    embedding: Option<&'a RawValue>,
    embeddings_by_type: Option<&'a RawValue>,
    input_text_token_count: Option<u64>,
}

impl EmbedReader for TitanReader {
    fn read(&self, _part: usize, body: &[u8]) -> Result<EmbedResponse, TranslateError> {
        let reply: Reply<'_> =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let vector = match (&self.kind, reply.embeddings_by_type) {
            (Some(kind), Some(typed)) => {
                let raw = Fields::read(typed, "embeddingsByType")?.required(kind, "embeddingsByType")?;
                Vector::read(raw, &format!("embeddingsByType.{kind}"))?
            }
            _ => {
                let raw = reply.embedding.ok_or_else(|| malformed("embedding", "is required"))?;
                Vector::read(raw, "embedding")?
            }
        };
        let usage = reply.input_text_token_count.map(|input| Usage { input, ..Usage::default() });
        counted(EmbedResponse { model: String::new(), vectors: vec![vector], usage }, 1)
    }
}
