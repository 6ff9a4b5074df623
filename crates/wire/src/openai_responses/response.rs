//! The response object: what the request said, echoed, around what came of it.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::fault::Failure;
use super::usage::WrittenUsage;
use crate::openai_chat::Fields;
use crate::openai_chat::written::service_tier;
use crate::raw::Raw;
use crate::reply::{Stop, Usage};

/// Members of a request that its response repeats, and what stands there when the request is silent.
const ECHOED: [(&str, &str); 19] = [
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("store", "true"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "null"),
    ("truncation", r#""disabled""#),
    ("user", "null"),
];

/// What a response repeats of its request, as far as the request said it.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo(Vec<(&'static str, Raw)>);

impl Echo {
    pub(super) fn of(fields: &Fields<'_>) -> Self {
        let said = ECHOED.iter().map(|(name, silent)| {
            let raw = fields.get(name).map(Raw::from).or_else(|| Raw::parse((*silent).to_owned()).ok());
            raw.map(|raw| (*name, raw))
        });
        Self(said.flatten().collect())
    }
}

/// The provider's id if it is one of this API's, else one made of it.
#[must_use]
pub fn response_id(id: &str) -> Cow<'_, str> {
    if id.starts_with("resp_") {
        return Cow::Borrowed(id);
    }
    let stem = ["chatcmpl-", "msg_"].iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id);
    Cow::Owned(format!("resp_{stem}"))
}

/// The id of the item at `index` of the response `id`.
pub(super) fn item_id(prefix: &str, id: &str, index: usize) -> String {
    format!("{prefix}_{}_{index}", id.strip_prefix("resp_").unwrap_or(id))
}

/// How far a response has come.
pub(super) enum Status<'a> {
    InProgress,
    Ended(Stop),
    /// Cut, or without a word about its end.
    Open,
    Failed(Failure<'a>),
}

impl Status<'_> {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Status::InProgress => "in_progress",
            Status::Ended(Stop::End | Stop::ToolUse) => "completed",
            Status::Ended(Stop::Length | Stop::Filtered | Stop::Paused) | Status::Open => "incomplete",
            Status::Failed(_) => "failed",
        }
    }

    fn reason(&self) -> Option<Reason> {
        let reason = match self {
            // This API has no word for a pause; an answer that was cut is the nearest.
            Status::Ended(Stop::Length | Stop::Paused) => "max_output_tokens",
            Status::Ended(Stop::Filtered) => "content_filter",
            Status::Ended(Stop::End | Stop::ToolUse)
            | Status::InProgress
            | Status::Open
            | Status::Failed(_) => {
                return None;
            }
        };
        Some(Reason { reason })
    }
}

#[derive(Serialize)]
struct Reason {
    reason: &'static str,
}

/// A response.
pub(super) struct Response<'a> {
    pub(super) echo: &'a Echo,
    pub(super) id: &'a str,
    pub(super) model: &'a str,
    pub(super) created: u64,
    pub(super) status: Status<'a>,
    pub(super) output: &'a [Raw],
    pub(super) usage: Option<&'a Usage>,
}

impl Serialize for Response<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("object", "response")?;
        map.serialize_entry("created_at", &self.created)?;
        map.serialize_entry("status", self.status.word())?;
        let failure = if let Status::Failed(failure) = &self.status { Some(failure) } else { None };
        map.serialize_entry("error", &failure)?;
        map.serialize_entry("incomplete_details", &self.status.reason())?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("output", self.output)?;
        map.serialize_entry("service_tier", service_tier(self.usage).unwrap_or("default"))?;
        map.serialize_entry("usage", &self.usage.map(WrittenUsage::from))?;
        for (name, raw) in &self.echo.0 {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}
