//! Anthropic's words for why an answer ended.

use crate::reply::Stop;

/// The stop that `word` means; words nobody has seen yet mean a plain end.
pub(super) fn read(word: &str) -> Stop {
    match word {
        "max_tokens" | "model_context_window_exceeded" | "compaction" => Stop::Length,
        "tool_use" => Stop::ToolUse,
        "refusal" => Stop::Filtered,
        "pause_turn" => Stop::Paused,
        _ => Stop::End,
    }
}

/// Anthropic's word for `stop`. `met`: a stop text of the caller's ended the answer.
pub(super) fn write(stop: Stop, met: bool) -> &'static str {
    match stop {
        Stop::End if met => "stop_sequence",
        Stop::End => "end_turn",
        Stop::Length => "max_tokens",
        Stop::ToolUse => "tool_use",
        Stop::Filtered => "refusal",
        Stop::Paused => "pause_turn",
    }
}
