//! Failures of Bedrock, read into [`Fault`]: answers with an error status, and exceptions in a stream. The shape is
//! AWS's (`{"message": …}` and the exception's name in a header); statuses and phrases mean what they mean elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fault::{Fault, FaultKind};
use crate::openai_chat::{self, json, object, text};

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;

/// Names of exceptions, in lower case without their `exception`, and their statuses.
const STATUSES: [(&str, u16); 12] = [
    ("accessdenied", 403),
    ("expiredtoken", 401),
    ("internalserver", 500),
    ("invalidsignature", 401),
    ("modelerror", 424),
    ("modelnotready", 429),
    ("modelstreamerror", 424),
    ("modeltimeout", 408),
    ("resourcenotfound", 404),
    ("serviceunavailable", 503),
    ("throttling", 429),
    ("validation", 400),
];

/// The failure that an answer with an error status means. `exception` is the header `x-amzn-errortype`.
#[must_use]
pub fn read(status: u16, exception: Option<&str>, body: &[u8]) -> Fault {
    let words = Words::of(body);
    let name = exception.map(str::to_owned).or(words.name).as_deref().map(plain);
    let mut fault = classify(status, name.as_deref(), words.message.as_deref(), body);
    if fault.status == 500 {
        // Bedrock's word for an overload that a retry cures.
        (fault.status, fault.kind) = (503, FaultKind::Unavailable);
    }
    fault
}

/// The failure that the exception `name` in a stream means.
#[must_use]
pub fn of_stream(name: &str, payload: &str) -> Fault {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Original {
        original_status_code: Option<u16>,
    }
    let words = Words::of(payload.as_bytes());
    let name = plain(name);
    let known = STATUSES.iter().find(|(known, _)| *known == stem(&name)).map(|(_, status)| *status);
    // What the model itself answered says more than that its stream failed.
    let original: Original = serde_json::from_str(payload).unwrap_or_default();
    let original = original.original_status_code.filter(|status| (400..=599).contains(status));
    let status = if known == Some(424) { original.or(known) } else { known };
    classify(status.unwrap_or(500), Some(&name), words.message.as_deref(), payload.as_bytes())
}

#[derive(Default)]
struct Words {
    message: Option<String>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    message: Option<&'a RawValue>,
    #[serde(rename = "Message")]
    capital: Option<&'a RawValue>,
    #[serde(rename = "originalMessage")]
    original: Option<&'a RawValue>,
    #[serde(rename = "__type")]
    name: Option<&'a RawValue>,
}

impl Words {
    fn of(body: &[u8]) -> Self {
        let wire = serde_json::from_slice::<&RawValue>(body).ok().and_then(object::<Wire<'_>>);
        let wire = wire.unwrap_or_default();
        let said = |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned()).filter(|it| !it.is_empty());
        Self {
            message: said(wire.message).or_else(|| said(wire.capital)).or_else(|| said(wire.original)),
            name: said(wire.name),
        }
    }
}

/// The exception's name without the namespace before it and the address behind it.
fn plain(name: &str) -> String {
    let name = name.split(':').next().unwrap_or_default();
    name.rsplit_once('#').map_or(name, |(_, name)| name).trim().to_owned()
}

fn stem(name: &str) -> String {
    name.to_ascii_lowercase().trim_end_matches("exception").to_owned()
}

fn classify(status: u16, name: Option<&str>, message: Option<&str>, body: &[u8]) -> Fault {
    #[derive(Serialize)]
    struct Plain<'a> {
        message: &'a str,
        r#type: Option<&'a str>,
    }
    let mut fault = match message {
        Some(message) => openai_chat::fault::read(status, &json(&Plain { message, r#type: name })),
        None => openai_chat::fault::read(status, body),
    };
    fault.code = name.filter(|name| !name.is_empty()).map(str::to_owned).or(fault.code);
    let stem = fault.code.as_deref().map(stem).unwrap_or_default();
    let said = fault.message.to_lowercase();
    let of_the_key = matches!(stem.as_str(), "expiredtoken" | "invalidsignature" | "unrecognizedclient")
        || (status == 403 && said.contains("security token"));
    if of_the_key {
        (fault.status, fault.kind) = (401, FaultKind::Authentication);
    } else if status == 424 {
        // The model failed, not the request.
        fault.kind = FaultKind::Internal;
    }
    fault
}
