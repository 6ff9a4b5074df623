//! A Responses reply that passes through, metered: usage stands in the whole reply and in the `response` of the last
//! event, whose name says how the stream ended.

use std::ops::Range;

use serde_json::value::RawValue;

use super::{fault, usage};
use crate::codec::Read;
use crate::fault::Fault;
use crate::meter::{Meter, Names};
use crate::reply::Usage;
use crate::scan;

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;

/// Meters one reply.
#[derive(Debug, Default)]
pub struct ResponsesMeter {
    usage: Option<Usage>,
    names: Names,
}

/// The outside of an event or of a response.
#[derive(Default)]
struct Seen<'a> {
    kind: &'a str,
    response: Option<Range<usize>>,
    usage: Option<&'a str>,
    tier: Option<&'a str>,
    error: Option<&'a str>,
    names: Names,
    output: &'a str,
}

impl<'a> Seen<'a> {
    fn of(text: &'a str) -> Result<Self, &'static str> {
        let mut seen = Self::default();
        scan::object(text, |name, place| {
            let value = &text[place.clone()];
            match name {
                "type" => seen.kind = value.trim_matches('"'),
                "response" if value.starts_with('{') => seen.response = Some(place),
                "usage" if value != "null" => seen.usage = Some(value),
                "service_tier" if value != "null" => seen.tier = Some(value.trim_matches('"')),
                "error" if value != "null" => seen.error = Some(value),
                "id" if value.starts_with('"') => seen.names.id = Some(place),
                "model" if value.starts_with('"') => seen.names.model = Some(place),
                "previous_response_id" => seen.names.previous = Some(place),
                "output" => seen.output = value,
                _ => {}
            }
        })?;
        Ok(seen)
    }
}

impl ResponsesMeter {
    fn count(&mut self, response: &Seen<'_>) {
        let read = response.usage.and_then(|json| usage::read(serde_json::from_str(json).ok()?));
        if let Some(read) = read {
            // Each search is an item of the output; inside strings the quotes are escaped and do not match.
            let searches = response.output.matches("\"web_search_call\"").count() as u64;
            self.usage = Some(Usage { searches, tier: usage::tier(response.tier), ..read });
        }
    }

    /// The outside of `text` and of the response in it; notes where its names lie.
    fn look<'a>(&mut self, text: &'a str) -> Result<(Seen<'a>, Option<Seen<'a>>), &'static str> {
        self.names = Names::default();
        let seen = Seen::of(text)?;
        let Some(place) = seen.response.clone() else {
            if !seen.kind.contains('.') && !seen.output.is_empty() {
                self.names = seen.names.clone();
            }
            return Ok((seen, None));
        };
        let response = Seen::of(&text[place.clone()]).ok();
        let names = response.as_ref().map(|response| response.names.clone());
        self.names = names.unwrap_or_default().behind(place.start);
        Ok((seen, response))
    }

    /// Takes over what a response, which is the last one of its stream, says of itself.
    fn last(&mut self, response: Option<&Seen<'_>>) -> Option<Fault> {
        let response = response?;
        self.count(response);
        response.error.and_then(|error| serde_json::from_str::<&RawValue>(error).ok()).map(fault::of_error)
    }
}

impl Meter for ResponsesMeter {
    fn whole(&mut self, text: &str) -> Result<(), Fault> {
        let (seen, _) = self.look(text).map_err(not_json)?;
        if let Some(error) = seen.error.and_then(|error| serde_json::from_str::<&RawValue>(error).ok()) {
            return Err(fault::of_error(error));
        }
        self.count(&seen);
        Ok(())
    }

    fn frame(&mut self, data: &str) -> Read {
        let (seen, response) = match self.look(data) {
            Ok(looked) => looked,
            // By its documentation the API sends none; hosts that imitate it do.
            Err(_) if data.trim() == "[DONE]" => return Read::Known,
            Err(problem) => return Read::Corrupt(format!("an event is not valid JSON: {problem}")),
        };
        match seen.kind {
            "response.completed" | "response.incomplete" => {
                self.last(response.as_ref());
                Read::Terminal
            }
            "response.failed" => Read::Failed(
                self.last(response.as_ref()).unwrap_or_else(|| not_json("a failure without an error")),
            ),
            "error" => Read::Failed(
                serde_json::from_str::<&RawValue>(data)
                    .map_or_else(|_| not_json("it ends in the middle"), fault::of_error),
            ),
            kind if kind.starts_with("response.") => Read::Known,
            _ => Read::Unknown,
        }
    }

    fn is_complete(&self) -> bool {
        false
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn names(&self) -> Names {
        self.names.clone()
    }
}

fn not_json(problem: &'static str) -> Fault {
    Fault::malformed(format!("the answer is not valid: {problem}"))
}
