//! What clients send: it is refused with a field's name, or said to an upstream of each format as JSON.

use tollgate_wire::codec::{Outbound, Target as Destination, UpstreamCodec};
use tollgate_wire::format::Format;
use tollgate_wire::gemini::{GeminiUpstream, count};
use tollgate_wire::provider::Host;
use tollgate_wire::wording;

use super::upstreams::UPSTREAMS;
use super::written::{client, is_json};
use super::{Outcome, Target, files};
use crate::seeds::Case;

const MODELS: [&str; 8] = [
    "claude-sonnet-4-5",
    "gpt-5",
    "gemini-2.5-pro",
    "gemini-3-pro",
    "amazon.nova-pro-v1:0",
    "us.anthropic.claude-opus-4-6-v1",
    "command-a-03-2025",
    "gpt-oss:20b",
];

pub(super) fn targets(cases: &[Case]) -> Vec<Target> {
    let chat = files(cases, &["client.json"]);
    let (completions, chat) = chat.into_iter().partition(|body| {
        serde_json::from_slice::<serde_json::Map<_, _>>(body).is_ok_and(|body| body.contains_key("prompt"))
    });
    let target =
        |name, format, seeds| Target { name, seeds, read: Box::new(move |_, body| asked(format, body)) };
    vec![
        target("requests_chat", Format::OpenAiChat, chat),
        target("requests_completions", Format::OpenAiCompletions, completions),
        target("requests_responses", Format::OpenAiResponses, files(cases, &["client.responses.json"])),
        target("requests_messages", Format::AnthropicMessages, files(cases, &["client.messages.json"])),
        target("requests_gemini", Format::Gemini, files(cases, &["client.gemini.json"])),
    ]
}

fn asked(format: Format, body: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let request = match client(format, None).decode(body) {
        Ok(inbound) => inbound.request,
        Err(error) => {
            outcome.demand(!error.field().is_empty(), || format!("an error without a field: {error}"));
            outcome.note_error(&error);
            return outcome;
        }
    };
    // Not all of them each time: a few, chosen by the body, so that the same body is read the same way.
    let choice =
        body.iter().fold(body.len(), |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let model = MODELS[choice % MODELS.len()];
    let target = Destination { model, call_id: "01234567-89ab-cdef" };
    for at in 0..3 {
        let (name, codec) = UPSTREAMS[(choice / MODELS.len() + at * 7) % UPSTREAMS.len()];
        outcome.note(name);
        match wording::encode(codec, &request, &target) {
            Ok(outbound) => said(name, &outbound, body, &mut outcome),
            Err(error) => {
                outcome.demand(!error.field().is_empty(), || {
                    format!("{name}: an error without a field: {error}")
                });
                outcome.note_error(&error);
            }
        }
    }
    if let Ok(body) = count::encode(&request, &target, GeminiUpstream::AiStudio) {
        outcome.demand(is_json(&body), || format!("what is to be counted is not JSON: {body:?}"));
    }
    again(format, &request, &target, &mut outcome);
    outcome
}

fn said(name: &str, outbound: &Outbound, body: &[u8], outcome: &mut Outcome) {
    let is_object = outbound.body.starts_with(b"{") && is_json(&outbound.body);
    outcome.demand(is_object, || format!("{name}: {:?} is no JSON object", outbound.body));
    // A client may call a field "".
    let has_nameless = body.windows(2).any(|pair| pair == b"\"\"");
    for loss in &outbound.losses {
        let named = !loss.why.is_empty() && (has_nameless || !loss.field.is_empty());
        outcome.demand(named, || format!("{name}: {loss:?} names nothing"));
        outcome.note(loss.why);
    }
}

/// What is said in the client's own format can be read again.
fn again(
    format: Format,
    request: &tollgate_wire::chat::ChatRequest,
    target: &Destination<'_>,
    outcome: &mut Outcome,
) {
    let Some(codec) = tollgate_wire::codecs::upstream(format, Host::default()) else { return };
    let codec: &dyn UpstreamCodec = codec;
    let Ok(outbound) = codec.encode(request, target) else { return };
    let read = client(format, None).decode(&outbound.body);
    outcome.demand(read.is_ok(), || {
        let error = read.map_or_else(|error| error.to_string(), |_| String::new());
        format!("said again it is refused: {error}\n{}", String::from_utf8_lossy(&outbound.body))
    });
}
