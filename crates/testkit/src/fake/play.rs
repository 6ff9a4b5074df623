//! The reply on the wire: when each piece is written, and where the script cuts, stalls or never ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Sleep, sleep};

use super::log::Watch;
use super::script::Script;

/// hyper drops what it has buffered when a body fails: a cut waits this long for the socket.
const FLUSH: Duration = Duration::from_millis(5);
/// Pace of a reply that never ends and names none: fast enough to notice, too slow to fill memory.
const ENDLESS_CHUNK: Duration = Duration::from_millis(10);

/// A chunk of content, which pacing and cuts count and an endless reply repeats, behind the frames that
/// must come before it.
#[derive(Default)]
pub(crate) struct Piece {
    lead: Bytes,
    chunk: Bytes,
}

impl From<Bytes> for Piece {
    fn from(chunk: Bytes) -> Self {
        Self { lead: Bytes::new(), chunk }
    }
}

/// Gathers the frames of a stream that has more than content.
#[derive(Default)]
pub(crate) struct Frames {
    lead: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Frames {
    /// A frame that is no content: it leads the next chunk, or ends the stream.
    pub(crate) fn frame(&mut self, bytes: impl AsRef<[u8]>) {
        self.lead.extend_from_slice(bytes.as_ref());
    }

    pub(crate) fn chunk(&mut self, chunk: impl Into<Bytes>) {
        let lead = std::mem::take(&mut self.lead).into();
        self.pieces.push(Piece { lead, chunk: chunk.into() });
    }

    pub(crate) fn end(self) -> Output {
        let tail = vec![self.lead.into()];
        Output { content: Box::new(self.pieces.into_iter()), tail, length: None }
    }
}

/// What is written: content, in pieces that pacing and cuts count, then what ends it.
pub(crate) struct Output {
    content: Box<dyn Iterator<Item = Piece> + Send>,
    tail: Vec<Bytes>,
    /// Known for a body sent with `content-length`; the others are chunked.
    length: Option<u64>,
}

impl Output {
    pub(crate) fn whole(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let length = Some(body.len() as u64);
        Self { content: Box::new(std::iter::once(body.into())), tail: Vec::new(), length }
    }

    pub(crate) fn stream(content: Vec<Bytes>, tail: Vec<Bytes>) -> Self {
        Self { content: Box::new(content.into_iter().map(Piece::from)), tail, length: None }
    }

    pub(crate) fn endless(content: impl Iterator<Item = Bytes> + Send + 'static) -> Self {
        Self { content: Box::new(content.map(Piece::from)), tail: Vec::new(), length: None }
    }

    /// All of it at once.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let content = self.content.flat_map(|piece| [piece.lead, piece.chunk]);
        content.chain(self.tail).flatten().collect()
    }

    /// Starts writing. The watch is completed when the last byte, or the cut, has been handed over.
    pub(crate) fn play(self, script: Arc<Script>, watch: Watch) -> Body {
        let length = self.length.filter(|_| !script.never_end);
        let (sender, receiver) = channel(1);
        tokio::spawn(async move {
            if let Err(Stop::Cut) = perform(self, &script, &sender).await {
                sleep(FLUSH).await;
                // The client may be gone by now; then there is nobody to cut off.
                let _ = sender.send(Err(Cut)).await;
            }
        });
        Body::Played { receiver, left: length, watch }
    }
}

/// Why a reply stops before its end.
enum Stop {
    Cut,
    ClientGone,
}

async fn perform(output: Output, script: &Script, sender: &Sender<Result<Bytes, Cut>>) -> Result<(), Stop> {
    let mut writer = Writer { sender, left: script.cut_after_bytes.unwrap_or(u64::MAX) };
    let chunk_pause = Duration::from_millis(script.chunk_ms);
    let (mut written, mut last) = (0_usize, Bytes::new());
    writer.pause(Duration::from_millis(script.first_chunk_ms)).await?;
    for piece in output.content {
        if written > 0 {
            writer.pause(chunk_pause).await?;
        }
        writer.stop_at(script, written).await?;
        last = piece.chunk.clone();
        if !piece.lead.is_empty() {
            writer.write(piece.lead).await?;
        }
        writer.write(piece.chunk).await?;
        written += 1;
    }
    // A cut or stall beyond the last chunk still comes before the frames that say the reply is whole.
    writer.stop_at(script, usize::MAX).await?;
    if script.never_end {
        let pause = if chunk_pause.is_zero() { ENDLESS_CHUNK } else { chunk_pause };
        loop {
            writer.pause(pause).await?;
            writer.write(last.clone()).await?;
        }
    }
    for piece in output.tail {
        writer.write(piece).await?;
    }
    Ok(())
}

struct Writer<'a> {
    sender: &'a Sender<Result<Bytes, Cut>>,
    /// Bytes before the cut.
    left: u64,
}

impl Writer<'_> {
    /// Cuts or stalls if the script says so after that many chunks.
    async fn stop_at(&self, script: &Script, written: usize) -> Result<(), Stop> {
        if script.cut_after_chunks.is_some_and(|limit| written >= limit) {
            return Err(Stop::Cut);
        }
        if script.stall_after_chunks.is_some_and(|limit| written >= limit) {
            self.sender.closed().await;
            return Err(Stop::ClientGone);
        }
        Ok(())
    }

    async fn write(&mut self, mut piece: Bytes) -> Result<(), Stop> {
        let size = piece.len() as u64;
        let cut = size > self.left;
        if cut {
            piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        }
        self.left = self.left.saturating_sub(size);
        self.sender.send(Ok(piece)).await.map_err(|_| Stop::ClientGone)?;
        if cut { Err(Stop::Cut) } else { Ok(()) }
    }

    async fn pause(&self, time: Duration) -> Result<(), Stop> {
        if time.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = self.sender.closed() => Err(Stop::ClientGone),
            () = sleep(time) => Ok(()),
        }
    }
}

/// The script cuts the connection here.
#[derive(Debug, thiserror::Error)]
#[error("the script cuts the connection here")]
pub(crate) struct Cut;

/// A reply's body.
pub(crate) enum Body {
    /// Everything at once.
    Whole(Bytes),
    /// Prebuilt frames, each in a write of its own.
    Prebuilt(Prebuilt),
    /// Written by a script.
    Played { receiver: Receiver<Result<Bytes, Cut>>, left: Option<u64>, watch: Watch },
}

/// Frames written one by one, `pause` apart.
pub(crate) struct Prebuilt {
    frames: &'static [Bytes],
    pause: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    flushed: bool,
}

impl Prebuilt {
    pub(crate) fn new(frames: &'static [Bytes], pause: Duration) -> Self {
        Self { frames, pause, timer: None, flushed: true }
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // hyper gathers frames until a body is pending; a provider's tokens come one write each.
        if !std::mem::replace(&mut self.flushed, true) {
            if self.pause.is_zero() {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.timer = Some(Box::pin(sleep(self.pause)));
        }
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(context));
            self.timer = None;
        }
        let Some((frame, rest)) = self.frames.split_first() else { return Poll::Ready(None) };
        (self.frames, self.flushed) = (rest, false);
        Poll::Ready(Some(frame.clone()))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Prebuilt(prebuilt) => {
                prebuilt.poll_frame(context).map(|frame| frame.map(|frame| Ok(Frame::data(frame))))
            }
            Self::Played { receiver, left, watch } => {
                let next = ready!(receiver.poll_recv(context));
                if let (Some(Ok(bytes)), Some(left)) = (&next, left.as_mut()) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                // hyper asks no further once `content-length` is reached.
                if *left == Some(0) || !matches!(next, Some(Ok(_))) {
                    watch.complete();
                }
                Poll::Ready(next.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Prebuilt(prebuilt) => prebuilt.frames.is_empty(),
            Self::Played { left, .. } => *left == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Prebuilt(_) => SizeHint::default(),
            Self::Played { left, .. } => left.map(SizeHint::with_exact).unwrap_or_default(),
        }
    }
}
