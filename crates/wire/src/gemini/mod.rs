//! Google's `generateContent`, both halves, as AI Studio and as Vertex AI speak it.
//!
//! Not for same-format traffic: that is spliced, see [`crate::envelope`]. What a tap needs to know of it: every frame
//! and every whole reply is one object; `modelVersion` names the model; `usageMetadata` is cumulative, the last one
//! wins ([`usage::read`]; [`GeminiMeter`] keeps them); nothing marks the end of a stream but each candidate's `finishReason`.
//!
//! Towards the client: `request`, `request_parts` and `request_settings` read, `writer` and `stream_writer` write.
//! Towards the upstream: `encode`, `turns`, `sources`, `settings`, `thinking` and `tools` write, `reader` and `stream` read.
//! `model` says which model takes what, [`signature`] how signatures travel through formats that have none.
//!
//! Not carried: pictures that a model drew, when an OpenAI client sends them back as part of an answer (it has no
//! word for them there); explicit caches, which need a request of their own.

mod arguments;
pub mod count;
pub mod embed;
mod encode;
pub mod fault;
mod finish;
mod grounding;
mod logprobs;
mod members;
mod meter;
mod model;
mod part;
mod partial;
pub mod path;
mod reader;
mod request;
mod request_parts;
mod request_settings;
mod schema;
mod settings;
pub(crate) mod signature;
mod sources;
mod stream;
mod stream_writer;
mod thinking;
mod tools;
mod turns;
pub mod usage;
mod writer;

#[cfg(test)]
#[path = "round_tests.rs"]
mod round_tests;

pub use encode::GeminiUpstream;
pub use meter::GeminiMeter;
pub use request::{GeminiClient, Streamed};

pub(crate) use grounding::span;
pub(crate) use part::picture;

use crate::chat::ChatRequest;
use crate::fault::Loss;
use crate::openai_chat::Fields;
use crate::raw::Raw;

/// The fields of a Gemini caller that are written in OpenAI's words, for upstreams of other formats, and `tools`,
/// which each of them looks through itself. What only
/// Google's models know is a loss; what has no effect on an answer is none.
pub(crate) fn in_openai_words<'a>(
    request: &'a ChatRequest,
    losses: &mut Vec<Loss>,
) -> Vec<&'a (String, Raw)> {
    const SAID: [&str; 4] = ["modalities", "tools", "top_k", "web_search_options"];
    // The filters that safety settings tune are Google's own.
    const NO_EFFECT: [&str; 2] = ["labels", "safetySettings"];
    let why = "only Google's models know it";
    let mut said = Vec::new();
    for extra in &request.extras {
        match extra.0.as_str() {
            name if SAID.contains(&name) => said.push(extra),
            name if NO_EFFECT.contains(&name) => {}
            "generationConfig" => {
                let members = Fields::read(extra.1.value(), "generationConfig").map(|fields| fields.0);
                // How to think is modelled as well.
                let lost =
                    members.unwrap_or_default().into_iter().filter(|(name, _)| name != "thinkingConfig");
                losses.extend(lost.map(|(name, _)| Loss { field: format!("generationConfig.{name}"), why }));
            }
            name => losses.push(Loss { field: name.to_owned(), why }),
        }
    }
    said
}
