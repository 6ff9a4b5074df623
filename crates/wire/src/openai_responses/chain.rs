//! Responses that are kept, and those that go on with one: what a request says about that, the input of one that
//! continues another, and the lists that callers ask for later. Pure: who keeps what, where and how long is not
//! decided here.
//!
//! What to keep of a call is its whole input ([`input`] of the body after [`continued`]) and the response object as the
//! caller got it (the body, or [`finished`] of a stream's frames); what a call after it sees is their [`history`].

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::response::item_id;
use super::wire::{Event, Item, Response, rows, said};
use crate::fault::TranslateError;
use crate::openai_chat::{Fields, json, list, malformed, object, text, typed};
use crate::raw::Raw;

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;

/// What a request says about its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// The response it goes on with.
    pub previous_response_id: Option<String>,
    /// Whether its response is to be kept; it is unless the request says no.
    pub store: bool,
    /// Whether the answer is fetched later.
    pub background: bool,
    /// Whether the reply is wanted as a stream.
    pub stream: bool,
}

impl Wishes {
    /// Reads them without looking at anything else of `body`.
    ///
    /// # Errors
    /// When the body is no object, or one of these fields is not what it must be.
    pub fn read(body: &[u8]) -> Result<Self, TranslateError> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "'de: 'a"))]
        struct Wire<'a> {
            previous_response_id: Option<&'a RawValue>,
            store: Option<&'a RawValue>,
            background: Option<&'a RawValue>,
            stream: Option<&'a RawValue>,
        }
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        if !raw.get().starts_with('{') {
            return Err(malformed("body", "must be an object"));
        }
        let wire: Wire<'_> =
            serde_json::from_str(raw.get()).map_err(|error| malformed("body", &error.to_string()))?;
        let flag = |raw: Option<&RawValue>, name| {
            raw.map_or(Ok(None), |raw| typed::<bool>(raw, name, "true or false"))
        };
        let name = "previous_response_id";
        Ok(Self {
            previous_response_id: wire
                .previous_response_id
                .map_or(Ok(None), |raw| typed(raw, name, "a string"))?,
            store: flag(wire.store, "store")?.unwrap_or(true),
            background: flag(wire.background, "background")?.unwrap_or_default(),
            stream: flag(wire.stream, "stream")?.unwrap_or_default(),
        })
    }
}

/// The input items of a request body; a string is one message.
///
/// # Errors
/// When the body is no object, or its `input` neither a string nor a list.
pub fn input(body: &[u8]) -> Result<Vec<Raw>, TranslateError> {
    items(&Fields::of_body(body)?)
}

fn items(fields: &Fields<'_>) -> Result<Vec<Raw>, TranslateError> {
    #[derive(Serialize)]
    struct Message<'a> {
        r#type: &'static str,
        role: &'static str,
        content: [Text<'a>; 1],
    }
    #[derive(Serialize)]
    struct Text<'a> {
        r#type: &'static str,
        text: &'a str,
    }
    let Some(raw) = fields.get("input") else { return Ok(Vec::new()) };
    if raw.get().starts_with('[') {
        return Ok(list(raw, "input")?.into_iter().map(Raw::from).collect());
    }
    let text: Option<Cow<'_, str>> = typed(raw, "input", "a string or a list of items")?;
    let content = [Text { r#type: "input_text", text: text.as_deref().unwrap_or_default() }];
    let message = Raw::of(&Message { r#type: "message", role: "user", content });
    message.map(|message| vec![message]).map_err(|error| malformed("input", &error.to_string()))
}

/// What a call after this one sees of it: its input, then its response's output, without reasoning that only the
/// provider's own store could give back.
///
/// # Errors
/// When `response` is not a response object.
pub fn history(input: &[Raw], response: &[u8]) -> Result<Vec<Raw>, TranslateError> {
    let raw: &RawValue =
        serde_json::from_slice(response).map_err(|error| malformed("response", &error.to_string()))?;
    let response: Response<'_> = object(raw).ok_or_else(|| malformed("response", "must be an object"))?;
    let output = rows(response.output).into_iter().filter(|raw| can_return(raw)).map(Raw::from);
    Ok(input.iter().cloned().chain(output).collect())
}

fn can_return(raw: &RawValue) -> bool {
    let item: Item<'_> = object(raw).unwrap_or_default();
    item.r#type.is_none_or(|kind| text(kind) != "reasoning") || said(item.encrypted_content).is_some()
}

/// `body` as a request that stands alone: `earlier` items before its own. Every other byte stays, `previous_response_id`
/// too, which the response repeats.
///
/// # Errors
/// When the body is no object, or its `input` neither a string nor a list.
pub fn continued(body: &[u8], earlier: &[Raw]) -> Result<Bytes, TranslateError> {
    let fields = Fields::of_body(body)?;
    let own = items(&fields)?;
    let all: Vec<&str> = earlier.iter().chain(&own).map(Raw::text).collect();
    let input = format!("[{}]", all.join(","));
    let mut members = Vec::with_capacity(fields.0.len() + 1);
    for (name, raw) in &fields.0 {
        let value = if name == "input" { input.as_str() } else { raw.get() };
        members.push(format!("{}:{value}", Value::from(name.as_ref())));
    }
    if !fields.0.iter().any(|(name, _)| name == "input") {
        members.push(format!("\"input\":{input}"));
    }
    Ok(Bytes::from(format!("{{{}}}", members.join(","))))
}

/// The response object in the data of a stream's frame, if it is the frame that ends the stream.
#[must_use]
pub fn finished(data: &str) -> Option<Raw> {
    let raw: &RawValue = serde_json::from_str(data.trim()).ok()?;
    let event: Event<'_> = object(raw)?;
    let last = ["response.completed", "response.incomplete", "response.failed"];
    last.contains(&text(event.r#type?).as_ref()).then(|| event.response.map(Raw::from)).flatten()
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The id of the item before the first one wanted.
    pub after: Option<&'a str>,
    /// How many items at most; OpenAI takes 1 to 100 and assumes 20.
    pub limit: usize,
    /// Oldest first; OpenAI assumes newest first.
    pub ascending: bool,
}

impl Default for Page<'_> {
    fn default() -> Self {
        Self { after: None, limit: 20, ascending: false }
    }
}

/// The body of a reply that lists the input `items` of the response `id`, each with an id.
#[must_use]
pub fn input_items(id: &str, items: &[Raw], page: Page<'_>) -> Bytes {
    #[derive(Serialize)]
    struct List<'a> {
        object: &'static str,
        data: &'a [Map<String, Value>],
        first_id: Option<&'a Value>,
        last_id: Option<&'a Value>,
        has_more: bool,
    }
    let mut all: Vec<Map<String, Value>> =
        items.iter().enumerate().filter_map(|(at, raw)| named(raw, id, at)).collect();
    if !page.ascending {
        all.reverse();
    }
    let is = |item: &Map<String, Value>, id: &str| item.get("id").and_then(Value::as_str) == Some(id);
    let from = page.after.and_then(|after| all.iter().position(|item| is(item, after)));
    let rest = all.get(from.map_or(0, |at| at + 1)..).unwrap_or_default();
    let data = rest.get(..page.limit.clamp(1, 100)).unwrap_or(rest);
    json(&List {
        object: "list",
        first_id: data.first().and_then(|item| item.get("id")),
        last_id: data.last().and_then(|item| item.get("id")),
        has_more: data.len() < rest.len(),
        data,
    })
}

/// The item with an id, and a message in its long form.
fn named(raw: &Raw, id: &str, at: usize) -> Option<Map<String, Value>> {
    let mut item: Map<String, Value> = serde_json::from_str(raw.text()).ok()?;
    let message = item.get("type").is_none_or(|kind| kind == "message");
    if message {
        item.insert("type".to_owned(), "message".into());
        let answer = item.get("role").is_some_and(|role| role == "assistant");
        if let Some(Value::String(text)) = item.get("content") {
            let kind = if answer { "output_text" } else { "input_text" };
            let part = Map::from_iter([
                ("type".to_owned(), Value::from(kind)),
                ("text".to_owned(), Value::from(text.as_str())),
            ]);
            item.insert("content".to_owned(), Value::from(vec![Value::Object(part)]));
        }
        item.entry("status").or_insert_with(|| "completed".into());
    }
    let prefix = if message { "msg" } else { "item" };
    // An input item is not an output item of the same response.
    let made = || Value::from(item_id(prefix, &format!("{id}_in"), at));
    item.entry("id").or_insert_with(made);
    Some(item)
}
