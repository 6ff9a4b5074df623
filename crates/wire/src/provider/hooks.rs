//! Quirks that data cannot say, one small function each over the body being edited.

use super::members::{Members, is};
use super::quirks::Edit;

/// What OpenAI's reasoning models refuse.
pub(super) const SAMPLING: &[&str] = &[
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
];

/// From GPT-5.1 on a model that is told to reason refuses sampling parameters, and takes them otherwise; not
/// reasoning is the default.
pub(super) fn sampling_unless_reasoning(edit: &mut Edit<'_>) {
    if edit.sent("reasoning_effort").is_some_and(|effort| !is(effort, "none")) {
        SAMPLING.iter().for_each(|field| edit.lose(field));
    }
}

/// DeepInfra chooses tools itself or not at all.
pub(super) fn tool_choice_auto_or_none(edit: &mut Edit<'_>) {
    if edit.given("tool_choice").is_some_and(|choice| !is(choice, "auto") && !is(choice, "none")) {
        edit.lose("tool_choice");
    }
}

/// Moonshot does not force a tool.
pub(super) fn no_required_tool(edit: &mut Edit<'_>) {
    if edit.given("tool_choice").is_some_and(|choice| is(choice, "required")) {
        edit.lose("tool_choice");
    }
}

/// Moonshot refuses several answers at a temperature below 0.3.
pub(super) fn warm_for_several(edit: &mut Edit<'_>) {
    if edit.sent("n").and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n > 1) {
        edit.clamp("temperature", 0.3, 1.0);
    }
}

/// LM Studio takes a schema or plain text; any object is a schema too.
pub(super) fn json_object_as_schema(edit: &mut Edit<'_>) {
    if asks_for(edit, "json_object") {
        let schema = r#"{"type":"json_schema","json_schema":{"name":"object","schema":{"type":"object"}}}"#;
        edit.set("response_format", schema.to_owned());
    }
}

/// Z.AI takes no schema, only the wish for an object.
pub(super) fn schema_as_json_object(edit: &mut Edit<'_>) {
    if asks_for(edit, "json_schema") {
        edit.set("response_format", r#"{"type":"json_object"}"#.to_owned());
        edit.report("response_format.json_schema", "this model's provider takes only json_object");
    }
}

/// DeepSeek's and Tencent's models think or do not think; how much is theirs to decide.
pub(super) fn effort_as_thinking(edit: &mut Edit<'_>) {
    let Some(effort) = edit.given("reasoning_effort") else { return };
    let thinking = if is(effort, "none") { "disabled" } else { "enabled" };
    if edit.sent("thinking").is_none() {
        edit.set("thinking", format!(r#"{{"type":"{thinking}"}}"#));
    }
    edit.remove("reasoning_effort");
}

fn asks_for(edit: &Edit<'_>, kind: &str) -> bool {
    edit.given("response_format").and_then(Members::of).is_some_and(|format| format.says("type", kind))
}
