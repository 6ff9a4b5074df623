//! Single events of a stream as they are written, one SSE frame each. Which comes when is `stream_writer`'s.

use bytes::{BufMut, BytesMut};
use serde::Serialize;

use super::item::{Item, Part};
use super::response::Response;
use super::writer::{Prose, thought};
use crate::raw::Raw;

/// The members of an event besides its type and number.
#[derive(Default, Serialize)]
pub(super) struct Members<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<Response<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<Part<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<&'a [Raw]>,
}

#[derive(Serialize)]
struct Numbered<'a> {
    r#type: &'a str,
    sequence_number: u64,
    #[serde(flatten)]
    members: Members<'a>,
}

/// One SSE frame; the vendor's clients go by the event's name or by its type.
pub(super) fn emit(sequence: &mut u64, r#type: &str, members: Members<'_>, out: &mut BytesMut) {
    let numbered = Numbered { r#type, sequence_number: *sequence, members };
    *sequence += 1;
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(r#type.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let from = out.len();
    // Writing one of our own reply types into memory cannot fail.
    let _ = serde_json::to_writer((&mut *out).writer(), &numbered);
    // What is echoed verbatim may be spread over lines, which would cut the frame. Strings in JSON hold none.
    for byte in out.iter_mut().skip(from).filter(|byte| matches!(**byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    out.extend_from_slice(b"\n\n");
}

/// Members of an event about the summary of the reasoning at `index`.
pub(super) fn summary<'a>(index: usize) -> Members<'a> {
    Members { output_index: Some(index), summary_index: Some(0), ..Members::default() }
}

/// Reasoning begins to be told.
pub(super) fn begin_thought(sequence: &mut u64, id: &str, index: usize, out: &mut BytesMut) {
    let item = Raw::of(&thought(id, "", None)).ok();
    let added = Members { output_index: Some(index), item: item.as_ref(), ..Members::default() };
    emit(sequence, "response.output_item.added", added, out);
    let part = Some(Part::text("summary_text", ""));
    let added = Members { item_id: Some(id), part, ..summary(index) };
    emit(sequence, "response.reasoning_summary_part.added", added, out);
}

/// A part of a message is complete.
pub(super) fn end_prose(
    sequence: &mut u64,
    id: &str,
    index: usize,
    (at, prose): (usize, &Prose),
    out: &mut BytesMut,
) {
    let members = || Members {
        item_id: Some(id),
        output_index: Some(index),
        content_index: Some(at),
        ..Members::default()
    };
    if prose.refusal {
        let done = Members { refusal: Some(&prose.text), ..members() };
        emit(sequence, "response.refusal.done", done, out);
    } else {
        let done = Members { text: Some(&prose.text), logprobs: Some(&prose.logprobs), ..members() };
        emit(sequence, "response.output_text.done", done, out);
    }
    let done = Members { part: Some(prose.part()), ..members() };
    emit(sequence, "response.content_part.done", done, out);
}

/// The arguments of a call are complete.
pub(super) fn end_call(sequence: &mut u64, item: &Item<'_>, index: usize, custom: bool, out: &mut BytesMut) {
    let members = || Members { item_id: item.id, output_index: Some(index), ..Members::default() };
    if custom {
        let input = item.input.as_deref();
        let delta = Members { delta: input, ..members() };
        emit(sequence, "response.custom_tool_call_input.delta", delta, out);
        emit(sequence, "response.custom_tool_call_input.done", Members { input, ..members() }, out);
    } else {
        let done = Members { name: item.name, arguments: item.arguments, ..members() };
        emit(sequence, "response.function_call_arguments.done", done, out);
    }
}
