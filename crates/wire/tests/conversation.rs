//! Conversations that grow, turn by turn: what a provider has cached stays the beginning of what it is sent next,
//! and what a caller of one format was told about reasoning comes back to its provider intact.
#![cfg(test)]

use bytes::BytesMut;
use serde_json::{Value, json};
use tollgate_wire::anthropic_messages::{BedrockInvoke, MessagesClient, MessagesUpstream, VertexRaw};
use tollgate_wire::bedrock_converse::ConverseUpstream;
use tollgate_wire::codec::{ClientCodec, Finish, Stamp, Target, UpstreamCodec};
use tollgate_wire::cohere_chat::CohereUpstream;
use tollgate_wire::frame::Frame;
use tollgate_wire::gemini::GeminiUpstream;
use tollgate_wire::openai_chat::{ChatClient, ChatUpstream};
use tollgate_wire::openai_responses::{ResponsesClient, ResponsesUpstream};

fn sent(client: &dyn ClientCodec, upstream: &dyn UpstreamCodec, body: &Value) -> Value {
    let request = client.decode(body.to_string().as_bytes()).unwrap().request;
    let target = Target { model: &request.model, call_id: "call" };
    serde_json::from_slice(&upstream.encode(&request, &target).unwrap().body).unwrap()
}

/// The prompt as a provider caches it: tools, then the system, then each block with its speaker. Strings are
/// one block.
fn prompt(body: &Value) -> Vec<String> {
    if let Some(contents) = body["contents"].as_array() {
        let mut prompt = vec![body["tools"].to_string(), body["systemInstruction"].to_string()];
        for content in contents {
            let parts = content["parts"].as_array().unwrap().iter();
            prompt.extend(parts.map(|part| format!("{} {part}", content["role"])));
        }
        return prompt;
    }
    let tools = [&body["tools"], &body["toolConfig"]["tools"]];
    let mut prompt = vec![format!("{tools:?}"), body["system"].to_string(), body["instructions"].to_string()];
    if let Some(items) = body["input"].as_array() {
        prompt.extend(items.iter().map(Value::to_string));
        return prompt;
    }
    for message in body["messages"].as_array().unwrap() {
        let role = &message["role"];
        match message["content"].as_array() {
            Some(blocks) => prompt.extend(blocks.iter().map(|block| format!("{role} {block}"))),
            None => prompt.push(format!("{role} {} {}", message["content"], message["tool_calls"])),
        }
    }
    prompt
}

fn grows(client: &dyn ClientCodec, upstream: &dyn UpstreamCodec, settings: &Value, messages: &[Value]) {
    let mut before: Vec<String> = Vec::new();
    let mut compared = 0;
    // A request is made wherever the model has the word.
    let requests = (1..=messages.len()).filter(|end| messages[end - 1]["role"] != "assistant");
    for end in requests.filter(|end| messages.get(*end).is_none_or(|next| next["role"] == "assistant")) {
        let mut body = settings.clone();
        body["messages"] = Value::from(&messages[..end]);
        let now = prompt(&sent(client, upstream, &body));
        assert!(now.len() > before.len());
        assert_eq!(now[..before.len()], before, "after {end} messages");
        before = now;
        compared += 1;
    }
    assert!(compared >= 4, "only {compared} requests");
}

fn openai_call(id: &str, name: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{\"b\":1, \"a\":2}"}})
}

#[test]
fn a_prompt_stays_a_prefix_of_the_next() {
    let chat = json!({"model": "claude-sonnet-4-5", "reasoning_effort": "low",
        "tools": [{"type": "function", "function": {"name": "look up"}}, {"type": "function", "function": {"name": "look_up"}}]});
    let messages = [
        json!({"role": "system", "content": "Be brief."}),
        json!({"role": "user", "content": [{"type": "text", "text": "One", "cache_control": {"type": "ephemeral"}}]}),
        json!({"role": "assistant", "content": null, "thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "s"}],
            "tool_calls": [openai_call("c.1", "look up"), openai_call("c_1", "look_up")]}),
        json!({"role": "tool", "tool_call_id": "c.1", "content": "4 "}),
        json!({"role": "tool", "tool_call_id": "c_1", "content": ""}),
        json!({"role": "assistant", "content": "Two. "}),
        json!({"role": "system", "content": "In French."}),
        json!({"role": "user", "content": ""}),
        json!({"role": "assistant", "content": "", "reasoning_content": "unsigned"}),
        json!({"role": "user", "content": "Three"}),
        json!({"role": "assistant", "content": null, "tool_calls": [openai_call("c:1", "look up")]}),
        json!({"role": "tool", "tool_call_id": "c:1", "content": [{"type": "text", "text": "5"}]}),
    ];
    grows(&ChatClient, &MessagesUpstream, &chat, &messages);
    for upstream in [&BedrockInvoke as &dyn UpstreamCodec, &VertexRaw] {
        grows(&ChatClient, upstream, &chat, &messages);
    }
    for model in [
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.amazon.nova-pro-v1:0",
        "us.meta.llama3-3-70b-instruct-v1:0",
    ] {
        let mut hosted = chat.clone();
        hosted["model"] = json!(model);
        grows(&ChatClient, &ConverseUpstream, &hosted, &messages);
    }
    grows(&ChatClient, &ResponsesUpstream, &chat, &messages);
    for model in ["gemini-2.5-flash", "gemini-3-pro-preview"] {
        let mut google = chat.clone();
        google["model"] = json!(model);
        grows(&ChatClient, &GeminiUpstream::AiStudio, &google, &messages);
    }
    for model in ["command-a-03-2025", "command-a-reasoning-08-2025"] {
        let mut settings = chat.clone();
        settings["model"] = json!(model);
        grows(&ChatClient, &CohereUpstream, &settings, &messages);
    }

    let native = json!({"model": "claude-sonnet-4-5", "max_tokens": 9000, "system": "Be brief.",
        "tools": [{"name": "look_up", "input_schema": {"type": "object"}}]});
    let picture =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}});
    let messages = [
        json!({"role": "user", "content": "One"}),
        json!({"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "x "},
            {"type": "tool_use", "id": "t1", "name": "look_up", "input": {"b": 1, "a": 2}}]}),
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "4"}, picture]},
            {"type": "text", "text": "And?"}]}),
        json!({"role": "assistant", "content": "Two"}),
        json!({"role": "user", "content": [{"type": "text", "text": "Three"}]}),
        json!({"role": "assistant", "content": "Four"}),
        json!({"role": "user", "content": "Five"}),
    ];
    grows(&MessagesClient, &MessagesUpstream, &native, &messages);
    for model in
        ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.amazon.nova-pro-v1:0", "us.openai.gpt-5.4"]
    {
        let mut hosted = native.clone();
        hosted["model"] = json!(model);
        grows(&MessagesClient, &ConverseUpstream, &hosted, &messages);
    }
    grows(&MessagesClient, &BedrockInvoke, &native, &messages);
    grows(&MessagesClient, &VertexRaw, &native, &messages);
    let mut foreign = native;
    foreign["model"] = json!("gpt-4o-mini");
    grows(&MessagesClient, &ChatUpstream, &foreign, &messages);
    grows(&MessagesClient, &ResponsesUpstream, &foreign, &messages);
    foreign["model"] = json!("gemini-3-pro-preview");
    grows(&MessagesClient, &GeminiUpstream::Vertex, &foreign, &messages);
    foreign["model"] = json!("command-a-03-2025");
    grows(&MessagesClient, &CohereUpstream, &foreign, &messages);
}

#[test]
fn a_prompt_of_items_stays_a_prefix_of_the_next() {
    let settings = json!({"model": "claude-sonnet-4-5", "instructions": "Be brief.", "tools": [
        {"type": "function", "name": "look_up", "parameters": {"type": "object"}},
        {"type": "custom", "name": "patch"}]});
    let items = [
        json!({"role": "developer", "content": "In French."}),
        json!({"role": "user", "content": [{"type": "input_text", "text": "One"}]}),
        json!({"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}),
        json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Looking."}]}),
        json!({"type": "function_call", "call_id": "c1", "name": "look_up", "arguments": "{\"b\":1, \"a\":2}"}),
        json!({"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "+x\n"}),
        json!({"type": "function_call_output", "call_id": "c1", "output": "4"}),
        json!({"type": "custom_tool_call_output", "call_id": "c2", "output": "done"}),
        json!({"role": "assistant", "content": "Two"}),
        json!({"role": "user", "content": "Three"}),
    ];
    for upstream in [&ResponsesUpstream as &dyn UpstreamCodec, &ChatUpstream, &MessagesUpstream] {
        let mut before: Vec<String> = Vec::new();
        for end in [2, 8, 10] {
            let mut body = settings.clone();
            body["input"] = Value::from(&items[..end]);
            let now = prompt(&sent(&ResponsesClient, upstream, &body));
            assert!(now.len() > before.len());
            assert_eq!(now[..before.len()], before, "after {end} items");
            before = now;
        }
    }
}

/// The answer of an upstream, as the caller of `client` gets it: whole.
fn answered(client: &dyn ClientCodec, upstream: &dyn UpstreamCodec, body: &Value, reply: &Value) -> Value {
    let inbound = client.decode(body.to_string().as_bytes()).unwrap();
    let target = Target { model: &inbound.request.model, call_id: "call" };
    let reader = upstream.encode(&inbound.request, &target).unwrap().reader;
    let response = reader.whole(reply.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&inbound.writer.whole(&response, &Stamp::default())).unwrap()
}

#[test]
fn encrypted_reasoning_survives_a_round_through_other_formats() {
    let item = json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAAAA="});
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{\"a\": 1}"});
    let reply = json!({"id": "resp_1", "status": "completed", "output": [item, call]});
    let without_id = json!({"type": "reasoning", "summary": item["summary"], "encrypted_content": "gAAAAA="});

    let mut chat = json!({"model": "gpt-5", "messages": [{"role": "user", "content": "x"}]});
    let written = answered(&ChatClient, &ResponsesUpstream, &chat, &reply);
    chat["messages"].as_array_mut().unwrap().push(written["choices"][0]["message"].clone());
    let next = sent(&ChatClient, &ResponsesUpstream, &chat);
    assert_eq!(next["input"][1], without_id);
    assert_eq!(next["input"][2]["call_id"], "call_1");
    // Another provider cannot read it, and must not be shown it.
    chat["model"] = json!("claude-sonnet-4-5");
    let elsewhere = sent(&ChatClient, &MessagesUpstream, &chat);
    assert_eq!(elsewhere["messages"][1]["content"][0]["type"], "tool_use");

    let mut messages =
        json!({"model": "gpt-5", "max_tokens": 99, "messages": [{"role": "user", "content": "x"}]});
    let written = answered(&MessagesClient, &ResponsesUpstream, &messages, &reply);
    let said = json!({"role": "assistant", "content": written["content"]});
    messages["messages"].as_array_mut().unwrap().push(said);
    assert_eq!(sent(&MessagesClient, &ResponsesUpstream, &messages)["input"][1], without_id);

    let claude = json!({"id": "msg_1", "stop_reason": "end_turn", "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "EqQBCg=="}, {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "text", "text": "Yes."}]});
    let mut body = json!({"model": "claude-sonnet-4-5", "input": [{"role": "user", "content": "x"}]});
    let written = answered(&ResponsesClient, &MessagesUpstream, &body, &claude);
    body["input"].as_array_mut().unwrap().extend(written["output"].as_array().unwrap().clone());
    let next = sent(&ResponsesClient, &MessagesUpstream, &body);
    assert_eq!(next["messages"][1]["content"], claude["content"]);
}

/// The assistant's message as an OpenAI client puts it together from a stream.
fn assembled(stream: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": "", "reasoning_content": "", "thinking_blocks": [], "tool_calls": []});
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]")
    {
        let chunk: Value = serde_json::from_str(data).unwrap();
        let delta = &chunk["choices"][0]["delta"];
        for member in ["content", "reasoning_content"] {
            let text =
                message[member].as_str().unwrap().to_owned() + delta[member].as_str().unwrap_or_default();
            message[member] = Value::from(text);
        }
        let blocks = delta["thinking_blocks"].as_array().cloned().unwrap_or_default();
        message["thinking_blocks"].as_array_mut().unwrap().extend(blocks);
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let calls = message["tool_calls"].as_array_mut().unwrap();
            match calls.get_mut(call["index"].as_u64().unwrap() as usize) {
                None => calls.push(call.clone()),
                Some(open) => {
                    let function = &mut open["function"]["arguments"];
                    let text = function.as_str().unwrap().to_owned()
                        + call["function"]["arguments"].as_str().unwrap();
                    *function = Value::from(text);
                }
            }
        }
    }
    message
}

#[test]
fn signed_reasoning_survives_a_round_through_openais_format() {
    let answer = json!([
        {"type": "thinking", "thinking": "Need weather.", "signature": "EqQBCg=="},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "text", "text": "Looking it up."},
        {"type": "tool_use", "id": "toolu_01", "name": "look up", "input": {"city": "Oslo"}},
    ]);
    let mut body = json!({"model": "claude-sonnet-4-5", "reasoning_effort": "medium", "stream": true,
        "messages": [{"role": "user", "content": "Weather?"}],
        "tools": [{"type": "function", "function": {"name": "look up"}}]});
    let inbound = ChatClient.decode(body.to_string().as_bytes()).unwrap();
    let target = Target { model: "claude-sonnet-4-5", call_id: "call" };
    let reader = MessagesUpstream.encode(&inbound.request, &target).unwrap().reader;
    let mut reply = answer.clone();
    reply[3]["name"] = json!("look_up");
    let whole = json!({"id": "msg_1", "content": reply, "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}});
    let response = reader.whole(whole.to_string().as_bytes()).unwrap();
    let written: Value = serde_json::from_slice(&inbound.writer.whole(&response, &Stamp::default())).unwrap();

    let mut decoder = reader.stream();
    let mut events = Vec::new();
    let mut frames = vec![json!({"type": "message_start", "message": {"id": "msg_1"}})];
    for (index, block) in reply.as_array().unwrap().iter().enumerate() {
        frames.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        frames.push(json!({"type": "content_block_stop", "index": index}));
    }
    frames.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}));
    frames.push(json!({"type": "message_stop"}));
    for frame in frames {
        decoder.frame(&Frame { event: "", data: &frame.to_string() }, &mut events);
    }
    let finish = decoder.end(&mut events);
    assert_eq!(finish, Finish::Complete);
    let mut out = BytesMut::new();
    let mut encoder = inbound.writer.stream(Stamp::default());
    events.iter().for_each(|event| encoder.event(event, &mut out));
    encoder.finish(&finish, &mut out);
    let streamed = assembled(std::str::from_utf8(&out).unwrap());

    for message in [written["choices"][0]["message"].clone(), streamed] {
        body["messages"] = json!([{"role": "user", "content": "Weather?"}, message,
            {"role": "tool", "tool_call_id": "toolu_01", "content": "4 degrees"}]);
        let next = sent(&ChatClient, &MessagesUpstream, &body);
        let mut replayed = next["messages"][1]["content"].clone();
        assert_eq!(replayed[3]["name"], "look_up");
        replayed[3]["name"] = json!("look up");
        assert_eq!(replayed, answer);
        assert_eq!(next["thinking"], json!({"type": "enabled", "budget_tokens": 2048}));
    }
}

#[test]
fn signed_reasoning_of_bedrock_survives_a_round_through_openais_format() {
    let answer = json!([
        {"reasoningContent": {"reasoningText": {"text": "Need weather.", "signature": "EqQBCg=="}}},
        {"reasoningContent": {"redactedContent": "EmwK"}},
        {"text": "Looking it up."},
        {"toolUse": {"toolUseId": "tooluse_01", "name": "look_up", "input": {"city": "Oslo"}}},
    ]);
    let mut body = json!({"model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "reasoning_effort": "medium",
        "tools": [{"type": "function", "function": {"name": "look up"}}],
        "messages": [{"role": "user", "content": "Weather?"}]});
    let inbound = ChatClient.decode(body.to_string().as_bytes()).unwrap();
    let target = Target { model: &inbound.request.model, call_id: "call" };
    let reader = ConverseUpstream.encode(&inbound.request, &target).unwrap().reader;
    let reply =
        json!({"output": {"message": {"role": "assistant", "content": answer}}, "stopReason": "tool_use"});
    let response = reader.whole(reply.to_string().as_bytes()).unwrap();
    let written: Value = serde_json::from_slice(&inbound.writer.whole(&response, &Stamp::default())).unwrap();
    body["messages"] = json!([{"role": "user", "content": "Weather?"}, written["choices"][0]["message"],
        {"role": "tool", "tool_call_id": "tooluse_01", "content": "4 degrees"}]);
    let next = sent(&ChatClient, &ConverseUpstream, &body);
    assert_eq!(next["messages"][1]["content"], answer);
    assert_eq!(
        next["additionalModelRequestFields"]["thinking"],
        json!({"type": "enabled", "budget_tokens": 2048})
    );
}

/// What a client of Google's model is told, whole and as a stream, as a message that it sends back.
fn told(client: &dyn ClientCodec, body: &Value, parts: &Value) -> Vec<Value> {
    let inbound = client.decode(body.to_string().as_bytes()).unwrap();
    let target = Target { model: "gemini-3-pro-preview", call_id: "call" };
    let reader = GeminiUpstream::AiStudio.encode(&inbound.request, &target).unwrap().reader;
    let reply = |parts: Value, reason: Option<&str>| {
        let mut candidate = json!({"content": {"role": "model", "parts": parts}});
        if let Some(reason) = reason {
            candidate["finishReason"] = json!(reason);
        }
        json!({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 1}})
    };
    let response = reader.whole(reply(parts.clone(), Some("STOP")).to_string().as_bytes()).unwrap();
    let written: Value = serde_json::from_slice(&inbound.writer.whole(&response, &Stamp::default())).unwrap();
    if written.get("choices").is_none() {
        return vec![json!({"role": "assistant", "content": written["content"]})];
    }
    let (mut decoder, mut events, mut out) = (reader.stream(), Vec::new(), BytesMut::new());
    for part in parts.as_array().unwrap() {
        let data = reply(json!([part]), None).to_string();
        decoder.frame(&Frame { event: "", data: &data }, &mut events);
    }
    let data = reply(json!([]), Some("STOP")).to_string();
    decoder.frame(&Frame { event: "", data: &data }, &mut events);
    let finish = decoder.end(&mut events);
    let mut encoder = inbound.writer.stream(Stamp::default());
    events.iter().for_each(|event| encoder.event(event, &mut out));
    encoder.finish(&finish, &mut out);
    vec![written["choices"][0]["message"].clone(), assembled(std::str::from_utf8(&out).unwrap())]
}

#[test]
fn googles_signatures_come_back_on_the_parts_they_came_with() {
    let calls = json!([
        {"text": "Two cities.", "thought": true},
        {"text": "Looking."},
        {"functionCall": {"id": "fc1", "name": "look_up", "args": {"city": "London"}}, "thoughtSignature": "Ep+/CpI="},
        {"functionCall": {"id": "fc2", "name": "look_up", "args": {"city": "Paris"}}},
    ]);
    let text = json!([{"text": "4 and 5.", "thoughtSignature": "EswCCskC"}]);
    let ask = json!({"role": "user", "content": "London and Paris?"});
    let contents = |client: &dyn ClientCodec, body: &Value| {
        sent(client, &GeminiUpstream::AiStudio, body)["contents"].clone()
    };

    for (client, openai) in [(&ChatClient as &dyn ClientCodec, true), (&MessagesClient, false)] {
        let tool = match openai {
            true => json!({"type": "function", "function": {"name": "look_up"}}),
            false => json!({"name": "look_up", "input_schema": {"type": "object"}}),
        };
        let body = |messages: Vec<Value>| json!({"model": "gemini-3-pro-preview", "max_tokens": 9000, "tools": [tool], "messages": messages});
        for called in told(client, &body(vec![ask.clone()]), &calls) {
            let listed = if openai { &called["tool_calls"] } else { &called["content"] };
            let ids = listed.as_array().unwrap().iter().map(|call| call["id"].clone());
            let ids: Vec<Value> = ids.filter(|id| !id.is_null()).collect();
            let mut messages = vec![ask.clone(), called];
            if openai {
                messages
                    .extend(ids.iter().map(|id| json!({"role": "tool", "tool_call_id": id, "content": "4"})));
            } else {
                let results =
                    ids.iter().map(|id| json!({"type": "tool_result", "tool_use_id": id, "content": "4"}));
                messages.push(json!({"role": "user", "content": results.collect::<Vec<_>>()}));
            }
            let next = contents(client, &body(messages.clone()));
            assert_eq!(next[1]["parts"], calls);
            assert_eq!(next[2]["parts"][1]["functionResponse"]["id"], "fc2");
            for said in told(client, &body(messages.clone()), &text) {
                let mut messages = messages.clone();
                messages.extend([said, json!({"role": "user", "content": "Thanks"})]);
                let next = contents(client, &body(messages));
                assert_eq!((&next[1]["parts"], &next[3]["parts"]), (&calls, &text));
            }
        }
    }
}
