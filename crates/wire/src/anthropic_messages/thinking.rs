//! How a request thinks: Anthropic's `thinking` object read, and one chosen for the model at hand.
//!
//! | asked | a model with budgets | a model that adapts |
//! | --- | --- | --- |
//! | `reasoning_effort` | enabled, with a budget for the word | adaptive, with the effort |
//! | a budget | as it is | the effort that fits it, where budgets are not taken |
//! | adaptive | enabled, with the budget for medium | as it is |
//!
//! A budget is part of `max_tokens` and has to be smaller: a bound the caller gave is kept, the budget gives way.

use serde::Serialize;
use serde_json::value::RawValue;

use super::claude::Claude;
use crate::chat::{ChatRequest, Thinking, ThinkingMode};
use crate::fault::{Loss, TranslateError};
use crate::openai_chat::{malformed, object};
use crate::raw::Raw;

#[cfg(test)]
#[path = "thinking_tests.rs"]
mod tests;

/// The smallest budget that the API takes.
const LEAST_BUDGET: u64 = 1024;
/// Room for the answer beside a budget, where the caller sets no bound.
const ANSWER_TOKENS: u64 = 4096;

/// The `thinking` object in `raw`, or `None` when it is none that is known.
pub(crate) fn read(raw: &RawValue) -> Option<Thinking> {
    #[derive(serde::Deserialize)]
    struct Wire {
        r#type: String,
        budget_tokens: Option<u64>,
    }
    let wire: Wire = object(raw)?;
    let mode = match (wire.r#type.as_str(), wire.budget_tokens) {
        ("enabled", Some(budget)) => ThinkingMode::Budget(budget),
        ("enabled" | "adaptive", None) | ("adaptive", Some(_)) => ThinkingMode::Adaptive,
        ("disabled", _) => ThinkingMode::Off,
        _ => return None,
    };
    Some(Thinking { mode, raw: Raw::from(raw) })
}

/// What a request says about thinking, and the bound that goes with it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) thinking: Option<Raw>,
    pub(crate) effort: Option<&'static str>,
    pub(crate) max_tokens: u64,
}

#[derive(Serialize)]
struct Adaptive {
    r#type: &'static str,
}

#[derive(Serialize)]
struct Enabled {
    r#type: &'static str,
    budget_tokens: u64,
}

impl Plan {
    /// Plans `request` for `claude`. `bare_call` says that the conversation goes on after a tool call whose
    /// reasoning was not kept: models with budgets refuse to think then, so this one call does without.
    pub(crate) fn of(
        request: &ChatRequest,
        claude: Claude,
        bare_call: bool,
        losses: &mut Vec<Loss>,
    ) -> Result<Self, TranslateError> {
        let bound = request.sampling.max_tokens;
        let word = request.reasoning_effort.as_deref();
        if word.is_some_and(|word| word != "none" && claude.effort(word).is_none()) {
            let words = "must be none, minimal, low, medium, high, xhigh or max";
            return Err(malformed("reasoning_effort", words));
        }
        let effort = word.and_then(|word| claude.effort(word));
        let plan = Self { max_tokens: bound.unwrap_or(claude.most_tokens()), ..Self::default() };
        let said = request.thinking.as_ref();
        let budget = match said.map(|thinking| thinking.mode) {
            Some(ThinkingMode::Off) => {
                let effort = effort.filter(|_| claude.adapts());
                return Ok(Self { thinking: said.map(|thinking| thinking.raw.clone()), effort, ..plan });
            }
            None if effort.is_none() => return Ok(plan),
            _ if !claude.thinks() => {
                let field = if said.is_some() { "thinking" } else { "reasoning_effort" };
                losses.push(Loss { field: field.to_owned(), why: "this model does not think" });
                return Ok(plan);
            }
            Some(ThinkingMode::Adaptive) if claude.adapts() => {
                return Ok(Self { thinking: said.map(|thinking| thinking.raw.clone()), effort, ..plan });
            }
            Some(ThinkingMode::Budget(budget)) if claude.takes_budget() => budget,
            Some(ThinkingMode::Budget(budget)) => {
                return Ok(Self { effort: claude.effort(effort_for(budget)), ..plan.adaptive()? });
            }
            None if claude.adapts() => return Ok(Self { effort, ..plan.adaptive()? }),
            Some(ThinkingMode::Adaptive) | None => budget_for(word.unwrap_or("medium")),
        };
        if bare_call {
            return Ok(plan);
        }
        let kept = said.filter(|thinking| thinking.mode == ThinkingMode::Budget(budget));
        plan.budgeted(budget, kept, bound, claude, losses)
    }

    /// Whether the model will think.
    pub(crate) fn thinks(&self) -> bool {
        self.thinking
            .as_ref()
            .is_some_and(|raw| read(raw.value()).is_some_and(|thinking| thinking.mode != ThinkingMode::Off))
    }

    fn adaptive(self) -> Result<Self, TranslateError> {
        let raw = Raw::of(&Adaptive { r#type: "adaptive" });
        let raw = raw.map_err(|error| malformed("thinking", &error.to_string()))?;
        Ok(Self { thinking: Some(raw), ..self })
    }

    fn budgeted(
        self,
        budget: u64,
        kept: Option<&Thinking>,
        bound: Option<u64>,
        claude: Claude,
        losses: &mut Vec<Loss>,
    ) -> Result<Self, TranslateError> {
        let (fitting, max_tokens) = match bound {
            None => (budget, claude.most_tokens().max(budget.saturating_add(ANSWER_TOKENS))),
            Some(bound) if budget < bound => (budget, bound),
            Some(bound) if bound > LEAST_BUDGET => ((bound / 2).max(LEAST_BUDGET), bound),
            Some(_) => {
                let field = if kept.is_some() { "thinking" } else { "reasoning_effort" };
                let why = "max_tokens leaves no room to think: the least budget is 1024 tokens";
                losses.push(Loss { field: field.to_owned(), why });
                return Ok(self);
            }
        };
        let raw = match kept.filter(|_| fitting == budget) {
            Some(thinking) => thinking.raw.clone(),
            None => Raw::of(&Enabled { r#type: "enabled", budget_tokens: fitting })
                .map_err(|error| malformed("thinking", &error.to_string()))?,
        };
        Ok(Self { thinking: Some(raw), max_tokens, ..self })
    }
}

/// LiteLLM's budgets for OpenAI's words, so that a change of gateway does not change a bill.
fn budget_for(word: &str) -> u64 {
    match word {
        "medium" => 2048,
        "high" => 4096,
        "xhigh" => 8192,
        "max" => 16_384,
        _ => LEAST_BUDGET,
    }
}

fn effort_for(budget: u64) -> &'static str {
    match budget {
        8192.. => "xhigh",
        4096.. => "high",
        2048.. => "medium",
        _ => "low",
    }
}
