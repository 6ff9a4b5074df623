//! What upstreams answer: whole replies and streams, read by the reader of a fixture's request and written to clients
//! of every format.

use bytes::Bytes;
use tollgate_wire::codec::{Finish, Inbound, Outbound, Read, Target as Destination, UpstreamCodec};
use tollgate_wire::event::ChatEvent;
use tollgate_wire::fold::fold;
use tollgate_wire::format::Format;
use tollgate_wire::frame::{Cutter, Framing};
use tollgate_wire::gemini::Streamed;
use tollgate_wire::laws::Laws;

use super::frames::{aws_events, pieces};
use super::upstreams::UPSTREAMS;
use super::written::{self, client};
use super::{Outcome, Target};
use crate::seeds::Case;

/// The request of a fixture.
struct Asked {
    codec: &'static dyn UpstreamCodec,
    format: Format,
    streamed: Option<Streamed>,
    body: Vec<u8>,
}

pub(super) fn targets(cases: &[Case]) -> Vec<Target> {
    let mut wholes = (Vec::new(), Vec::new());
    let mut streams = (Vec::new(), Vec::new());
    for case in cases {
        for (file, pool) in [("upstream.reply.json", &mut wholes), ("upstream.stream", &mut streams)] {
            let (Some(asked), Some(bytes)) = (Asked::of(case, file == "upstream.stream"), case.file(file))
            else {
                continue;
            };
            pool.0.push(asked);
            pool.1.push(bytes.to_vec());
        }
    }
    vec![
        Target {
            name: "replies",
            seeds: wholes.1,
            read: Box::new(move |seed, bytes| {
                wholes.0.get(seed).map_or_else(Outcome::default, |asked| asked.whole(bytes))
            }),
        },
        Target {
            name: "streams",
            seeds: streams.1,
            read: Box::new(move |seed, bytes| {
                streams.0.get(seed).map_or_else(Outcome::default, |asked| asked.stream(bytes))
            }),
        },
    ]
}

impl Asked {
    fn of(case: &Case, is_stream: bool) -> Option<Self> {
        let (_, codec) = *UPSTREAMS.iter().find(|(name, _)| *name == case.format)?;
        let kinds = [
            ("client.json", Format::OpenAiChat),
            ("client.messages.json", Format::AnthropicMessages),
            ("client.responses.json", Format::OpenAiResponses),
            ("client.gemini.json", Format::Gemini),
        ];
        let found =
            kinds.iter().find_map(|(name, format)| case.file(name).map(|body| (body.to_vec(), *format)));
        let (body, mut format) = found?;
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&body).ok()?;
        if members.contains_key("prompt") {
            format = Format::OpenAiCompletions;
        }
        Some(Self { codec, format, streamed: is_stream.then_some(Streamed::Events), body })
    }

    fn begin(&self) -> Option<(Inbound, Outbound)> {
        let inbound = client(self.format, self.streamed).decode(&self.body).ok()?;
        let target = Destination { model: &inbound.request.model, call_id: "01234567-89ab-cdef" };
        let outbound = self.codec.encode(&inbound.request, &target).ok()?;
        Some((inbound, outbound))
    }

    fn whole(&self, bytes: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        let Some((inbound, outbound)) = self.begin() else { return outcome };
        outcome.note(self.codec.format().title());
        match outbound.reader.whole(bytes) {
            Ok(response) => {
                outcome.note(&format!("{:?}", response.usage.is_some()));
                for choice in &response.choices {
                    let kinds =
                        choice.blocks.iter().map(|block| format!("{:?}", std::mem::discriminant(block)));
                    outcome.note(&format!("{:?}{}", choice.stop, kinds.take(8).collect::<String>()));
                }
                written::whole(&response, inbound, &mut outcome);
            }
            Err(error) => outcome.note_error(&error),
        }
        outcome
    }

    fn stream(&self, bytes: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        let Some((inbound, outbound)) = self.begin() else { return outcome };
        let aws = (outbound.reader.framing() == Framing::AwsEvents).then(|| aws_events(bytes));
        let bytes = aws.as_deref().unwrap_or(bytes);
        let run = Run::of(outbound, &[bytes]);
        outcome.note(self.codec.format().title());
        for read in &run.reads {
            outcome.note(match read {
                Read::Known => "k",
                Read::Unknown => "u",
                Read::Corrupt(_) => "c",
                Read::Terminal => "t",
                Read::Failed(_) => "f",
            });
        }
        let (cut, pieces) = (self.begin(), pieces(bytes, 40));
        let cut = cut.map(|(_, outbound)| Run::of(outbound, &pieces));
        outcome.demand(cut.as_ref() == Some(&run), || {
            format!("in pieces it reads differently:\n{cut:?}\n{run:?}")
        });
        let mut laws = Laws::default();
        for event in &run.events {
            let law = laws.check(event);
            outcome.demand(law.is_ok(), || format!("{law:?}\n{:?}", run.events));
            outcome.kinds.push_str(&format!("{:?}", std::mem::discriminant(event)));
        }
        drop(fold(&run.events));
        written::streamed(&run.events, &run.finish, inbound, &mut outcome);
        outcome
    }
}

/// What came of one stream.
#[derive(Debug, PartialEq)]
struct Run {
    events: Vec<ChatEvent>,
    reads: Vec<Read>,
    finish: Finish,
}

impl Run {
    /// Reads `pieces` as a gateway does: unknown and corrupt frames are skipped.
    fn of(outbound: Outbound, pieces: &[&[u8]]) -> Self {
        let mut cutter = Cutter::new(outbound.reader.framing(), 1 << 20);
        let mut decoder = outbound.reader.stream();
        let (mut events, mut reads) = (Vec::new(), Vec::new());
        let mut scratch = String::new();
        'bytes: for at in 0..=pieces.len() {
            let mut last = match pieces.get(at) {
                Some(piece) => {
                    cutter.push(Bytes::copy_from_slice(piece));
                    None
                }
                None => cutter.rest(),
            };
            loop {
                let Ok(cut) = cutter.next() else { break 'bytes };
                let Some(cut) = cut.or_else(|| last.take()) else { break };
                let read = match cut.frame(&mut scratch) {
                    Ok(None) => continue,
                    Ok(Some(frame)) => decoder.frame(&frame, &mut events),
                    Err(error) => Read::Corrupt(error.to_string()),
                };
                let is_last = matches!(read, Read::Terminal | Read::Failed(_));
                reads.push(read);
                if is_last {
                    break 'bytes;
                }
            }
        }
        let finish = decoder.end(&mut events);
        Self { events, reads, finish }
    }
}
