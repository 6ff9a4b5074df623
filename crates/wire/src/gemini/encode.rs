//! A [`ChatRequest`] written as a `generateContent` request. The conversation is `turns`', tools are `tools`',
//! everything else is `settings`'.
//!
//! The body says neither which model nor whether to stream: both stand in the address,
//! `…/models/MODEL:generateContent` or `…/models/MODEL:streamGenerateContent?alt=sse`.

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::model::Gemini;
use super::part::Piece;
use super::reader::{GeminiReader, Memory};
use super::settings::{Settings, unwritable};
use super::tools::Toolbox;
use super::turns::{self, Script};
use crate::chat::ChatRequest;
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::renames::Renames;

/// We speak `generateContent` to Google, at one of its two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeminiUpstream {
    /// The Gemini API: a key, files of its own.
    AiStudio,
    /// Vertex AI: a Google Cloud project. It fetches from the web, labels calls and gives log-probabilities.
    Vertex,
}

/// Google takes names of functions up to this length.
const LONGEST_NAME: usize = 64;

impl UpstreamCodec for GeminiUpstream {
    fn format(&self) -> Format {
        Format::Gemini
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let model = Gemini::of(target.model);
        let names = Renames::lettered(request.tool_names(), LONGEST_NAME);
        let mut script = turns::write(request, model, *self, &names)?;
        let mut losses = std::mem::take(&mut script.losses);
        let toolbox = Toolbox::of(request, model, &names, &mut losses)?;
        let mut settings = Settings::of(request, model, *self, script.resolution, &mut losses)?;
        settings.tool_config.some("functionCallingConfig", toolbox.choice.as_ref())?;
        let body =
            serde_json::to_vec(&Body { script, toolbox, settings }).map_err(|error| unwritable(&error))?;
        let memory = Memory { names, call_id: target.call_id.to_owned() };
        Ok(Outbound { body: Bytes::from(body), reader: Box::new(GeminiReader { memory }), losses })
    }
}

struct Body<'a> {
    script: Script<'a>,
    toolbox: Toolbox<'a>,
    settings: Settings,
}

#[derive(Serialize)]
struct Instruction<'a> {
    parts: &'a [Piece<'a>],
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { script, toolbox, settings } = self;
        let mut map = serializer.serialize_map(None)?;
        if !script.system.is_empty() {
            map.serialize_entry("systemInstruction", &Instruction { parts: &script.system })?;
        }
        map.serialize_entry("contents", &script.contents)?;
        if !toolbox.tools.is_empty() {
            map.serialize_entry("tools", &toolbox.tools)?;
        }
        if !settings.tool_config.is_empty() {
            map.serialize_entry("toolConfig", &settings.tool_config)?;
        }
        if !settings.config.is_empty() {
            map.serialize_entry("generationConfig", &settings.config)?;
        }
        settings.beside.entries(&mut map)?;
        map.end()
    }
}
