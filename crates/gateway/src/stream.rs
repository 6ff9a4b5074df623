//! Streams from an upstream to a client. The only place with stream policy:
//!
//! | the upstream | same format (relay) | another format (translation) |
//! | --- | --- | --- |
//! | sends a known frame | passed on; `model` restamped, usage noted | decoded, encoded |
//! | sends a frame we do not model | passed on | skipped |
//! | sends a corrupt frame, a frame past the bound, bytes that are not UTF-8 | ends with an error frame | the same |
//! | reports a failure in the stream | ends with an error frame | the same |
//! | ends without its format's end | complete if every choice had finished, else an error frame | the same |
//! | falls silent past the patience | ends with an error frame | the same |
//! | does any of this before its first event | the attempt fails, the client sees nothing | the same |
//!
//! `[DONE]` is sent after a complete stream only. When the client leaves, the body is dropped, and with it
//! the upstream connection.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::time::Sleep;
use wire::codec::{Finish, Read, StreamDecoder, StreamEncoder};
use wire::event::ChatEvent;
use wire::fault::{Fault, FaultKind};
use wire::format::Format;
use wire::frame::{Cut, Cutter, Frame, Framing};
use wire::meter::Meter;
use wire::reply::Usage;
use wire::{codecs, tap};

use crate::marks::Marks;
use crate::prediction::Cancel;
use crate::refusal::Refusal;
use crate::responses::Keeper;
use crate::settle::{Ending, Settlement};
use crate::transport::{UpstreamBody, timeout_fault};
use crate::watch::Watch;

/// One frame may be this large; an image in a chunk fits, an endless line does not.
const MOST_FRAME: usize = 16 << 20;
/// After its end, an upstream may take this long to close the body, so that the connection can be used again.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// A stream on its way to the client.
pub struct Flow {
    source: Source,
    voice: Voice,
    /// Client bytes made while waiting for the first event.
    primed: Bytes,
    over: bool,
    usage: Option<Usage>,
    /// Frames that said something.
    pieces: u64,
    ending: Ending,
    settlement: Option<Settlement>,
    watch: Option<Watch>,
    heartbeat: Option<Heartbeat>,
    keeper: Option<Keeper>,
    cancel: Option<Cancel>,
}

/// What is said to the client while the upstream says nothing, so that proxies between keep the line open.
struct Heartbeat {
    every: Duration,
    words: &'static [u8],
    said: Instant,
    alarm: Option<Pin<Box<Sleep>>>,
}

/// Turns frames into client bytes.
pub enum Voice {
    /// The upstream speaks the client's format.
    Relay(Relay),
    /// It does, and it is not OpenAI's.
    Passing(Passing),
    /// It does not.
    Translation(Translation),
}

/// Same-format frames, passed on as they are but for a few names.
pub struct Passing {
    /// The format.
    pub format: Format,
    /// Sees what was used and how the stream stands.
    pub meter: Box<dyn Meter>,
    /// What callers know by other names.
    pub(crate) marks: Marks,
    /// The tag in error messages.
    pub exception: String,
}

/// Same-format frames of OpenAI's, passed on with the model's name stamped anew.
pub struct Relay {
    /// The JSON text of the model name the client asked for.
    pub model: Bytes,
    /// Usage was asked for by us, not by the client: the chunk that only carries it is kept back.
    pub hide_usage: bool,
    /// How many choices the client asked for.
    pub choices: usize,
    /// How many have finished.
    pub finished: usize,
    /// The tag in error messages.
    pub exception: String,
}

/// Frames decoded to events, events encoded for the client.
pub struct Translation {
    /// Reads the upstream's format.
    pub decoder: Box<dyn StreamDecoder>,
    /// Writes the client's format.
    pub encoder: Box<dyn StreamEncoder>,
    /// The tag in error messages.
    pub exception: String,
    events: Vec<ChatEvent>,
    #[cfg(debug_assertions)]
    laws: wire::laws::Laws,
}

/// What a frame did to the stream.
enum Heard {
    /// Nothing: a comment.
    Nothing,
    /// It goes on.
    More,
    /// It is complete.
    End,
}

/// Where frames come from: the upstream's body, cut, with an alarm for silence.
struct Source {
    body: UpstreamBody,
    cutter: Cutter,
    patience: Duration,
    heard: Instant,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Flow {
    /// A stream from `body`, spoken to the client by `voice`. `patience` bounds the silence between bytes.
    #[must_use]
    pub fn new(body: UpstreamBody, framing: Framing, voice: Voice, patience: Duration) -> Self {
        let cutter = Cutter::new(framing, MOST_FRAME);
        Self {
            source: Source { body, cutter, patience, heard: Instant::now(), alarm: None },
            voice,
            primed: Bytes::new(),
            over: false,
            usage: None,
            pieces: 0,
            ending: Ending::default(),
            settlement: None,
            watch: None,
            heartbeat: None,
            keeper: None,
            cancel: None,
        }
    }

    /// Says `words` to the client whenever nothing else was said for that long.
    #[must_use]
    pub fn with_heartbeat(mut self, every: Duration, words: &'static [u8]) -> Self {
        self.heartbeat = Some(Heartbeat { every, words, said: Instant::now(), alarm: None });
        self
    }

    /// Waits for the first event.
    ///
    /// # Errors
    /// The upstream's failure, if it fails before anything can be shown to the client.
    pub async fn prime(&mut self) -> Result<(), Fault> {
        let mut out = BytesMut::new();
        loop {
            let next = std::future::poll_fn(|context| self.source.poll(context)).await;
            let heard = match next {
                Some(bytes) => self.absorb(bytes?, &mut out)?,
                None => {
                    self.end(&mut out)?;
                    true
                }
            };
            if heard {
                self.primed = out.freeze();
                return Ok(());
            }
        }
    }

    /// Hands over who keeps the response that the end of this stream tells. A stream that is over already is all in
    /// what was made while priming.
    pub fn keep_with(&mut self, keeper: Keeper) {
        if self.over {
            keeper.keep_stream(&self.primed);
        } else {
            self.keeper = Some(keeper);
        }
    }

    /// Hands over what ends the work upstream unless this stream is read to its end.
    pub fn cancel_with(&mut self, cancel: Option<Cancel>) {
        self.cancel = cancel;
    }

    /// Hands over the account that this stream keeps until it ends.
    pub fn settle_with(&mut self, settlement: Settlement) {
        self.settlement = Some(settlement);
    }

    /// Hands over the attempt that this stream is, whose first event has come.
    pub fn watch_with(&mut self, mut watch: Watch) {
        watch.begun();
        self.watch = Some(watch);
    }

    /// The next bytes for the client, `None` at the end.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if self.over {
                // Before the last bytes are the client's: who has the whole reply is charged for it.
                self.settle();
            }
            if !self.primed.is_empty() {
                return Poll::Ready(Some(std::mem::take(&mut self.primed)));
            }
            if self.over {
                self.source.let_go(context);
                return Poll::Ready(None);
            }
            let mut out = BytesMut::new();
            let next = match self.source.poll(context) {
                Poll::Ready(next) => next,
                Poll::Pending => {
                    let heard = self.source.heard;
                    return self.heartbeat.as_mut().map_or(Poll::Pending, |beat| beat.poll(heard, context));
                }
            };
            let result = match next {
                Some(Ok(bytes)) => {
                    out.reserve(bytes.len() + 64);
                    self.absorb(bytes, &mut out).map(|_| ())
                }
                Some(Err(fault)) => Err(fault),
                None => self.end(&mut out),
            };
            if let Err(mut fault) = result {
                if let Some(settlement) = &self.settlement {
                    settlement.deployment.hide_secrets(&mut fault);
                }
                self.over = true;
                self.ending = Ending::Failed;
                if let Some(watch) = self.watch.take() {
                    watch.failed(&fault, None, false);
                }
                self.voice.fail(fault, &mut out);
            }
            if self.over
                && let Some(keeper) = self.keeper.take()
            {
                keeper.keep_stream(&out);
            }
            self.primed = out.freeze();
        }
    }

    /// Records the charge, if that was not done.
    fn settle(&mut self) {
        if let Some(mut settlement) = self.settlement.take() {
            settlement.usage = self.usage;
            settlement.pieces = self.pieces;
            settlement.ending = self.ending;
        }
    }

    /// Reads all complete frames. Whether one of them carried anything.
    fn absorb(&mut self, bytes: Bytes, out: &mut BytesMut) -> Result<bool, Fault> {
        self.source.cutter.push(bytes);
        let mut heard = false;
        while !self.over {
            let cut = self.source.cutter.next().map_err(|error| Fault::malformed(error.to_string()))?;
            let Some(cut) = cut else { break };
            heard |= self.take(&cut, out)?;
        }
        Ok(heard)
    }

    fn take(&mut self, cut: &Cut, out: &mut BytesMut) -> Result<bool, Fault> {
        let mut scratch = String::new();
        let frame = cut.frame(&mut scratch).map_err(|error| Fault::malformed(error.to_string()))?;
        let heard = match &mut self.voice {
            Voice::Relay(relay) => relay.take(cut, frame, &mut self.usage, out)?,
            Voice::Passing(passing) => passing.take(cut, frame, &mut self.usage, out)?,
            Voice::Translation(translation) => translation.take(frame, &mut self.usage, out)?,
        };
        if matches!(heard, Heard::End) {
            self.over = true;
            self.ending = Ending::Complete;
        }
        self.pieces += u64::from(!matches!(heard, Heard::Nothing));
        Ok(!matches!(heard, Heard::Nothing))
    }

    /// The upstream's bytes are at their end.
    fn end(&mut self, out: &mut BytesMut) -> Result<(), Fault> {
        if let Some(rest) = self.source.cutter.rest() {
            self.take(&rest, out)?;
        }
        if self.over {
            return Ok(());
        }
        let complete = match &mut self.voice {
            Voice::Relay(relay) => relay.end(out),
            Voice::Passing(passing) => passing.meter.is_complete(),
            Voice::Translation(translation) => translation.end(&mut self.usage, out)?,
        };
        if !complete {
            return Err(Fault::new(
                FaultKind::Connection,
                502,
                "the upstream's stream ended before it was complete".to_owned(),
            ));
        }
        self.over = true;
        self.ending = Ending::Complete;
        Ok(())
    }
}

impl Heartbeat {
    /// The words, once nothing was `heard` or said for long enough.
    fn poll(&mut self, heard: Instant, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let every = self.every;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(every)));
        loop {
            std::task::ready!(alarm.as_mut().poll(context));
            let quiet_since = heard.max(self.said);
            if quiet_since.elapsed() >= every {
                self.said = Instant::now();
                alarm.as_mut().reset((self.said + every).into());
                return Poll::Ready(Some(Bytes::from_static(self.words)));
            }
            alarm.as_mut().reset((quiet_since + every).into());
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.settle();
        if let (Ending::Complete, Some(watch)) = (self.ending, self.watch.take()) {
            watch.done(self.usage.as_ref());
        }
        if let (Ending::Complete, Some(cancel)) = (self.ending, &mut self.cancel) {
            cancel.disarm();
        }
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow").field("over", &self.over).field("usage", &self.usage).finish_non_exhaustive()
    }
}

impl Voice {
    /// Tells the client that the stream failed, in its own format.
    fn fail(&mut self, fault: Fault, out: &mut BytesMut) {
        match self {
            Self::Relay(relay) => {
                let body = Refusal::from_fault(&fault, &relay.exception).body(Format::OpenAiChat, None);
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(&body);
                out.extend_from_slice(b"\n\n");
            }
            Self::Passing(passing) => {
                let message = Refusal::from_fault(&fault, &passing.exception).message;
                codecs::error_frame(passing.format, &Fault { message, ..fault }, out);
            }
            Self::Translation(translation) => {
                let message = Refusal::from_fault(&fault, &translation.exception).message;
                translation.encoder.finish(&Finish::Failed(Fault { message, ..fault }), out);
            }
        }
    }
}

impl Passing {
    /// Passes a frame on, with the names that the caller knows.
    fn pass(&self, cut: &Cut, frame: Frame<'_>, out: &mut BytesMut) {
        let splices = self.marks.on(frame.data, self.meter.names());
        if splices.is_empty() {
            return out.extend_from_slice(&cut.raw);
        }
        restamp(cut, frame, &splices, out);
    }

    fn take(
        &mut self,
        cut: &Cut,
        frame: Option<Frame<'_>>,
        usage: &mut Option<Usage>,
        out: &mut BytesMut,
    ) -> Result<Heard, Fault> {
        let Some(frame) = frame else {
            out.extend_from_slice(&cut.raw);
            return Ok(Heard::Nothing);
        };
        let read = self.meter.frame(frame.data);
        *usage = self.meter.usage().or(*usage);
        match read {
            Read::Corrupt(why) => return Err(Fault::malformed(why)),
            Read::Failed(fault) => return Err(fault),
            Read::Known | Read::Unknown | Read::Terminal => self.pass(cut, frame, out),
        }
        Ok(if read == Read::Terminal { Heard::End } else { Heard::More })
    }
}

impl Relay {
    fn take(
        &mut self,
        cut: &Cut,
        frame: Option<Frame<'_>>,
        usage: &mut Option<Usage>,
        out: &mut BytesMut,
    ) -> Result<Heard, Fault> {
        let Some(frame) = frame else {
            out.extend_from_slice(&cut.raw);
            return Ok(Heard::Nothing);
        };
        if frame.data.trim() == "[DONE]" {
            out.extend_from_slice(b"data: [DONE]\n\n");
            return Ok(Heard::End);
        }
        let seen = tap::look(frame.data)
            .map_err(|error| Fault::malformed(format!("a chunk is not valid JSON: {error}")))?;
        if let Some(fault) = seen.fault {
            return Err(fault);
        }
        self.finished += seen.finished(frame.data);
        let only_usage = seen.no_choices && seen.usage.is_some();
        *usage = seen.usage.or(*usage);
        if only_usage && self.hide_usage {
            return Ok(Heard::More);
        }
        match seen.model.filter(|range| frame.data.as_bytes().get(range.clone()) != Some(&self.model)) {
            None => out.extend_from_slice(&cut.raw),
            Some(range) => restamp(cut, frame, &[(range, self.model.clone())], out),
        }
        Ok(Heard::More)
    }

    /// Some servers leave `[DONE]` out: the stream is complete if every choice has finished.
    fn end(&mut self, out: &mut BytesMut) -> bool {
        let complete = self.finished >= self.choices.max(1);
        if complete {
            out.extend_from_slice(b"data: [DONE]\n\n");
        }
        complete
    }
}

/// Writes the frame with other texts at places of its data.
fn restamp(cut: &Cut, frame: Frame<'_>, splices: &[(Range<usize>, Bytes)], out: &mut BytesMut) {
    // The data usually lies in the frame's own bytes, so that everything around the name can stay as it is.
    let start = (frame.data.as_ptr() as usize).wrapping_sub(cut.raw.as_ptr() as usize);
    let inside = start.checked_add(frame.data.len()).is_some_and(|end| end <= cut.raw.len());
    if inside {
        let mut at = 0;
        for (place, text) in splices {
            out.extend_from_slice(&cut.raw[at..start + place.start]);
            out.extend_from_slice(text);
            at = start + place.end;
        }
        return out.extend_from_slice(&cut.raw[at..]);
    }
    if !frame.event.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(frame.event.as_bytes());
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"data: ");
    let mut at = 0;
    for (place, text) in splices {
        out.extend_from_slice(frame.data[at..place.start].replace('\n', " ").as_bytes());
        out.extend_from_slice(text);
        at = place.end;
    }
    out.extend_from_slice(frame.data[at..].replace('\n', " ").as_bytes());
    out.extend_from_slice(b"\n\n");
}

impl Translation {
    /// A translation from what `decoder` reads to what `encoder` writes.
    #[must_use]
    pub fn new(decoder: Box<dyn StreamDecoder>, encoder: Box<dyn StreamEncoder>, exception: String) -> Self {
        Self {
            decoder,
            encoder,
            exception,
            events: Vec::new(),
            #[cfg(debug_assertions)]
            laws: wire::laws::Laws::default(),
        }
    }

    fn take(
        &mut self,
        frame: Option<Frame<'_>>,
        usage: &mut Option<Usage>,
        out: &mut BytesMut,
    ) -> Result<Heard, Fault> {
        let Some(frame) = frame else { return Ok(Heard::Nothing) };
        let read = self.decoder.frame(&frame, &mut self.events);
        self.speak(usage, out);
        match read {
            Read::Known => Ok(Heard::More),
            Read::Unknown => Ok(Heard::Nothing),
            Read::Corrupt(why) => Err(Fault::malformed(why)),
            Read::Failed(fault) => Err(fault),
            Read::Terminal => {
                self.encoder.finish(&Finish::Complete, out);
                Ok(Heard::End)
            }
        }
    }

    fn end(&mut self, usage: &mut Option<Usage>, out: &mut BytesMut) -> Result<bool, Fault> {
        let finish = self.decoder.end(&mut self.events);
        self.speak(usage, out);
        match finish {
            Finish::Complete => {
                self.encoder.finish(&finish, out);
                Ok(true)
            }
            Finish::Truncated => Ok(false),
            Finish::Failed(fault) => Err(fault),
        }
    }

    fn speak(&mut self, usage: &mut Option<Usage>, out: &mut BytesMut) {
        for event in self.events.drain(..) {
            #[cfg(debug_assertions)]
            if let Err(broken) = self.laws.check(&event) {
                tracing::error!(%broken, "a decoder broke the stream's grammar");
            }
            if let ChatEvent::Usage(used) = &event {
                *usage = Some(*used);
            }
            self.encoder.event(&event, out);
        }
    }
}

impl Source {
    /// The next bytes, or the fault of a silence longer than the patience.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        if let Poll::Ready(next) = self.body.poll_bytes(context) {
            self.heard = Instant::now();
            return Poll::Ready(next);
        }
        // One timer for the whole stream: it is moved only when it goes off, not with every chunk.
        let patience = self.patience;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        while alarm.as_mut().poll(context).is_ready() {
            if self.heard.elapsed() >= patience {
                return Poll::Ready(Some(Err(timeout_fault(patience))));
            }
            alarm.as_mut().reset((self.heard + patience).into());
        }
        Poll::Pending
    }

    /// Reads the upstream's body to its end in the background, so that its connection can be used again.
    fn let_go(&mut self, context: &mut Context<'_>) {
        if !matches!(self.body.poll_bytes(context), Poll::Pending) {
            return;
        }
        let empty = UpstreamBody::empty();
        let mut body = std::mem::replace(&mut self.body, empty);
        tokio::spawn(async move {
            let _ =
                tokio::time::timeout(CLOSING_TIME, async { while let Ok(Some(_)) = body.next().await {} })
                    .await;
        });
    }
}
