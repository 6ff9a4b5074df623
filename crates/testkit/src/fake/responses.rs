//! OpenAI Responses: the reply whole and as its full sequence of events. What is kept of it is in
//! [`super::kept_responses`], what a request may hold in [`super::responses_rules`].

use serde_json::{Map, Value, json};

use super::draft::{CREATED, Draft, halves, signature};
use super::play::{Frames, Output};
use super::prompt::Prompt;
use super::rules::{Flaw, Rejection, bracketed, list};
use super::script::Chunk;

/// Request fields that a response repeats, with what stands for those left out.
const ECHOED: &[(&str, &str)] = &[
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("service_tier", "\"default\""),
    ("store", "true"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
];

pub(crate) fn phrase(rejection: &Rejection) -> String {
    let path = bracketed(&rejection.path);
    match &rejection.flaw {
        Flaw::Unknown => format!("Unknown parameter: '{path}'."),
        Flaw::Missing => format!("Missing required parameter: '{path}'."),
        Flaw::Type(expected) => format!("Invalid type for '{path}': expected {expected}."),
        Flaw::Below(least) => format!("Invalid '{path}': below minimum value. Expected a value >= {least}."),
        Flaw::Above(most) => format!("Invalid '{path}': above maximum value. Expected a value <= {most}."),
        Flaw::NotOneOf(known) => {
            let known: Vec<String> = known.iter().map(|known| format!("'{known}'")).collect();
            format!("Invalid value for '{path}'. Supported values are: {}.", known.join(", "))
        }
        Flaw::Rule(rule) => rule.clone(),
    }
}

pub(crate) fn code(rejection: &Rejection) -> Option<&'static str> {
    rejection.code.or(match rejection.flaw {
        Flaw::Unknown => Some("unknown_parameter"),
        Flaw::Missing => Some("missing_required_parameter"),
        Flaw::Type(_) => Some("invalid_type"),
        Flaw::Below(_) => Some("integer_below_min_value"),
        Flaw::Above(_) => Some("integer_above_max_value"),
        Flaw::NotOneOf(_) => Some("invalid_value"),
        Flaw::Rule(_) => None,
    })
}

/// The response as it stands at its end.
pub(crate) fn whole(draft: &Draft, prompt: &Prompt) -> Value {
    let output = parts(draft, prompt).into_iter().map(|part| part.item).collect();
    let reason = match draft.finish_reason.as_str() {
        "length" => Some("max_output_tokens"),
        "content_filter" => Some("content_filter"),
        _ => None,
    };
    let status = if reason.is_some() { "incomplete" } else { "completed" };
    let mut response = envelope(draft, prompt, status, output);
    response["incomplete_details"] = reason.map_or(Value::Null, |reason| json!({"reason": reason}));
    if let Some(usage) = usage(draft) {
        response["usage"] = usage;
    }
    response
}

fn usage(draft: &Draft) -> Option<Value> {
    draft.usage(|counts| {
        json!({
            "input_tokens": counts.input, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": counts.output, "output_tokens_details": {"reasoning_tokens": counts.reasoning},
            "total_tokens": counts.input + counts.output,
        })
    })
}

fn envelope(draft: &Draft, prompt: &Prompt, status: &str, output: Vec<Value>) -> Value {
    let mut response = json!({
        "id": format!("resp_fake_{}", draft.index), "object": "response", "created_at": CREATED, "status": status,
        "background": false, "error": null, "incomplete_details": null, "model": draft.model, "output": output,
        "usage": null,
    });
    for (name, default) in ECHOED {
        let default = || serde_json::from_str(default).unwrap_or_default();
        let asked = prompt.body.get(*name).filter(|value| !value.is_null());
        response[*name] = asked.cloned().unwrap_or_else(default);
    }
    response
}

/// One output item at its end, and what happens on the way.
struct Part<'a> {
    item: Value,
    says: Says<'a>,
}

enum Says<'a> {
    Reasoning(&'a str),
    Text(&'a [Chunk]),
    Arguments(String),
}

fn parts<'a>(draft: &'a Draft, prompt: &Prompt) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    if let Some(thinking) = &draft.thinking {
        let summary = json!([{"type": "summary_text", "text": thinking}]);
        let mut item =
            json!({"id": format!("rs_fake_{}", draft.index), "type": "reasoning", "summary": summary});
        if list(&prompt.body["include"]).iter().any(|include| include == "reasoning.encrypted_content") {
            item["encrypted_content"] = json!(signature(thinking));
        }
        parts.push(Part { item, says: Says::Reasoning(thinking) });
    }
    if draft.speaks() {
        let content =
            json!([{"type": "output_text", "text": draft.text(), "annotations": [], "logprobs": []}]);
        let id = format!("msg_fake_{}", draft.index);
        let item = json!({"id": id, "type": "message", "status": "completed", "role": "assistant", "content": content});
        parts.push(Part { item, says: Says::Text(&draft.chunks) });
    }
    for (index, tool) in draft.tools.iter().enumerate() {
        let (id, call_id) = (format!("fc_fake_{}_{index}", draft.index), draft.tool_id("call", index, tool));
        let arguments = tool.arguments_text();
        let item = json!({"id": id, "type": "function_call", "status": "completed", "call_id": call_id, "name": tool.name, "arguments": arguments});
        parts.push(Part { item, says: Says::Arguments(arguments) });
    }
    parts
}

pub(crate) fn streamed(draft: &Draft, prompt: &Prompt) -> Output {
    let mut stream = Stream::default();
    let begun = envelope(draft, prompt, "in_progress", Vec::new());
    stream.event("response.created", json!({"response": begun}));
    stream.event("response.in_progress", json!({"response": begun}));
    for (index, part) in parts(draft, prompt).into_iter().enumerate() {
        stream.part(index, &part);
    }
    if draft.done {
        let response = whole(draft, prompt);
        let kind =
            if response["status"] == "completed" { "response.completed" } else { "response.incomplete" };
        stream.event(kind, json!({"response": response}));
    }
    stream.frames.end()
}

#[derive(Default)]
struct Stream {
    frames: Frames,
    sequence: u64,
}

impl Stream {
    fn bytes(&mut self, kind: &str, fields: Value) -> String {
        let mut event = Map::from_iter([("type".to_owned(), json!(kind))]);
        event.insert("sequence_number".to_owned(), json!(self.sequence));
        self.sequence += 1;
        if let Value::Object(fields) = fields {
            event.extend(fields);
        }
        format!("event: {kind}\ndata: {}\n\n", json!(event))
    }

    fn event(&mut self, kind: &str, fields: Value) {
        let bytes = self.bytes(kind, fields);
        self.frames.frame(bytes);
    }

    fn delta(&mut self, kind: &str, fields: Value) {
        let bytes = self.bytes(kind, fields);
        self.frames.chunk(bytes);
    }

    fn part(&mut self, index: usize, part: &Part<'_>) {
        let mut opened = part.item.clone();
        for (name, blank) in [("summary", json!([])), ("content", json!([])), ("arguments", json!(""))] {
            if let Some(value) = opened.get_mut(name) {
                *value = blank;
            }
        }
        if opened.get("status").is_some() {
            opened["status"] = json!("in_progress");
        }
        self.event("response.output_item.added", json!({"output_index": index, "item": opened}));
        let id = &part.item["id"];
        match &part.says {
            Says::Reasoning(thinking) => self.reasoning(id, index, thinking),
            Says::Text(chunks) => self.text(id, index, chunks, &part.item["content"][0]),
            Says::Arguments(arguments) => self.arguments(id, index, arguments),
        }
        self.event("response.output_item.done", json!({"output_index": index, "item": part.item}));
    }

    fn reasoning(&mut self, id: &Value, index: usize, thinking: &str) {
        let with = |name: &str, value: Value| json!({"item_id": id, "output_index": index, "summary_index": 0, name: value});
        let part = |text: &str| with("part", json!({"type": "summary_text", "text": text}));
        self.event("response.reasoning_summary_part.added", part(""));
        self.delta("response.reasoning_summary_text.delta", with("delta", json!(thinking)));
        self.event("response.reasoning_summary_text.done", with("text", json!(thinking)));
        self.event("response.reasoning_summary_part.done", part(thinking));
    }

    fn text(&mut self, id: &Value, index: usize, chunks: &[Chunk], whole: &Value) {
        let with = |fields: &[(&str, Value)]| {
            let mut event = json!({"item_id": id, "output_index": index, "content_index": 0});
            for (name, value) in fields {
                event[*name] = value.clone();
            }
            event
        };
        let mut blank = whole.clone();
        blank["text"] = json!("");
        self.event("response.content_part.added", with(&[("part", blank)]));
        for chunk in chunks {
            match chunk {
                Chunk::Text(text) => {
                    let fields = with(&[("delta", json!(text)), ("logprobs", json!([]))]);
                    self.delta("response.output_text.delta", fields);
                }
                Chunk::Raw { raw } => self.frames.chunk(raw.0.clone()),
            }
        }
        let fields = with(&[("text", whole["text"].clone()), ("logprobs", json!([]))]);
        self.event("response.output_text.done", fields);
        self.event("response.content_part.done", with(&[("part", whole.clone())]));
    }

    fn arguments(&mut self, id: &Value, index: usize, arguments: &str) {
        let (first, second) = halves(arguments);
        for delta in [first, second] {
            let fields = json!({"item_id": id, "output_index": index, "delta": delta});
            self.delta("response.function_call_arguments.delta", fields);
        }
        let fields = json!({"item_id": id, "output_index": index, "arguments": arguments});
        self.event("response.function_call_arguments.done", fields);
    }
}
