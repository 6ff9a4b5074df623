//! The many words for why a choice ended, from OpenAI's own and from servers that imitate it.

use crate::reply::Stop;

/// The stop that `word` means. `called` says whether the choice called a tool, for several servers say `stop`
/// even then. A length or filter stop stays what it is: arguments that were cut must not look complete.
pub(crate) fn read(word: &str, called: bool) -> Stop {
    let stop = match word.to_ascii_lowercase().as_str() {
        "pause_turn" => Stop::Paused,
        "length" | "max_tokens" | "max_output_tokens" | "length_capped" | "model_length" => Stop::Length,
        "content_filter"
        | "safety"
        | "content_filtered"
        | "guardrail_intervened"
        | "sensitive"
        | "refusal"
        | "error_toxic" => Stop::Filtered,
        // `stop`, `eos`, `tool_calls`, … and words nobody has seen yet: what was called decides.
        _ => Stop::End,
    };
    if called && stop == Stop::End { Stop::ToolUse } else { stop }
}

/// OpenAI's word for `stop`.
pub(crate) fn write(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "stop",
        // OpenAI has no word for a pause; a turn that was cut is the nearest.
        Stop::Length | Stop::Paused => "length",
        Stop::ToolUse => "tool_calls",
        Stop::Filtered => "content_filter",
    }
}
