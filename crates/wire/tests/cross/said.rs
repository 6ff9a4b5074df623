//! What a client reads in a reply of its format: an own reading, by the documentation of each API.

use serde_json::{Map, Value};
use tollgate_wire::chat::Block;
use tollgate_wire::format::Format;
use tollgate_wire::reply::{ChatResponse, Stop};

/// The substance of the first choice of a reply.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Names and arguments.
    pub(crate) calls: Vec<(String, Value)>,
    pub(crate) finish: &'static str,
    /// Whether the text is a refusal; known of the canonical reply only.
    pub(crate) declines: bool,
    /// Tokens in and out.
    pub(crate) usage: Option<(u64, u64)>,
}

impl Said {
    /// What the canonical reply says.
    pub(crate) fn of(response: &ChatResponse) -> Self {
        let mut said = Self::default();
        let Some(choice) = response.choices.first() else { return said };
        for block in &choice.blocks {
            match block {
                Block::Text(text) => said.text.push_str(text),
                Block::Refusal(text) => {
                    said.text.push_str(text);
                    said.declines = true;
                }
                Block::ToolCall { name, input, .. } => said.calls.push((name.clone(), arguments(input))),
                _ => {}
            }
        }
        said.finish = match choice.stop {
            Some(Stop::Length) => "length",
            Some(Stop::Filtered) => "filter",
            Some(Stop::Paused) => "paused",
            _ if !said.calls.is_empty() => "tools",
            Some(Stop::End | Stop::ToolUse) => "end",
            None => "",
        };
        said.usage = response.usage.map(|usage| (usage.input, usage.output));
        said
    }

    /// What a whole reply says.
    pub(crate) fn whole(format: Format, body: &Value) -> Self {
        let mut said = Self::default();
        match format {
            Format::OpenAiChat => said.chat_choice(&body["choices"][0], "message", &body["usage"]),
            Format::AnthropicMessages => {
                list(&body["content"]).for_each(|block| said.messages_block(block));
                said.finish = anthropic_finish(&body["stop_reason"]);
                said.usage = anthropic_usage(&body["usage"]);
            }
            Format::OpenAiResponses => said.response(body),
            _ => said.candidates(body),
        }
        said
    }

    /// What the frames of a stream say, together.
    pub(crate) fn stream(format: Format, frames: &[Value]) -> Self {
        let mut said = Self::default();
        match format {
            Format::OpenAiChat => said.chat_stream(frames),
            Format::AnthropicMessages => said.messages_stream(frames),
            Format::OpenAiResponses => {
                let last = frames.iter().rfind(|frame| {
                    frame["response"]["status"] != "in_progress" && frame["response"].is_object()
                });
                said.response(last.map_or(&Value::Null, |frame| &frame["response"]));
                let deltas = frames.iter().filter(|frame| {
                    frame["type"] == "response.output_text.delta" || frame["type"] == "response.refusal.delta"
                });
                let text: String = deltas.map(|frame| text(&frame["delta"])).collect();
                assert_eq!(text, said.text, "deltas and the final response");
            }
            _ => frames.iter().for_each(|frame| said.candidates(frame)),
        }
        said
    }

    fn chat_choice(&mut self, choice: &Value, message: &str, usage: &Value) {
        let message = &choice[message];
        self.text = format!("{}{}", text(&message["content"]), text(&message["refusal"]));
        for call in list(&message["tool_calls"]) {
            let function = &call["function"];
            self.calls.push((text(&function["name"]).to_owned(), arguments(text(&function["arguments"]))));
        }
        self.finish = openai_finish(&choice["finish_reason"]);
        self.usage = pair(&usage["prompt_tokens"], &usage["completion_tokens"]);
    }

    fn chat_stream(&mut self, frames: &[Value]) {
        let mut calls: Vec<(String, String)> = Vec::new();
        for frame in frames {
            self.usage =
                pair(&frame["usage"]["prompt_tokens"], &frame["usage"]["completion_tokens"]).or(self.usage);
            for choice in list(&frame["choices"]).filter(|choice| choice["index"] == 0) {
                let delta = &choice["delta"];
                self.text.push_str(text(&delta["content"]));
                self.text.push_str(text(&delta["refusal"]));
                for call in list(&delta["tool_calls"]) {
                    let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
                    if at == calls.len() {
                        calls.push((text(&call["function"]["name"]).to_owned(), String::new()));
                    }
                    calls[at].1.push_str(text(&call["function"]["arguments"]));
                }
                if choice["finish_reason"].is_string() {
                    self.finish = openai_finish(&choice["finish_reason"]);
                }
            }
        }
        self.calls = calls.into_iter().map(|(name, input)| (name, arguments(&input))).collect();
    }

    fn messages_block(&mut self, block: &Value) {
        match text(&block["type"]) {
            "text" => self.text.push_str(text(&block["text"])),
            "tool_use" => self.calls.push((text(&block["name"]).to_owned(), block["input"].clone())),
            _ => {}
        }
    }

    fn messages_stream(&mut self, frames: &[Value]) {
        let mut input: Option<(String, String)> = None;
        for frame in frames {
            let delta = &frame["delta"];
            match text(&frame["type"]) {
                "content_block_start" if frame["content_block"]["type"] == "tool_use" => {
                    input = Some((text(&frame["content_block"]["name"]).to_owned(), String::new()));
                }
                "content_block_delta" => {
                    self.text.push_str(text(&delta["text"]));
                    if let Some((_, input)) = &mut input {
                        input.push_str(text(&delta["partial_json"]));
                    }
                }
                "content_block_stop" => {
                    self.calls.extend(input.take().map(|(name, input)| (name, arguments(&input))));
                }
                "message_delta" => {
                    self.finish = anthropic_finish(&delta["stop_reason"]);
                    self.usage = anthropic_usage(&frame["usage"]);
                }
                _ => {}
            }
        }
    }

    fn response(&mut self, response: &Value) {
        for item in list(&response["output"]) {
            for part in list(&item["content"]).filter(|_| item["type"] == "message") {
                self.text.push_str(text(&part["text"]));
                self.text.push_str(text(&part["refusal"]));
            }
            if item["type"] == "function_call" {
                self.calls.push((text(&item["name"]).to_owned(), arguments(text(&item["arguments"]))));
            }
        }
        self.finish = match (text(&response["status"]), text(&response["incomplete_details"]["reason"])) {
            ("completed", _) if !self.calls.is_empty() => "tools",
            ("completed", _) => "end",
            ("incomplete", "max_output_tokens") => "length",
            ("incomplete", "content_filter") => "filter",
            _ => "",
        };
        self.usage = pair(&response["usage"]["input_tokens"], &response["usage"]["output_tokens"]);
    }

    fn candidates(&mut self, frame: &Value) {
        let candidate =
            list(&frame["candidates"]).find(|candidate| candidate["index"].as_u64().unwrap_or(0) == 0);
        let candidate = candidate.unwrap_or(&Value::Null);
        for part in list(&candidate["content"]["parts"]).filter(|part| part["thought"] != true) {
            self.text.push_str(text(&part["text"]));
            if part["functionCall"].is_object() {
                let call = &part["functionCall"];
                let mut args = call["args"].clone();
                // Arguments that are no object are kept under this name.
                args.as_object_mut().unwrap().remove("invalid_arguments");
                self.calls.push((text(&call["name"]).to_owned(), args));
            }
        }
        match text(&candidate["finishReason"]) {
            "" => {}
            "STOP" if !self.calls.is_empty() => self.finish = "tools",
            "STOP" => self.finish = "end",
            "MAX_TOKENS" => self.finish = "length",
            _ => self.finish = "filter",
        }
        let usage = &frame["usageMetadata"];
        let thoughts = usage["thoughtsTokenCount"].as_u64().unwrap_or(0);
        let candidates = Value::from(usage["candidatesTokenCount"].as_u64().unwrap_or(0) + thoughts);
        self.usage = pair(&usage["promptTokenCount"], &candidates).or(self.usage);
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Arguments as an object; what is none counts as none for every format.
fn arguments(text: &str) -> Value {
    serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default().into()
}

fn pair(input: &Value, output: &Value) -> Option<(u64, u64)> {
    Some((input.as_u64()?, output.as_u64()?))
}

fn openai_finish(reason: &Value) -> &'static str {
    match text(reason) {
        "stop" => "end",
        "length" => "length",
        "tool_calls" => "tools",
        "content_filter" => "filter",
        _ => "",
    }
}

fn anthropic_finish(reason: &Value) -> &'static str {
    match text(reason) {
        "end_turn" | "stop_sequence" => "end",
        "max_tokens" => "length",
        "tool_use" => "tools",
        "refusal" => "filter",
        "pause_turn" => "paused",
        _ => "",
    }
}

fn anthropic_usage(usage: &Value) -> Option<(u64, u64)> {
    let cache = ["cache_read_input_tokens", "cache_creation_input_tokens"];
    let cached: u64 = cache.iter().filter_map(|name| usage[*name].as_u64()).sum();
    let input = usage["input_tokens"].as_u64()? + cached;
    Some((input, usage["output_tokens"].as_u64()?))
}
