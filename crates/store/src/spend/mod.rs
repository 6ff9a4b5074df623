//! What was spent, as it is asked for: the log of calls ([`log`], [`search`]), sums of days ([`daily`]), what was said
//! ([`transcript`], without what [`redact`] takes out), and how long all that is kept ([`retention`]).
//!
//! Not here: how charges get into the database, which is [`crate::projector`]'s.

pub mod daily;
pub mod log;
pub mod redact;
pub mod retention;
pub mod search;
pub mod totals;
pub mod transcript;
pub mod window;

/// Nothing real is larger, and a database can add up thousands of it: what a hostile upstream claims to have used
/// must not make sums that cannot be kept.
const MOST: u64 = 1_000_000_000_000_000;

/// A count or a time as the database keeps it.
pub(crate) fn whole(number: u64) -> i64 {
    number.min(MOST).cast_signed()
}

/// The day of an instant (milliseconds of Unix time) in UTC, as `2026-01-31`.
#[must_use]
pub fn day_of(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms)
        .map(|at| jiff::tz::Offset::UTC.to_datetime(at).date().to_string())
        .unwrap_or_default()
}

/// The path that calls of a kind are made at, by LiteLLM's name of the kind, else by the operation.
pub(crate) fn endpoint(route: &str, operation: &str) -> &'static str {
    match route.strip_prefix('a').filter(|rest| !rest.starts_with("nthropic")).unwrap_or(route) {
        "completion" => "/chat/completions",
        "text_completion" => "/completions",
        "embedding" => "/embeddings",
        "responses" => "/responses",
        "anthropic_messages" => "/v1/messages",
        "image_generation" => "/images/generations",
        "image_edit" => "/images/edits",
        "speech" => "/audio/speech",
        "transcription" => "/audio/transcriptions",
        "moderation" => "/moderations",
        "rerank" => "/rerank",
        "generate_content" | "generate_content_stream" => "/generateContent",
        "pass_through_endpoint" => "pass-through",
        _ => match operation {
            "chat" => "/chat/completions",
            "embedding" | "embeddings" => "/embeddings",
            "rerank" => "/rerank",
            _ => "other",
        },
    }
}

/// Every statement of these files.
#[cfg(test)]
pub(crate) fn statements() -> Vec<String> {
    [
        daily::statements(),
        log::statements(),
        retention::statements(),
        search::statements(),
        totals::statements(),
        transcript::statements(),
        window::statements(),
    ]
    .concat()
}
