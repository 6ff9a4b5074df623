//! What a call may use, told before it is made: for limits of tokens and for budgets.
//!
//! Tokens are estimated from the length of the text, because counting them would cost more than the rest of the call.
//! For money the estimate is meant to be too high: what it is too much is given back when the call ends.

use policy::money::Cost;
use wire::envelope::Envelope;
use wire::reply::Tier;

use crate::call::Call;
use crate::intake::Payload;

/// The fields that hold what a model reads.
const CONTENT: [&str; 10] = [
    "messages",
    "prompt",
    "input",
    "contents",
    "system",
    "instructions",
    "tools",
    "systemInstruction",
    "query",
    "documents",
];
/// The fields that bound what it writes.
const BOUNDS: [&str; 3] = ["max_completion_tokens", "max_tokens", "max_output_tokens"];
/// Usual text has about so many bytes a token.
const USUAL_BYTES: u64 = 4;
/// Text of few bytes a token: numbers, code, languages beside English.
const DENSE_BYTES: u64 = 2;
/// What a picture or a page counts for.
const MEDIUM: u64 = 1_600;
/// A longer text without any space is no text: it is a medium in base64.
const LONGEST_WORD: usize = 4 << 10;
/// Shorter content is not looked through for media.
const MEDIA_FROM: usize = 8 << 10;
/// What is expected of a model whose longest answer is not known.
const USUAL_OUTPUT: u64 = 4_096;

/// What a call may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// Tokens of the prompt, about.
    pub(crate) input: u64,
    /// Tokens of the prompt, at most.
    pub(crate) most_input: u64,
    /// The bound that the request sets on its answer, for all its choices.
    pub(crate) bound: Option<u64>,
    /// How many answers are asked for.
    pub(crate) choices: u64,
    /// The tier of service that is asked for.
    pub(crate) tier: Tier,
}

impl Estimate {
    /// Looks at a request.
    #[must_use]
    pub(crate) fn of(envelope: &Envelope) -> Self {
        let (mut bytes, mut media) = (0, 0);
        for content in CONTENT.iter().filter_map(|name| envelope.raw(name)) {
            let (found, hidden) = media_in(content);
            media += found;
            bytes += (content.len() - hidden) as u64;
        }
        let choices = number(envelope, "n").unwrap_or(1).clamp(1, 128);
        let bound = BOUNDS.iter().find_map(|name| number(envelope, name)).or_else(|| googles(envelope));
        Self {
            input: bytes / USUAL_BYTES + media * MEDIUM,
            most_input: bytes / DENSE_BYTES + media * MEDIUM * 2,
            bound: bound.map(|bound| bound.saturating_mul(choices)),
            choices,
            tier: match envelope.text("service_tier").as_deref() {
                Some("priority") => Tier::Priority,
                Some("flex") => Tier::Flex,
                Some(_) | None => Tier::Standard,
            },
        }
    }

    /// What it may cost at most on any deployment of its group; `expected` tokens are taken for an answer without a
    /// bound. `None` when no deployment has a price.
    #[must_use]
    pub(crate) fn cost(&self, call: &Call, payload: &Payload, expected: Option<u64>) -> Option<Cost> {
        let operation = call.operation();
        payload
            .group
            .deployments
            .iter()
            .filter_map(|deployment| {
                let longest = deployment.fact("max_output_tokens").and_then(serde_json::Value::as_u64);
                let usual = || expected.or(longest).unwrap_or(USUAL_OUTPUT).saturating_mul(self.choices);
                let output = self.bound.unwrap_or_else(usual);
                let output =
                    longest.map_or(output, |longest| output.min(longest.saturating_mul(self.choices)));
                deployment.most(operation, self.most_input, output, self.tier)
            })
            .max()
    }
}

fn number(envelope: &Envelope, name: &str) -> Option<u64> {
    envelope.raw(name)?.parse().ok()
}

/// `generationConfig.maxOutputTokens`.
fn googles(envelope: &Envelope) -> Option<u64> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        max_output_tokens: Option<u64>,
    }
    envelope.raw("generationConfig")?;
    envelope.get::<Config>("generationConfig")?.max_output_tokens
}

/// How many media are in a JSON text, and their bytes.
fn media_in(json: &str) -> (u64, usize) {
    if json.len() < MEDIA_FROM {
        return (0, 0);
    }
    let (mut count, mut hidden) = (0, 0);
    // A long word has no space, no escape and no quote for long: pieces between quotes are looked at, and only long
    // ones from inside.
    let mut start = 0;
    for quote in memchr::memchr_iter(b'"', json.as_bytes()) {
        let piece = &json.as_bytes()[start..quote];
        if piece.len() > LONGEST_WORD
            && !piece[..LONGEST_WORD].iter().any(|byte| matches!(byte, b' ' | b'\\'))
        {
            count += 1;
            hidden += piece.len();
        }
        start = quote + 1;
    }
    (count, hidden)
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
