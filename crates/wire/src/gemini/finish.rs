//! Google's words for why a candidate ended.

use crate::reply::Stop;

/// The stop that `word` means; words nobody has seen yet mean a plain end. `called`: a function was called.
pub(super) fn read(word: &str, called: bool) -> Stop {
    match word {
        "MAX_TOKENS" => Stop::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE" | "OTHER" => {
            Stop::Filtered
        }
        _ if word.starts_with("IMAGE_") || word == "NO_IMAGE" => Stop::Filtered,
        // STOP, MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, …
        _ if called => Stop::ToolUse,
        _ => Stop::End,
    }
}

/// Google's word for `stop`; a call of a function is a plain end there.
pub(super) fn write(stop: Stop, refused: bool) -> &'static str {
    match stop {
        Stop::End if refused => "SAFETY",
        Stop::End | Stop::ToolUse => "STOP",
        Stop::Length | Stop::Paused => "MAX_TOKENS",
        Stop::Filtered => "SAFETY",
    }
}
