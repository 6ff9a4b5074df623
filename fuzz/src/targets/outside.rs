//! What is read without translation: envelopes and their edits, failures, replies that are metered while they pass,
//! responses that are continued, the quirks of providers.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tollgate_wire::envelope::Envelope;
use tollgate_wire::format::Format;
use tollgate_wire::openai_responses::chain;
use tollgate_wire::provider::{self, quirks};
use tollgate_wire::{codecs, scan, tap};

use super::written::is_json;
use super::{Outcome, Target, files};
use crate::seeds::Case;

const DEPTH: usize = 64;
const FORMATS: [Format; 7] = [
    Format::BedrockConverse,
    Format::OpenAiChat,
    Format::OpenAiResponses,
    Format::AnthropicMessages,
    Format::Gemini,
    Format::CohereChat,
    Format::OllamaChat,
];
const STATUSES: [u16; 8] = [200, 400, 401, 404, 429, 500, 529, 999];

pub(super) fn targets(cases: &[Case]) -> Vec<Target> {
    let clients = || files(cases, &["client.json", "client.messages.json", "client.responses.json"]);
    let replies = || files(cases, &["upstream.reply.json", "reply.json"]);
    let target = |name, seeds, read: fn(&[u8]) -> Outcome| Target {
        name,
        seeds,
        read: Box::new(move |_, bytes| read(bytes)),
    };
    vec![
        target("envelope", clients(), envelope),
        target("errors", error_bodies(cases), errors),
        target("meters", replies(), meters),
        target("chains", [files(cases, &["client.responses.json"]), replies()].concat(), chains),
        target("quirks", files(cases, &["client.json"]), all_quirks),
    ]
}

fn error_bodies(cases: &[Case]) -> Vec<Vec<u8>> {
    let read = |file: Vec<u8>| serde_json::from_slice::<Map<String, Value>>(&file).ok();
    let errors = files(cases, &["upstream.error.json"]).into_iter().filter_map(read);
    errors.filter_map(|error| error.get("body").map(|body| body.to_string().into_bytes())).collect()
}

/// The members of an object, verbatim, as a parser finds them.
type Parsed<'a> = BTreeMap<String, &'a RawValue>;

fn envelope(bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let envelope = match Envelope::read(Bytes::copy_from_slice(bytes), DEPTH) {
        Ok(envelope) => envelope,
        Err(error) => {
            outcome.note_error(&error);
            return outcome;
        }
    };
    let Ok(parsed) = serde_json::from_slice::<Parsed<'_>>(bytes) else {
        outcome.demand(false, || "it passes for JSON and is none".to_owned());
        return outcome;
    };
    let mut names: Vec<&str> = envelope.names().collect();
    let mut wanted: BTreeMap<&str, &str> =
        parsed.iter().map(|(name, raw)| (name.as_str(), raw.get())).collect();
    let mut edits = envelope.edit();
    for (name, value) in [("model", "\"m\""), ("added", "1")] {
        edits.set(name, value);
        wanted.insert(name, value);
    }
    for name in names.iter().take(2).chain(&["stream"]).filter(|name| !["model", "added"].contains(name)) {
        edits.remove(name);
        wanted.remove(*name);
    }
    let edited = edits.finish().concat();
    let found = serde_json::from_slice::<Parsed<'_>>(&edited).unwrap_or_default();
    let same = found.iter().map(|(name, raw)| (name.as_str(), raw.get())).eq(wanted);
    outcome.demand(same, || format!("edited: {}", String::from_utf8_lossy(&edited)));
    outcome.note(&names.len().to_string());
    names.sort_unstable();
    outcome.demand(names.iter().eq(parsed.keys()), || format!("other names: {names:?}"));
    outcome
}

fn errors(bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    for status in STATUSES {
        for format in FORMATS {
            let fault = codecs::fault(format, status, None, bytes);
            let length = fault.message.len().min(20) / 5;
            outcome.note(&format!("{:?} {length} {:?}", fault.kind, fault.param.is_some()));
            if let Some(body) = codecs::error_body(format, &fault) {
                outcome.demand(is_json(&body), || format!("{format:?}: {body:?}"));
            }
        }
    }
    outcome
}

fn meters(bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(text) = scan::text(bytes) else { return outcome };
    let mut tapped = String::new();
    match tap::look(text) {
        Ok(seen) => {
            let place = seen.model.clone().unwrap_or_default();
            outcome.demand(text.get(place).is_some(), || "the model's place is not in the text".to_owned());
            tapped = format!("{:?} {} {}", seen.usage.is_some(), seen.fault.is_some(), seen.finished(text));
        }
        Err(what) => outcome.note(what),
    }
    outcome.note(&tapped);
    for format in FORMATS {
        let Some(mut meter) = codecs::meter(format) else { continue };
        outcome.note(&format!("{}", meter.whole(text).is_ok()));
        let Some(mut meter) = codecs::meter(format) else { continue };
        let read = meter.frame(text);
        let names = meter.names();
        for place in [names.id, names.model, names.previous].into_iter().flatten() {
            outcome.demand(text.get(place).is_some(), || "a name's place is not in the text".to_owned());
        }
        outcome.note(&format!(
            "{:?} {} {:?}",
            std::mem::discriminant(&read),
            meter.is_complete(),
            meter.usage().is_some()
        ));
    }
    outcome
}

fn chains(bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let items = match chain::input(bytes) {
        Ok(items) => items,
        Err(error) => {
            outcome.note_error(&error);
            Vec::new()
        }
    };
    let earlier = chain::history(&items, bytes).unwrap_or_default();
    if let Ok(body) = chain::continued(bytes, &earlier) {
        outcome.demand(is_json(&body), || format!("continued: {body:?}"));
    }
    let page = chain::Page { after: Some("item_1"), ..chain::Page::default() };
    for page in [chain::Page::default(), page] {
        let list = chain::input_items("resp_1", &earlier, page);
        outcome.demand(is_json(&list), || format!("items: {list:?}"));
    }
    outcome.note(&earlier.len().to_string());
    if let Some(text) = scan::text(bytes) {
        outcome.note(&format!("{}", chain::finished(text).is_some()));
    }
    outcome
}

fn all_quirks(bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    for provider in provider::all().iter().filter(|provider| !provider.quirks.is_empty()) {
        match quirks::apply(provider.quirks, "gpt-5", bytes, &[]) {
            Ok(quirked) => {
                let holds = quirked.body.as_deref().is_none_or(is_json);
                outcome.demand(holds, || format!("{}: {:?}", provider.name, quirked.body));
                outcome.note(if quirked.losses.is_empty() { "all" } else { "losses" });
            }
            Err(error) => outcome.note_error(&error),
        }
    }
    outcome
}
