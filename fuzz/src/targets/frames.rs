//! The framing of streams: however the bytes arrive, the frames are the same, and no byte is lost.

use bytes::Bytes;
use tollgate_wire::frame::{Cutter, Framing, aws_message};

use super::{Outcome, Target, files};
use crate::mutate::Random;
use crate::places;
use crate::seeds::Case;

/// The bound of a frame; some inputs are larger.
const LIMIT: usize = 16 << 10;

pub(super) fn targets(cases: &[Case]) -> Vec<Target> {
    let streams = files(cases, &["upstream.stream"]);
    let target =
        |name, framing, seeds| Target { name, seeds, read: Box::new(move |_, bytes| cut(framing, bytes)) };
    let aws = streams.iter().map(|stream| aws_events(stream)).collect();
    vec![
        target("frames_sse", Framing::Sse, streams.clone()),
        target("frames_lines", Framing::Lines, streams),
        target("frames_aws", Framing::AwsEvents, aws),
    ]
}

/// `events`, which are server-sent, as AWS messages.
pub(super) fn aws_events(events: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for place in places::frames(events) {
        let text = String::from_utf8_lossy(&events[place]);
        let field =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        if !text.trim().is_empty() {
            stream.extend_from_slice(&aws_message(field("event:"), field("data:").as_bytes()));
        }
    }
    stream
}

/// `bytes` in pieces of up to `most` bytes, sizes at random but the same for the same bytes.
pub(super) fn pieces(bytes: &[u8], most: usize) -> Vec<&[u8]> {
    let mut random = Random(bytes.len() as u64);
    let (mut rest, mut pieces) = (bytes, Vec::new());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + random.below(most)).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn cut(framing: Framing, bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let whole = frames(framing, &[bytes]);
    let pieces = pieces(bytes, 9);
    let cut = frames(framing, &pieces);
    let same = whole.found == cut.found && (whole.error.is_none() || whole.error == cut.error);
    outcome.demand(same, || format!("in pieces it reads differently:\n{:?}\n{:?}", whole.error, cut.error));
    outcome.demand(whole.error.is_some() || whole.raw == bytes, || "bytes are lost".to_owned());
    for found in &whole.found {
        let kind = match found {
            Ok(Some((event, data))) => {
                format!("{} {}", event.len().min(9), data.len().checked_ilog2().unwrap_or_default())
            }
            Ok(None) => "none".to_owned(),
            Err(error) => error.clone(),
        };
        outcome.note(&kind);
    }
    outcome.note(&whole.error.unwrap_or_default());
    outcome
}

#[derive(Default)]
struct Frames {
    raw: Vec<u8>,
    /// Event and data of each frame, or why it has none.
    found: Vec<Result<Option<(String, String)>, String>>,
    error: Option<String>,
}

fn frames(framing: Framing, pieces: &[&[u8]]) -> Frames {
    let mut cutter = Cutter::new(framing, LIMIT);
    let mut frames = Frames::default();
    let mut scratch = String::new();
    for at in 0..=pieces.len() {
        let mut last = match pieces.get(at) {
            Some(piece) => {
                cutter.push(Bytes::copy_from_slice(piece));
                None
            }
            None => cutter.rest(),
        };
        loop {
            let cut = match cutter.next() {
                Ok(cut) => cut.or_else(|| last.take()),
                Err(error) => {
                    frames.error = Some(error.to_string());
                    return frames;
                }
            };
            let Some(cut) = cut else { break };
            frames.raw.extend_from_slice(&cut.raw);
            let frame = cut.frame(&mut scratch).map_err(|error| error.to_string());
            let owned =
                |frame: tollgate_wire::frame::Frame<'_>| (frame.event.to_owned(), frame.data.to_owned());
            frames.found.push(frame.map(|frame| frame.map(owned)));
        }
    }
    frames
}
