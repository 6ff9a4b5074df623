//! Quirks that data cannot say, one small function each over the body being edited.

use super::members::{Members, is};
use super::nested;
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

/// Moonshot forces no tool; its documentation advises to ask for one in words, which the model may ignore.
pub(super) fn ask_for_a_tool(edit: &mut Edit<'_>) {
    if edit.given("tool_choice").is_some_and(|choice| is(choice, "required")) {
        edit.report("tool_choice", "this model can only be asked for a call in words, not made to give one");
        let wish = r#"{"role":"user","content":"Please select a tool to handle the current issue."}"#;
        edit.nested("messages", |messages| nested::with_element(messages, wish, false));
        edit.remove("tool_choice");
    }
}

/// Azure knew `auto`, `none` and named tools before it knew `required`.
pub(super) fn no_required_tool(edit: &mut Edit<'_>) {
    if edit.given("tool_choice").is_some_and(|choice| is(choice, "required")) {
        edit.lose("tool_choice");
    }
}

/// Models that think want to see what they thought before they called tools.
pub(super) fn reason_before_calls(edit: &mut Edit<'_>) {
    let off = edit.sent("thinking").and_then(Members::of).is_some_and(|it| it.says("type", "disabled"));
    if !off {
        edit.nested("messages", nested::reason_before_calls);
    }
}

/// The same for models that think when they are told to.
pub(super) fn reason_before_calls_if_thinking(edit: &mut Edit<'_>) {
    if edit.sent("thinking").and_then(Members::of).is_some_and(|it| it.says("type", "enabled")) {
        reason_before_calls(edit);
    }
}

/// Where only `json_object` is known the schema is told to the model in words. Groq takes neither beside tools.
pub(super) fn schema_in_words(edit: &mut Edit<'_>) {
    if !asks_for(edit, "json_schema") {
        return;
    }
    let format = edit.given("response_format").and_then(Members::of);
    let schema = format.as_ref().and_then(|it| it.given("json_schema")).and_then(Members::of);
    let schema = schema.as_ref().and_then(|it| it.given("schema")).unwrap_or("{}").to_owned();
    if edit.given("tools").is_some_and(|tools| tools != "[]") {
        return edit.lose("response_format");
    }
    let words = format!("Answer only with a JSON object that is valid for this JSON schema:\n{schema}");
    let Ok(words) = serde_json::to_string(&words) else { return };
    let message = format!(r#"{{"role":"system","content":{words}}}"#);
    edit.nested("messages", |messages| nested::with_element(messages, &message, true));
    edit.report("response_format.json_schema", "this model can only be told the schema in words");
    edit.set("response_format", r#"{"type":"json_object"}"#.to_owned());
}

/// Servers of open models know Anthropic's `thinking` as an effort.
pub(super) fn thinking_as_effort(edit: &mut Edit<'_>) {
    let Some(thinking) = edit.given("thinking").and_then(Members::of) else { return };
    let budget = thinking.given("budget_tokens").and_then(|budget| budget.parse::<u64>().ok());
    let effort = match (thinking.says("type", "disabled"), budget) {
        (true, _) => "none",
        (false, Some(0..2048)) => "low",
        (false, None | Some(2048..4096)) => "medium",
        (false, Some(_)) => "high",
    };
    if edit.sent("reasoning_effort").is_none() {
        edit.set("reasoning_effort", format!("\"{effort}\""));
    }
    edit.remove("thinking");
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
