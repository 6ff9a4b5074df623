//! How a request thinks, as Google's `thinkingConfig`.
//!
//! | asked | the 2.5 generation | the third |
//! | --- | --- | --- |
//! | `reasoning_effort` | a budget for the word | the level of that word |
//! | a budget | within what the model takes | the level that fits it |
//! | adaptive | −1, the model decides | nothing but that thoughts are shown |
//! | none | 0, or the least where a model cannot stop | the lowest level |

use serde::Serialize;

use super::model::{Gemini, Size};
use crate::chat::{ChatRequest, ThinkingMode};
use crate::fault::{Loss, TranslateError};
use crate::openai_chat::malformed;

#[cfg(test)]
#[path = "thinking_tests.rs"]
mod tests;

/// `thinkingConfig`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThinkingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
    include_thoughts: bool,
}

#[derive(Clone, Copy)]
enum Wanted {
    Off,
    Minimal,
    Low,
    Medium,
    High,
    Budget(u64),
    Adaptive,
}

/// What `request` asks of `model`, if anything.
pub(super) fn plan(
    request: &ChatRequest,
    model: Gemini,
    losses: &mut Vec<Loss>,
) -> Result<Option<ThinkingConfig>, TranslateError> {
    let Some(wanted) = wanted(request)? else { return Ok(None) };
    if !model.thinks() {
        if !matches!(wanted, Wanted::Off) {
            let field = if request.thinking.is_some() { "thinking" } else { "reasoning_effort" };
            losses.push(Loss { field: field.to_owned(), why: "this model does not think" });
        }
        return Ok(None);
    }
    let include_thoughts = !matches!(wanted, Wanted::Off);
    let config = ThinkingConfig { include_thoughts, ..ThinkingConfig::default() };
    Ok(Some(if model.is_third() {
        ThinkingConfig { thinking_level: level(wanted, model.size()), ..config }
    } else {
        ThinkingConfig { thinking_budget: Some(budget(wanted, model.size())), ..config }
    }))
}

fn wanted(request: &ChatRequest) -> Result<Option<Wanted>, TranslateError> {
    let word = match request.reasoning_effort.as_deref() {
        None => None,
        Some("none" | "disable") => Some(Wanted::Off),
        Some("minimal") => Some(Wanted::Minimal),
        Some("low") => Some(Wanted::Low),
        Some("medium") => Some(Wanted::Medium),
        Some("high" | "xhigh" | "max") => Some(Wanted::High),
        Some(_) => {
            let words = "must be none, minimal, low, medium, high, xhigh or max";
            return Err(malformed("reasoning_effort", words));
        }
    };
    Ok(match request.thinking.as_ref().map(|thinking| thinking.mode) {
        Some(ThinkingMode::Off) => Some(Wanted::Off),
        Some(ThinkingMode::Budget(budget)) => Some(Wanted::Budget(budget)),
        Some(ThinkingMode::Adaptive) => word.or(Some(Wanted::Adaptive)),
        None => word,
    })
}

fn level(wanted: Wanted, size: Size) -> Option<&'static str> {
    let lowest = if matches!(size, Size::Flash | Size::FlashLite) { "minimal" } else { "low" };
    match wanted {
        Wanted::Off | Wanted::Minimal => Some(lowest),
        Wanted::Low | Wanted::Budget(..2048) => Some("low"),
        Wanted::Medium | Wanted::Budget(2048..4096) => Some("medium"),
        Wanted::High | Wanted::Budget(_) => Some("high"),
        Wanted::Adaptive => None,
    }
}

/// LiteLLM's budgets for OpenAI's words, so that a change of gateway does not change a bill; within the bounds
/// that Google documents for each model of the 2.5 generation.
fn budget(wanted: Wanted, size: Size) -> i64 {
    let (least, most) = match size {
        Size::Pro => (128, 32_768),
        Size::FlashLite => (512, 24_576),
        Size::Flash | Size::Other => (1, 24_576),
    };
    match wanted {
        Wanted::Off | Wanted::Budget(0) if size != Size::Pro => 0,
        Wanted::Off | Wanted::Minimal => least,
        Wanted::Low => 1024,
        Wanted::Medium => 2048,
        Wanted::High => 4096,
        Wanted::Budget(budget) => i64::try_from(budget).unwrap_or(most).clamp(least, most),
        Wanted::Adaptive => -1,
    }
}
