//! Which of the fields that are not modelled are worth telling an upstream of another format. How each is said there,
//! and which are losses, is that format's own.

use crate::chat::ChatRequest;
use crate::fault::Loss;
use crate::format::Format;
use crate::raw::Raw;
use crate::{anthropic_messages, gemini, openai_responses};

/// Fields of OpenAI's API that keep books about a call and have no effect on its answer, for upstreams that do not
/// know them.
pub(crate) const BOOKKEEPING: [&str; 6] =
    ["metadata", "prompt_cache_key", "safety_identifier", "service_tier", "store", "stream_options"];

/// The extras of `request` that have an effect on the answer, in OpenAI's words where it has one. What only the
/// caller's own format knows may be among them, and is a loss at once where nobody else could say it.
pub(crate) fn telling<'a>(request: &'a ChatRequest, losses: &mut Vec<Loss>) -> Vec<&'a (String, Raw)> {
    let has_no_effect = match request.format {
        Format::Gemini => return gemini::in_openai_words(request, losses),
        Format::OpenAiResponses => openai_responses::has_no_effect,
        _ => anthropic_messages::has_no_effect,
    };
    request.extras.iter().filter(|(name, raw)| raw.text() != "null" && !has_no_effect(name)).collect()
}

/// Tools that must be called strictly by their schema, for upstreams that cannot promise it.
pub(crate) fn strict_tools(request: &ChatRequest, why: &'static str, losses: &mut Vec<Loss>) {
    let strict = request.tools.iter().enumerate().filter(|(_, tool)| tool.strict == Some(true));
    losses.extend(strict.map(|(at, _)| Loss { field: format!("tools[{at}].function.strict"), why }));
}
