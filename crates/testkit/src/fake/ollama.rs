//! Ollama's shapes: `/api/chat` and `/api/generate`, one JSON object or NDJSON lines, and the tags.

use bytes::Bytes;
use serde_json::{Value, json};

use super::draft::Draft;
use super::openai;
use super::play::Output;
use super::prompt::Dialect;
use super::script::{Chunk, ToolCall};

const CREATED_AT: &str = "2023-11-14T22:13:20Z";

pub(crate) fn error(message: &str) -> Value {
    json!({"error": message})
}

pub(crate) fn tags(names: &[String]) -> Value {
    let model = |name: &String| json!({"name": name, "model": name, "modified_at": CREATED_AT, "size": 0, "digest": "", "details": {"family": "fake", "format": "gguf"}});
    json!({"models": names.iter().map(model).collect::<Vec<_>>()})
}

pub(crate) fn whole(draft: &Draft, dialect: Dialect) -> Value {
    let mut line = line(draft, dialect, &draft.text(), draft.thinking.as_deref(), &draft.tools);
    finish(&mut line, draft);
    line
}

pub(crate) fn streamed(draft: &Draft, dialect: Dialect) -> Output {
    let mut content = Vec::new();
    if draft.thinking.is_some() {
        content.push(ndjson(&line(draft, dialect, "", draft.thinking.as_deref(), &[])));
    }
    content.extend(draft.chunks.iter().map(|chunk| match chunk {
        Chunk::Text(text) => ndjson(&line(draft, dialect, text, None, &[])),
        Chunk::Raw { raw } => raw.0.clone(),
    }));
    // A tool call arrives whole in one line, unlike OpenAI's fragments.
    content.extend(
        draft.tools.iter().map(|tool| ndjson(&line(draft, dialect, "", None, std::slice::from_ref(tool)))),
    );
    let mut tail = Vec::new();
    if draft.done {
        let mut last = line(draft, dialect, "", None, &[]);
        finish(&mut last, draft);
        tail.push(ndjson(&last));
    }
    Output::stream(content, tail)
}

fn line(draft: &Draft, dialect: Dialect, text: &str, thinking: Option<&str>, tools: &[ToolCall]) -> Value {
    let mut line = json!({"model": draft.model, "created_at": CREATED_AT, "done": false});
    if dialect == Dialect::OllamaGenerate {
        line["response"] = json!(text);
        if let Some(thinking) = thinking {
            line["thinking"] = json!(thinking);
        }
        return line;
    }
    line["message"] = json!({"role": "assistant", "content": text});
    if let Some(thinking) = thinking {
        line["message"]["thinking"] = json!(thinking);
    }
    if !tools.is_empty() {
        let call = |tool: &ToolCall| json!({"function": {"name": tool.name, "arguments": tool.arguments}});
        line["message"]["tool_calls"] = tools.iter().map(call).collect();
    }
    line
}

/// Ollama says `stop` for tool calls too.
fn finish(line: &mut Value, draft: &Draft) {
    let reason = if draft.finish_reason == "tool_calls" { "stop" } else { &draft.finish_reason };
    line["done"] = json!(true);
    line["done_reason"] = json!(reason);
    line["total_duration"] = json!(1_000_000);
    let Some(usage) = draft.usage(openai::usage) else { return };
    for (theirs, ours) in [("prompt_tokens", "prompt_eval_count"), ("completion_tokens", "eval_count")] {
        // A scripted usage may use Ollama's own names.
        if let Some(count) = usage.get(ours).or_else(|| usage.get(theirs)) {
            line[ours] = count.clone();
        }
    }
}

fn ndjson(line: &Value) -> Bytes {
    format!("{line}\n").into()
}
