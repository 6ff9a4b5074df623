//! A reply of Google's that passes through, metered: usage is cumulative and the last one wins; a stream is complete
//! when every candidate has said why it ended, for nothing marks its end.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::reader::{WireCandidate, WireReply};
use super::{grounding, usage};
use crate::codec::Read;
use crate::fault::Fault;
use crate::meter::Meter;
use crate::openai_chat::{fault, list, object, text};
use crate::reply::Usage;

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;

/// Meters one reply.
#[derive(Debug, Default)]
pub struct GeminiMeter {
    usage: Option<Usage>,
    grounded: bool,
    searches: u64,
    /// Candidates that have begun and not ended.
    speaking: BTreeSet<u32>,
    ended: bool,
}

impl Meter for GeminiMeter {
    fn whole(&mut self, text: &str) -> Result<(), Fault> {
        match self.frame(text) {
            Read::Failed(fault) => Err(fault),
            Read::Corrupt(problem) => Err(Fault::malformed(format!("the answer is not valid: {problem}"))),
            Read::Known | Read::Unknown | Read::Terminal => Ok(()),
        }
    }

    fn frame(&mut self, data: &str) -> Read {
        let raw: &RawValue = match serde_json::from_str(data) {
            Ok(raw) => raw,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let Some(reply) = object::<WireReply<'_>>(raw) else {
            return Read::Corrupt("not an object".to_owned());
        };
        if reply.error.is_some_and(|raw| raw.get() != "null") {
            return Read::Failed(fault::of_frame(raw));
        }
        if !reply.says_anything() {
            return Read::Unknown;
        }
        let candidates = reply.candidates.and_then(|raw| list(raw, "candidates").ok()).unwrap_or_default();
        // A prompt that was blocked has no candidates.
        self.ended |= candidates.is_empty() && reply.prompt_feedback.is_some();
        for (candidate, place) in candidates.into_iter().zip(0..) {
            self.candidate(&object(candidate).unwrap_or_default(), place);
        }
        if let Some(usage) = reply.usage_metadata.and_then(|raw| usage::read(raw, self.grounded)) {
            self.usage = Some(usage);
        }
        Read::Known
    }

    fn is_complete(&self) -> bool {
        self.ended && self.speaking.is_empty()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage.map(|usage| Usage { searches: self.searches, ..usage })
    }
}

impl GeminiMeter {
    fn candidate(&mut self, candidate: &WireCandidate<'_>, place: u32) {
        let index = candidate.index.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(place);
        if candidate.finish_reason.is_some_and(|word| !text(word).is_empty()) {
            self.speaking.remove(&index);
            self.ended = true;
        } else {
            self.speaking.insert(index);
        }
        if let Some(metadata) = candidate.grounding_metadata {
            self.grounded = true;
            self.searches = self.searches.max(grounding::read(metadata, "").searches);
        }
    }
}
