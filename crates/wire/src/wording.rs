//! What a translation cannot say, in the caller's own words. Codecs name fields as OpenAI's chat format does, and turns
//! and blocks by their place in the canonical request; a caller is told of what the body it sent holds.
//!
//! Not here: fields that only the caller's format has. They are kept under their own names and lost under them.

#[cfg(test)]
#[path = "wording_tests.rs"]
mod tests;

use std::collections::HashMap;

use crate::anthropic_messages::client_tools;
use crate::chat::{Block, ChatRequest, Role, Turn, TurnPath};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;

/// OpenAI's name, and what Anthropic's, the Responses API's and Google's callers write; empty where they write the same
/// or have no such thing.
const NAMES: [(&str, &str, &str, &str); 20] = [
    ("frequency_penalty", "", "", "generationConfig.frequencyPenalty"),
    ("logprobs", "", "include", "generationConfig.responseLogprobs"),
    ("max_tokens", "", "max_output_tokens", "generationConfig.maxOutputTokens"),
    ("modalities", "", "", "generationConfig.responseModalities"),
    ("n", "", "", "generationConfig.candidateCount"),
    ("parallel_tool_calls", "tool_choice.disable_parallel_tool_use", "", ""),
    ("presence_penalty", "", "", "generationConfig.presencePenalty"),
    ("reasoning_effort", "output_config.effort", "reasoning.effort", "generationConfig.thinkingConfig"),
    ("response_format", "output_config.format", "text.format", "generationConfig.responseMimeType"),
    ("seed", "", "", "generationConfig.seed"),
    ("service_tier", "", "", "serviceTier"),
    ("stop", "stop_sequences", "", "generationConfig.stopSequences"),
    ("temperature", "", "", "generationConfig.temperature"),
    ("tool_choice", "", "", "toolConfig"),
    ("top_k", "", "", "generationConfig.topK"),
    ("top_logprobs", "", "", "generationConfig.logprobs"),
    ("top_p", "", "", "generationConfig.topP"),
    ("user", "metadata.user_id", "", ""),
    ("verbosity", "", "text.verbosity", ""),
    ("web_search_options", "tools", "tools", "tools"),
];

/// What `codec` makes of `request`, in which the tools that only Claude was taught are explained to other models;
/// losses and errors name what the caller wrote.
///
/// # Errors
/// As [`UpstreamCodec::encode`].
pub fn encode(
    codec: &dyn UpstreamCodec,
    request: &ChatRequest,
    target: &Target<'_>,
) -> Result<Outbound, TranslateError> {
    let speaks_to_claude = match codec.format() {
        Format::AnthropicMessages => true,
        // An inference profile does not say whose model it is.
        Format::BedrockConverse => target.model.contains("claude") || target.model.starts_with("arn:"),
        _ => false,
    };
    let told = if speaks_to_claude { None } else { client_tools::as_functions(request) };
    let encoded = codec.encode(told.as_ref().unwrap_or(request), target);
    let mut outbound = encoded.map_err(|error| {
        let places = places(request);
        match error {
            TranslateError::Malformed { field, problem } => {
                TranslateError::Malformed { field: worded(request, &places, field), problem }
            }
            TranslateError::Unsupported { field, by } => {
                TranslateError::Unsupported { field: worded(request, &places, field), by }
            }
        }
    })?;
    if codec.format() != Format::OpenAiResponses {
        let phased = request.placed().filter(|(_, turn)| turn.phase.is_some());
        let why = "only the Responses API tells comments from answers";
        let field = |(path, turn): (TurnPath, &Turn)| format!("{}.phase", path.message(turn));
        outbound.losses.extend(phased.map(|it| Loss { field: field(it), why }));
    }
    if outbound.losses.len() > MOST_NAMED {
        outbound.losses.truncate(MOST_NAMED);
        outbound.losses.push(Loss { field: "…".to_owned(), why: "there are more than are named here" });
    }
    if !outbound.losses.is_empty() {
        let places = places(request);
        for loss in &mut outbound.losses {
            loss.field = worded(request, &places, std::mem::take(&mut loss.field));
        }
    }
    Ok(outbound)
}

/// So many losses are named, for each costs a walk to its place: a body may hold a hundred thousand.
const MOST_NAMED: usize = 256;

/// The turns by their paths.
type Places<'a> = HashMap<String, &'a Turn>;

fn places(request: &ChatRequest) -> Places<'_> {
    request.placed().map(|(path, turn)| (path.to_string(), turn)).collect()
}

fn worded(request: &ChatRequest, places: &Places<'_>, field: String) -> String {
    if field == "reasoning_effort"
        && request.format == Format::AnthropicMessages
        && request.thinking.is_some()
    {
        return "thinking".to_owned();
    }
    if let Some(names) = NAMES.iter().find(|names| names.0 == field) {
        let own = match request.format {
            Format::AnthropicMessages => names.1,
            Format::OpenAiResponses => names.2,
            Format::Gemini => names.3,
            _ => "",
        };
        return if own.is_empty() { field } else { own.to_owned() };
    }
    if let Some(own) = of_tool(request, &field) {
        return own;
    }
    of_block(request.format, places, &field).unwrap_or(field)
}

/// A member of a function, which only OpenAI's chat format keeps in an object of its own.
fn of_tool(request: &ChatRequest, field: &str) -> Option<String> {
    let (tool, member) = field.strip_prefix("tools[").and(field.split_once("].function."))?;
    // Tools that are no functions are kept apart, and functions counted without them.
    let apart = request.extras.iter().any(|(name, _)| name == "tools" || name == "web_search_options");
    match request.format {
        Format::AnthropicMessages | Format::OpenAiResponses if !apart => Some(format!("{tool}].{member}")),
        Format::AnthropicMessages | Format::OpenAiResponses | Format::Gemini => Some("tools".to_owned()),
        _ => None,
    }
}

/// A block of a turn, by its path in the body the caller sent.
fn of_block(format: Format, places: &Places<'_>, field: &str) -> Option<String> {
    let (path, place) = field.split_once(".content[")?;
    let turn = places.get(path)?;
    let (block, rest) = place.split_once(']')?;
    Some(format!("{}{rest}", block_path(format, path, turn, block.parse().ok()?)))
}

fn block_path(format: Format, path: &str, turn: &Turn, at: usize) -> String {
    let before = turn.blocks.get(..at).unwrap_or_default();
    let is_call = |block: &Block| matches!(block, Block::ToolCall { .. });
    // These are members of the block before them.
    let parts =
        before.iter().filter(|block| !matches!(block, Block::CachePoint(_) | Block::Citation(_))).count();
    match format {
        Format::Gemini => format!("{path}.parts[{parts}]"),
        Format::AnthropicMessages if path == "system" => format!("{path}[{parts}]"),
        Format::AnthropicMessages => format!("{path}.content[{parts}]"),
        Format::OpenAiResponses if turn.role == Role::Assistant || turn.role == Role::Tool => path.to_owned(),
        _ if turn.blocks.get(at).is_some_and(is_call) => {
            format!("{path}.tool_calls[{}]", before.iter().filter(|block| is_call(block)).count())
        }
        _ if turn.role == Role::Tool => path.to_owned(),
        _ => format!("{path}.content[{parts}]"),
    }
}
