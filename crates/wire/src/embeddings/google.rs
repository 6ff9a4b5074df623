//! Google's three methods as one seam, in requests of a size that each takes. Bodies and replies are written and read
//! by [`crate::gemini::embed`].

use super::{bounded, extras, repeatable};
use crate::codec::Target;
use crate::embed::{EmbedRequest, EmbedResponse};
use crate::embed_codec::{EmbedOutbound, EmbedReader, EmbedUpstream, counted};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::gemini::embed::{self, Method};
use crate::members::Members;

/// We speak one of Google's embedding methods.
#[derive(Clone, Copy, Debug)]
pub struct GoogleEmbed {
    format: Format,
    method: Method,
    /// The fields taken beside the texts, in either spelling.
    fields: &'static [&'static str],
}

impl GoogleEmbed {
    /// `:batchEmbedContents` of the Gemini API.
    pub const BATCH: Self = Self {
        format: Format::GeminiEmbed,
        method: Method::Batch,
        fields: &["task_type", "taskType", "title"],
    };
    /// `:predict` of Vertex AI.
    pub const PREDICT: Self = Self {
        format: Format::VertexEmbed,
        method: Method::Predict,
        fields: &["task_type", "taskType", "title", "auto_truncate", "autoTruncate"],
    };
    /// `:embedContent` of Vertex AI.
    pub const SINGLE: Self =
        Self { format: Format::VertexEmbedContent, method: Method::Single, ..Self::PREDICT };

    /// How many texts a request takes.
    fn most(&self, model: &str) -> usize {
        match self.method {
            Method::Batch => 100,
            Method::Predict if model.starts_with("gemini-embedding") => 1,
            Method::Predict => 250,
            Method::Single => 1,
        }
    }
}

impl EmbedUpstream for GoogleEmbed {
    fn format(&self) -> Format {
        self.format
    }

    fn encode(&self, request: &EmbedRequest, target: &Target<'_>) -> Result<EmbedOutbound, TranslateError> {
        bounded(request)?;
        let (mut losses, mut size) = (Vec::new(), Members::default());
        let mut settings = EmbedRequest { dimensions: request.dimensions, ..EmbedRequest::default() };
        for (name, raw) in extras(request) {
            if self.fields.contains(&name) {
                size.set(name, raw)?;
                settings.extras.push((name.to_owned(), raw.clone()));
            } else {
                losses.push(Loss { field: name.to_owned(), why: "Google's embedding API has no such field" });
            }
        }
        // They stand beside each text, whichever way the texts are cut into requests.
        repeatable(&size, request.input.len())?;
        let (mut bodies, mut counts) = (Vec::new(), Vec::new());
        for input in request.input.chunks(self.most(target.model)) {
            let part = EmbedRequest { input: input.to_vec(), ..settings.clone() };
            bodies.push(embed::encode(&part, target.model, self.method)?);
            counts.push(input.len());
        }
        Ok(EmbedOutbound { bodies, reader: Box::new(GoogleReader { counts }), losses })
    }
}

struct GoogleReader {
    /// How many texts each request holds.
    counts: Vec<usize>,
}

impl EmbedReader for GoogleReader {
    fn read(&self, part: usize, body: &[u8]) -> Result<EmbedResponse, TranslateError> {
        counted(embed::read(body)?, self.counts.get(part).copied().unwrap_or_default())
    }
}
