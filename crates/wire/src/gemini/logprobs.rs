//! Log-probabilities: Google's `logprobsResult` and OpenAI's `logprobs`, either made of the other.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::openai_chat::object;
use crate::raw::Raw;

#[cfg(test)]
#[path = "logprobs_tests.rs"]
mod tests;

#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LogprobsResult {
    chosen_candidates: Vec<Drawn>,
    top_candidates: Vec<Top>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Top {
    candidates: Vec<Drawn>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Drawn {
    token: String,
    log_probability: f64,
}

#[derive(Deserialize, Serialize)]
struct Logprobs {
    #[serde(default)]
    content: Option<Vec<Token>>,
    #[serde(default)]
    refusal: Option<()>,
}

#[derive(Deserialize, Serialize)]
struct Token {
    token: String,
    logprob: f64,
    #[serde(default)]
    bytes: Option<Vec<u8>>,
    #[serde(default)]
    top_logprobs: Vec<TopToken>,
}

#[derive(Deserialize, Serialize)]
struct TopToken {
    token: String,
    logprob: f64,
    #[serde(default)]
    bytes: Option<Vec<u8>>,
}

/// OpenAI's object for Google's; `None` when it names no token.
pub(super) fn read(raw: &RawValue) -> Option<Raw> {
    let result: LogprobsResult = object(raw)?;
    let mut tops = result.top_candidates.into_iter();
    let tokens = result.chosen_candidates.into_iter().map(|chosen| {
        let top = tops.next().unwrap_or_default().candidates.into_iter();
        let top = top.map(|drawn| TopToken {
            bytes: Some(drawn.token.clone().into_bytes()),
            token: drawn.token,
            logprob: drawn.log_probability,
        });
        Token {
            bytes: Some(chosen.token.clone().into_bytes()),
            token: chosen.token,
            logprob: chosen.log_probability,
            top_logprobs: top.collect(),
        }
    });
    let tokens: Vec<Token> = tokens.collect();
    (!tokens.is_empty()).then(|| Raw::of(&Logprobs { content: Some(tokens), refusal: None }).ok()).flatten()
}

/// Google's object for OpenAI's.
pub(super) fn write(raw: &Raw) -> Option<LogprobsResult> {
    let logprobs: Logprobs = object(raw.value())?;
    let mut result = LogprobsResult::default();
    for token in logprobs.content? {
        result.chosen_candidates.push(Drawn { token: token.token, log_probability: token.logprob });
        let top = token.top_logprobs.into_iter();
        let top = top.map(|token| Drawn { token: token.token, log_probability: token.logprob });
        result.top_candidates.push(Top { candidates: top.collect() });
    }
    Some(result)
}
