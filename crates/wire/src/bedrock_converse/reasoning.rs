//! How much a model thinks, in the words of its family. Converse itself has none: they go to
//! `additionalModelRequestFields`.

use serde::Serialize;

use super::additional::Additional;
use super::family::{Family, Kind};
use crate::anthropic_messages::thinking::Plan;
use crate::chat::ChatRequest;
use crate::fault::{Loss, TranslateError};

#[derive(Serialize)]
struct OutputConfig<'a> {
    effort: &'a str,
}

#[derive(Serialize)]
struct Effort<'a> {
    effort: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReasoningConfig<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_reasoning_effort: Option<&'a str>,
}

/// What was decided about thinking.
pub(super) struct Reasoned {
    /// Whether Claude will think, which fixes its sampling and its freedom to call tools.
    pub(super) thinks: bool,
    /// The bound on the answer, where one is needed.
    pub(super) max_tokens: Option<u64>,
}

/// Says in `additional` how much to think. `bare_call`: see [`Plan::of`].
pub(super) fn write(
    request: &ChatRequest,
    family: Family,
    bare_call: bool,
    additional: &mut Additional,
    losses: &mut Vec<Loss>,
) -> Result<Reasoned, TranslateError> {
    let bound = request.sampling.max_tokens;
    if family.is_claude() {
        return claude(request, family, bare_call, additional, losses);
    }
    let plain = Reasoned { thinks: false, max_tokens: bound.map(|bound| bound.max(family.least_tokens())) };
    let Some(word) = request.effort() else { return Ok(plain) };
    match (family.kind(), word) {
        (Kind::Nova2, "none") => {
            let off = ReasoningConfig { r#type: "disabled", max_reasoning_effort: None };
            additional.set("reasoningConfig", &off)?;
        }
        (Kind::Nova2, word) => {
            let max_reasoning_effort = Some(of_three(word));
            additional
                .set("reasoningConfig", &ReasoningConfig { r#type: "enabled", max_reasoning_effort })?;
        }
        (Kind::Gpt, word) => additional.set("reasoning", &Effort { effort: word })?,
        // These always think.
        (Kind::GptOss | Kind::DeepSeekR1, "none") => losses.push(lost(request, "this model always thinks")),
        (Kind::GptOss, word) => additional.set("reasoning_effort", of_three(word))?,
        (Kind::DeepSeek | Kind::DeepSeekR1, word) => additional.set("reasoning_effort", word)?,
        (_, "none") => {}
        _ => losses.push(lost(request, "this model cannot be told how much to think")),
    }
    Ok(plain)
}

fn claude(
    request: &ChatRequest,
    family: Family,
    bare_call: bool,
    additional: &mut Additional,
    losses: &mut Vec<Loss>,
) -> Result<Reasoned, TranslateError> {
    let bound = request.sampling.max_tokens;
    let plan = Plan::of(request, family.claude, bare_call, losses)?;
    if let Some(thinking) = &plan.thinking {
        additional.set("thinking", thinking)?;
    }
    // Bedrock's ceiling is lower than Anthropic's for these.
    let effort =
        plan.effort.map(|word| if word == "max" && family.claude.since(4, 7) { "xhigh" } else { word });
    if let Some(effort) = effort {
        additional.set("output_config", &OutputConfig { effort })?;
    }
    // A budget must fit into the bound, so one goes with it. Without either, Bedrock's default is the model's most.
    let budgeted = plan.thinks() && !family.claude.adapts();
    let max_tokens = bound.or(budgeted.then_some(plan.max_tokens));
    Ok(Reasoned { thinks: plan.thinks(), max_tokens })
}

fn lost(request: &ChatRequest, why: &'static str) -> Loss {
    let field = if request.reasoning_effort.is_some() { "reasoning_effort" } else { "thinking" };
    Loss { field: field.to_owned(), why }
}

fn of_three(word: &str) -> &'static str {
    match word {
        "minimal" | "low" => "low",
        "medium" => "medium",
        _ => "high",
    }
}
