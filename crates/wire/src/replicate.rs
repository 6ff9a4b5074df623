//! Replicate's predictions: made by one request, finished later. The request asks the server to wait (`Prefer: wait`);
//! what is not finished by then is asked for again at the address it names.
//!
//! | of the request | in `input` |
//! | --- | --- |
//! | the system's turns | `system_prompt` |
//! | the others | `prompt` |
//! | `max_tokens` | `max_tokens` and `max_new_tokens`: models know one or the other, and the rest is ignored |
//! | `stop` | `stop_sequences`, joined with commas |
//! | `temperature`, `top_p`, `seed`, penalties, `top_k` | the same |

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{ChatRequest, Role};
use crate::codec::{Finish, Outbound, Read, ReplyReader, StreamDecoder, Target, UpstreamCodec};
use crate::dialect::Dialect;
use crate::event::{BlockKind, ChatEvent};
use crate::fault::{Fault, Loss, TranslateError};
use crate::fold::fold;
use crate::format::Format;
use crate::frame::{Frame, Framing};
use crate::openai_chat::{fault, malformed, object, text};
use crate::prompted::prompt::{Object, prompt, texts, unsaid};
use crate::prompted::reader::usage;
use crate::raw::Raw;
use crate::reply::{ChatResponse, Stop};

#[cfg(test)]
#[path = "replicate_tests.rs"]
mod tests;

/// We ask Replicate for a prediction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prediction {
    /// Whether the body names a version of a model, where the path names none.
    pub versioned: bool,
}

const SETTINGS: [&str; 4] = ["length_penalty", "min_tokens", "repetition_penalty", "top_k"];

impl UpstreamCodec for Prediction {
    fn format(&self) -> Format {
        Format::Own(if self.versioned { Dialect::ReplicateVersion } else { Dialect::Replicate })
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        unsaid(request, &SETTINGS, &mut losses);
        let (mut talk, mut system) = (request.clone(), Vec::new());
        talk.turns = Vec::with_capacity(request.turns.len());
        for (path, turn) in request.placed() {
            if matches!(turn.role, Role::System | Role::Developer) {
                system.push(texts(&turn.blocks, &path.to_string(), &mut losses));
            } else {
                talk.turns.push(turn.clone());
            }
        }
        let sampling = &request.sampling;
        let (stop, commas): (Vec<_>, Vec<_>) = sampling.stop.iter().partition(|stop| !stop.contains(','));
        let stop = stop.into_iter().map(String::as_str).collect::<Vec<_>>().join(",");
        if !commas.is_empty() {
            losses.push(Loss { field: "stop".to_owned(), why: "Replicate takes stop texts without a comma" });
        }
        let input = Object::default()
            .with("prompt", &prompt(&talk, &mut losses))?
            .some("system_prompt", (!system.is_empty()).then(|| system.join("\n")))?
            .some("max_tokens", sampling.max_tokens)?
            .some("max_new_tokens", sampling.max_tokens)?
            .some("temperature", sampling.temperature)?
            .some("top_p", sampling.top_p)?
            .some("stop_sequences", (!stop.is_empty()).then_some(&stop))?
            .some("seed", sampling.seed)?
            .some("presence_penalty", sampling.presence_penalty)?
            .some("frequency_penalty", sampling.frequency_penalty)?
            .extras(request, &SETTINGS);
        let body = Object::default()
            .some("version", self.versioned.then_some(target.model))?
            .with("input", &input)?
            .some("stream", request.stream.then_some(true))?
            .body()?;
        Ok(Outbound { body, reader: Box::new(PredictionReader), losses })
    }
}

/// How far a prediction is.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// It succeeded, and this is the answer.
    Done(ChatResponse),
    /// Not yet finished: ask again (GET, with the same key) at `url` after `after`. `stream` is where the answer is
    /// streamed, if the model can; a POST to `cancel` ends the prediction. The addresses are the server's words:
    /// whether they may be called is decided by whoever opens connections.
    Poll { url: String, after: Duration, stream: Option<String>, cancel: Option<String> },
    /// It failed or was canceled.
    Failed(Fault),
}

const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    id: Option<String>,
    model: Option<String>,
    status: Option<String>,
    output: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    urls: Option<Urls>,
    metrics: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Urls {
    get: Option<String>,
    stream: Option<String>,
    cancel: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metrics {
    input_token_count: Option<u64>,
    output_token_count: Option<u64>,
}

/// What a reply to a prediction's request, or to asking for it again, says.
///
/// # Errors
/// When it is no prediction.
pub fn progress(body: &[u8]) -> Result<Progress, TranslateError> {
    let raw: &RawValue =
        serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
    let wire: Wire<'_> = object(raw).ok_or_else(|| malformed("body", "must be an object"))?;
    of_prediction(wire)
}

fn of_prediction(wire: Wire<'_>) -> Result<Progress, TranslateError> {
    match wire.status.as_deref() {
        Some("succeeded") => Ok(Progress::Done(fold(&events(&wire)))),
        Some(status @ ("failed" | "canceled" | "aborted")) => Ok(Progress::Failed(failed(&wire, status))),
        Some("starting" | "processing") => {
            let urls = wire.urls.unwrap_or_default();
            let url = urls.get.ok_or_else(|| malformed("urls.get", "is required"))?;
            Ok(Progress::Poll { url, after: PATIENCE, stream: urls.stream, cancel: urls.cancel })
        }
        _ => Err(malformed("status", "is no status of a prediction")),
    }
}

fn failed(wire: &Wire<'_>, status: &str) -> Fault {
    match wire.error.filter(|error| error.get() != "null") {
        Some(error) => fault::of_frame(error),
        None => fault::read(500, format!(r#"{{"detail":"the prediction {status}"}}"#).as_bytes()),
    }
}

/// A finished prediction as a stream that came at once. Its output is a text, or a list of the pieces of one.
fn events(wire: &Wire<'_>) -> Vec<ChatEvent> {
    let said = match wire.output {
        Some(raw) if raw.get().starts_with('[') => {
            let pieces: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
            pieces.into_iter().map(text).collect()
        }
        Some(raw) => text(raw).into_owned(),
        None => String::new(),
    };
    let model = wire.model.clone().unwrap_or_default();
    let mut events = vec![
        ChatEvent::Start { id: wire.id.clone().unwrap_or_default(), model },
        ChatEvent::Open { block: 0, choice: 0, kind: BlockKind::Text },
        ChatEvent::Delta { block: 0, text: said },
        ChatEvent::Close { block: 0 },
    ];
    let metrics: Metrics = wire.metrics.and_then(object).unwrap_or_default();
    let used = usage(metrics.input_token_count, metrics.output_token_count);
    events.extend(used.map(ChatEvent::Usage));
    events.push(ChatEvent::Stop { choice: 0, reason: Stop::End });
    events
}

/// Reads a finished prediction. A caller who wants a stream gets it in one piece.
struct PredictionReader;

impl ReplyReader for PredictionReader {
    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        match progress(body)? {
            Progress::Done(response) => Ok(response),
            Progress::Poll { .. } => Err(malformed("status", UNFINISHED)),
            Progress::Failed(fault) => Err(malformed("error", &fault.message)),
        }
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(WholeDecoder::default())
    }
}

const UNFINISHED: &str = "the prediction is not finished";

/// A prediction as the one frame of a stream.
#[derive(Default)]
struct WholeDecoder {
    done: bool,
    failed: Option<Fault>,
}

impl StreamDecoder for WholeDecoder {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let raw: &RawValue = match serde_json::from_str(frame.data) {
            Ok(raw) => raw,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let wire: Wire<'_> = object(raw).unwrap_or_default();
        let fault = match wire.status.as_deref().filter(|_| !self.done) {
            Some("succeeded") => {
                out.extend(events(&wire));
                self.done = true;
                return Read::Terminal;
            }
            Some(_) => match of_prediction(wire) {
                Ok(Progress::Failed(fault)) => fault,
                Ok(_) => fault::read(504, UNFINISHED.as_bytes()),
                Err(error) => return Read::Corrupt(error.to_string()),
            },
            None => {
                out.push(ChatEvent::Unmodeled { tag: String::new(), raw: Raw::from(raw) });
                return Read::Unknown;
            }
        };
        self.failed = Some(fault.clone());
        Read::Failed(fault)
    }

    fn end(&mut self, _: &mut Vec<ChatEvent>) -> Finish {
        match self.failed.take() {
            Some(fault) => Finish::Failed(fault),
            None if self.done => Finish::Complete,
            None => Finish::Truncated,
        }
    }
}

/// Whether streams of Replicate's own API are served at `host`, which is never the API's. They are served to whoever
/// knows the address.
#[must_use]
pub fn streams_at(api: &str, host: &str) -> bool {
    api == "api.replicate.com" && host.ends_with(".replicate.com")
}

/// Reads what [`Progress::Poll`]'s `stream` serves.
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamedPrediction;

impl ReplyReader for StreamedPrediction {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        PredictionReader.whole(body)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(PredictionDecoder::default())
    }
}

/// The stream of a prediction: `output` events of plain text, then `done` or `error`.
#[derive(Default)]
struct PredictionDecoder {
    open: bool,
    done: bool,
    failed: Option<Fault>,
}

impl StreamDecoder for PredictionDecoder {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        match frame.event {
            "output" => {
                self.begin(out);
                out.push(ChatEvent::Delta { block: 0, text: frame.data.to_owned() });
                Read::Known
            }
            "done" => self.finish(frame.data, out),
            "error" => {
                let body = serde_json::from_str::<&RawValue>(frame.data);
                self.fail(body.map_or_else(|_| fault::read(500, frame.data.as_bytes()), fault::of_frame))
            }
            _ => match serde_json::from_str::<&RawValue>(frame.data) {
                Ok(raw) => {
                    out.push(ChatEvent::Unmodeled { tag: frame.event.to_owned(), raw: Raw::from(raw) });
                    Read::Unknown
                }
                Err(_) => Read::Corrupt("an event of an unknown kind".to_owned()),
            },
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        if self.done {
            return Finish::Complete;
        }
        self.close(out);
        self.failed.take().map_or(Finish::Truncated, Finish::Failed)
    }
}

impl PredictionDecoder {
    fn begin(&mut self, out: &mut Vec<ChatEvent>) {
        if !std::mem::replace(&mut self.open, true) {
            out.push(ChatEvent::Start { id: String::new(), model: String::new() });
            out.push(ChatEvent::Open { block: 0, choice: 0, kind: BlockKind::Text });
        }
    }

    fn close(&mut self, out: &mut Vec<ChatEvent>) {
        if std::mem::take(&mut self.open) {
            out.push(ChatEvent::Close { block: 0 });
        }
    }

    /// `done` says why if it was not the answer's own end: `{"reason": "error"}` or `"canceled"`.
    fn finish(&mut self, data: &str, out: &mut Vec<ChatEvent>) -> Read {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Done {
            reason: Option<String>,
        }
        let done: Done = serde_json::from_str(data).unwrap_or_default();
        if let Some(reason) = done.reason.filter(|reason| !reason.is_empty()) {
            return self.fail(fault::read(500, format!("the prediction ended: {reason}").as_bytes()));
        }
        self.begin(out);
        self.close(out);
        out.push(ChatEvent::Stop { choice: 0, reason: Stop::End });
        self.done = true;
        Read::Terminal
    }

    fn fail(&mut self, fault: Fault) -> Read {
        self.failed = Some(fault.clone());
        Read::Failed(fault)
    }
}
