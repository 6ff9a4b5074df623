//! A Messages reply that passes through, metered: usage stands in `message_start.message.usage` and, cumulative,
//! in each `message_delta.usage`; `message_stop` ends the stream.

use std::ops::Range;

use serde_json::value::RawValue;

use super::usage::Counted;
use crate::codec::Read;
use crate::fault::Fault;
use crate::meter::{Meter, Names};
use crate::openai_chat::fault;
use crate::reply::Usage;
use crate::scan;

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;

/// Meters one reply.
#[derive(Debug, Default)]
pub struct MessagesMeter {
    counted: Counted,
    stopped: bool,
    names: Names,
}

/// The outside of an event or of a whole reply.
#[derive(Default)]
struct Seen<'a> {
    kind: &'a str,
    message: Option<Range<usize>>,
    model: Option<Range<usize>>,
    usage: Option<&'a str>,
    delta: Option<&'a str>,
}

impl<'a> Seen<'a> {
    fn of(text: &'a str) -> Result<Self, &'static str> {
        let mut seen = Self::default();
        scan::object(text, |name, place| {
            let value = &text[place.clone()];
            match name {
                "type" => seen.kind = value.trim_matches('"'),
                "message" => seen.message = Some(place),
                "model" if value.starts_with('"') => seen.model = Some(place),
                "usage" => seen.usage = Some(value),
                "delta" => seen.delta = Some(value),
                _ => {}
            }
        })?;
        Ok(seen)
    }
}

impl MessagesMeter {
    fn count(&mut self, usage: Option<&str>) {
        if let Some(usage) = usage.and_then(|usage| serde_json::from_str::<&RawValue>(usage).ok()) {
            self.counted.merge(usage);
        }
    }
}

impl Meter for MessagesMeter {
    fn whole(&mut self, text: &str) -> Result<(), Fault> {
        let seen = Seen::of(text).map_err(not_json)?;
        if seen.kind == "error" {
            return Err(failure(text));
        }
        self.count(seen.usage);
        self.names.model = seen.model;
        Ok(())
    }

    fn frame(&mut self, data: &str) -> Read {
        self.names = Names::default();
        let seen = match Seen::of(data) {
            Ok(seen) => seen,
            Err(problem) => return Read::Corrupt(format!("an event is not valid JSON: {problem}")),
        };
        match seen.kind {
            "message_start" => {
                if let Some(place) = seen.message
                    && let Ok(message) = Seen::of(&data[place.clone()])
                {
                    self.count(message.usage);
                    self.names = Names { model: message.model, ..Names::default() }.behind(place.start);
                }
                Read::Known
            }
            "message_delta" => {
                self.count(seen.usage);
                self.stopped |= seen.delta.is_some_and(says_why);
                Read::Known
            }
            "message_stop" => Read::Terminal,
            "error" => Read::Failed(failure(data)),
            "content_block_start" | "content_block_delta" | "content_block_stop" | "ping" => Read::Known,
            _ => Read::Unknown,
        }
    }

    fn is_complete(&self) -> bool {
        self.stopped
    }

    fn names(&self) -> Names {
        self.names.clone()
    }

    fn usage(&self) -> Option<Usage> {
        self.counted.usage()
    }
}

/// Whether the `delta` of a `message_delta` names a `stop_reason`.
fn says_why(delta: &str) -> bool {
    let mut says = false;
    let _ = scan::object(delta, |name, place| says |= name == "stop_reason" && &delta[place] != "null");
    says
}

fn failure(text: &str) -> Fault {
    serde_json::from_str::<&RawValue>(text)
        .map_or_else(|_| not_json("it ends in the middle"), fault::of_frame)
}

fn not_json(problem: &'static str) -> Fault {
    Fault::malformed(format!("the answer is not valid JSON: {problem}"))
}
