//! Streams that are odd, beside those of the fixtures.

use serde_json::{Value, json};

use super::ResponsesDecoder;
use crate::chat::Block;
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::ChatEvent;
use crate::fold::fold;
use crate::frame::Frame;
use crate::laws::Laws;
use crate::openai_chat::renames::Renames;
use crate::openai_responses::reader::Memory;
use crate::reply::Stop;

fn run(frames: &[Value]) -> (Vec<ChatEvent>, Vec<Read>, Finish) {
    let memory = Memory { names: Renames::default(), call_id: "call".to_owned(), stored: false };
    let mut decoder = ResponsesDecoder::new(memory);
    let (mut events, mut laws) = (Vec::new(), Laws::default());
    let read = |frame: &Value| decoder.frame(&Frame { event: "", data: &frame.to_string() }, &mut events);
    let reads = frames.iter().map(read).collect();
    let finish = decoder.end(&mut events);
    events.iter().for_each(|event| laws.check(event).unwrap());
    (events, reads, finish)
}

fn completed(output: &Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": output,
        "usage": {"input_tokens": 3, "output_tokens": 2}}})
}

#[test]
fn a_stream_that_comes_at_once_in_its_last_event_is_read() {
    let output = json!([
        {"type": "message", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_7", "name": "f", "arguments": ""},
    ]);
    let (events, reads, finish) = run(&[completed(&output)]);
    assert_eq!((reads, finish), (vec![Read::Terminal], Finish::Complete));
    let call = Block::ToolCall { id: "call_7".to_owned(), name: "f".to_owned(), input: "{}".to_owned() };
    let reply = fold(&events);
    assert_eq!(reply.choices[0].blocks, [Block::Text("Hi".to_owned()), call]);
    assert_eq!(reply.choices[0].stop, Some(Stop::ToolUse));
    assert_eq!(reply.usage.unwrap().input, 3);
}

#[test]
fn searches_are_counted_and_opened_pages_are_not() {
    let mut frames: Vec<Value> = [
        json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}),
        json!({"type": "web_search_call", "id": "ws_2", "status": "completed", "action": {"type": "open_page"}}),
        json!({"type": "web_search_call", "id": "ws_3", "status": "failed", "action": {"type": "search"}}),
        json!({"type": "web_search_call", "id": "ws_4", "status": "completed"}),
    ]
    .into_iter()
    .zip(0..)
    .map(|(item, index)| json!({"type": "response.output_item.done", "output_index": index, "item": item}))
    .collect();
    frames.push(completed(&json!([])));
    let usage = fold(&run(&frames).0).usage.unwrap();
    assert_eq!(usage.searches, 2);
}

#[test]
fn what_comes_for_a_complete_item_is_not_understood() {
    let item = json!({"type": "message", "content": [{"type": "output_text", "text": "Hi"}]});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    let late =
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "!"});
    let foreign = json!({"type": "response.new_thing", "output_index": 0});
    let (events, reads, finish) = run(&[done.clone(), done, late, foreign]);
    assert_eq!(reads, [Read::Known, Read::Unknown, Read::Unknown, Read::Unknown]);
    assert_eq!(finish, Finish::Truncated);
    assert_eq!(fold(&events).choices[0].blocks, [Block::Text("Hi".to_owned())]);
}

#[test]
fn arguments_that_were_cut_do_not_look_complete() {
    let item = json!({"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": ""});
    let added = json!({"type": "response.output_item.added", "output_index": 0, "item": item});
    let delta = json!({"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "a\"\n"});
    let cut = fold(&run(&[added.clone(), delta.clone()]).0);
    let mut done = added.clone();
    done["type"] = json!("response.output_item.done");
    let whole = fold(&run(&[added, delta, done]).0);
    let input = |reply: crate::reply::ChatResponse| match &reply.choices[0].blocks[0] {
        Block::ToolCall { input, .. } => input.clone(),
        other => panic!("{other:?}"),
    };
    assert!(serde_json::from_str::<Value>(&input(cut)).is_err());
    assert_eq!(serde_json::from_str::<Value>(&input(whole)).unwrap(), json!({"content": "a\"\n"}));
}
