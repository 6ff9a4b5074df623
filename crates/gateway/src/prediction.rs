//! Answers that are made later: a prediction that is not finished when its request is answered is asked for again,
//! or read as a stream where its model has one, and ended where it is made once nobody waits for it any more. What
//! it says is [`wire::replicate`]'s; how long all this may take is [`crate::exchange`]'s.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, StatusCode};
use wire::codecs;
use wire::dialect::Dialect;
use wire::fault::Fault;
use wire::format::Format;
use wire::replicate::{self, Progress, StreamedPrediction};

use crate::fields::Fields;
use crate::made::Made;
use crate::prepare::Reading;
use crate::transport::{Destination, Transport, UpstreamBody, UpstreamReply};

/// Asks the server to answer only when the prediction is finished, or after some seconds.
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Failures in a row after which a prediction is not asked for again.
const MOST_FAILURES: u32 = 5;
/// How long the request that ends a prediction may take.
const ENDING_TIME: Duration = Duration::from_secs(10);

/// A prediction that somebody waits for.
pub(crate) struct Prediction<'a> {
    transport: &'a Transport,
    format: Format,
    /// Where it was asked for. Its other addresses are the server's words, and followed on this host only.
    asked: &'a Destination,
    /// What requests for it carry.
    headers: HeaderMap,
    /// Bound of a reply, in bytes.
    limit: usize,
    cancel: Option<Cancel>,
}

/// Ends a prediction when dropped.
#[derive(Debug)]
pub struct Cancel(Option<Box<(Transport, Destination, HeaderMap)>>);

impl<'a> Prediction<'a> {
    /// A prediction asked for at `asked` with `headers`, if `format` has predictions. Whoever wants a stream does not
    /// want the server to wait until there is nothing left to be streamed.
    pub(crate) fn of(
        format: Format,
        transport: &'a Transport,
        asked: &'a Destination,
        headers: &mut std::borrow::Cow<'_, HeaderMap>,
        stream: bool,
        limit: usize,
    ) -> Option<Box<Self>> {
        if !matches!(format, Format::Own(Dialect::Replicate | Dialect::ReplicateVersion)) {
            return None;
        }
        if stream {
            headers.to_mut().remove(PREFER);
        }
        let mut own = HeaderMap::clone(headers);
        own.remove(CONTENT_TYPE);
        own.remove(PREFER);
        Some(Box::new(Self { transport, format, asked, headers: own, limit, cancel: None }))
    }

    /// Follows the prediction that `reply` tells of to its end, or to its stream, for which `reading` is changed.
    ///
    /// # Errors
    /// Its failure, or that of asking for it.
    pub(crate) async fn follow(
        &mut self,
        reply: UpstreamReply,
        stream: bool,
        reading: &mut Option<Reading>,
    ) -> Result<UpstreamReply, Fault> {
        if !reply.status.is_success() {
            return Ok(reply);
        }
        let UpstreamReply { headers, body, .. } = reply;
        let mut told = body.whole(self.limit).await?;
        let mut may_stream = stream;
        loop {
            let progress = replicate::progress(&told).map_err(|error| {
                Fault::malformed(format!("the answer is not what the API documents: {error}"))
            })?;
            let (url, after, urls) = match progress {
                Progress::Poll { url, after, stream, cancel } => (url, after, (stream, cancel)),
                Progress::Done(_) => {
                    self.settled();
                    return Ok(finished(headers, told, stream));
                }
                Progress::Failed(fault) => {
                    self.settled();
                    return Err(fault);
                }
            };
            if self.cancel.is_none() {
                self.cancel = urls.1.as_deref().and_then(|url| self.ending(url));
            }
            if std::mem::take(&mut may_stream)
                && let Some(reply) = self.stream(urls.0.as_deref()).await
            {
                if let Some(Reading::Translate { reader, .. }) = reading {
                    *reader = Box::new(StreamedPrediction);
                }
                return Ok(reply);
            }
            let place = self.here(&url).ok_or_else(|| {
                Fault::malformed(format!("urls.get is at another host than {}", self.asked.origin))
            })?;
            told = self.again(&place, after).await?;
        }
    }

    /// What ends the prediction if it is not waited for to its end.
    pub(crate) fn cancel(self) -> Option<Cancel> {
        self.cancel
    }

    fn settled(&mut self) {
        if let Some(cancel) = &mut self.cancel {
            cancel.disarm();
        }
    }

    /// The address, if it is one of the host that was asked.
    fn here(&self, url: &str) -> Option<Destination> {
        Destination::parse(url).ok().filter(|place| place.origin.eq_ignore_ascii_case(&self.asked.origin))
    }

    fn ending(&self, url: &str) -> Option<Cancel> {
        let parts = (self.transport.clone(), self.here(url)?, self.headers.clone());
        Some(Cancel(Some(Box::new(parts))))
    }

    /// The stream, if there is one that can be had.
    async fn stream(&self, url: Option<&str>) -> Option<UpstreamReply> {
        let place = Destination::parse(url?).ok()?;
        let mut headers = HeaderMap::new();
        if place.origin.eq_ignore_ascii_case(&self.asked.origin) {
            headers.clone_from(&self.headers);
        } else {
            let is_replicates = place.uri.scheme_str() == Some("https")
                && replicate::streams_at(self.asked.uri.host()?, place.uri.host()?);
            if !is_replicates {
                return None;
            }
            // The key stays with the host it is meant for.
            headers.extend(self.headers.get(USER_AGENT).map(|value| (USER_AGENT, value.clone())));
        }
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let reply = self.transport.send(&place, Method::GET, &headers, Bytes::new().into()).await.ok()?;
        reply.status.is_success().then_some(reply)
    }

    /// What is told of the prediction at `place`, `after` a while. Asking for it costs nothing and is tried again.
    async fn again(&self, place: &Destination, after: Duration) -> Result<Bytes, Fault> {
        let mut failures = 0;
        loop {
            tokio::time::sleep(after).await;
            let fault = match self.ask(place).await {
                Ok(told) => return Ok(told),
                Err(fault) => fault,
            };
            failures += 1;
            if failures == MOST_FAILURES || !(fault.status >= 500 || fault.status == 429) {
                return Err(fault);
            }
        }
    }

    async fn ask(&self, place: &Destination) -> Result<Bytes, Fault> {
        let reply = self.transport.send(place, Method::GET, &self.headers, Bytes::new().into()).await?;
        let told = reply.body.whole(self.limit).await?;
        match reply.status.is_success() {
            true => Ok(told),
            false => Err(codecs::fault(self.format, reply.status.as_u16(), None, &told)),
        }
    }
}

/// A finished prediction as the answer to the request for it; a stream of one line for whoever wants a stream.
fn finished(mut headers: Fields, told: Bytes, stream: bool) -> UpstreamReply {
    let mut told = told;
    if stream {
        headers.remove(CONTENT_TYPE.as_str());
        // Outside of its texts, where no line can end, JSON is the same with spaces for line ends.
        told = told.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
    }
    headers.remove(CONTENT_LENGTH.as_str());
    UpstreamReply { status: StatusCode::OK, headers, body: UpstreamBody::Made(Made::whole(told)) }
}

impl Cancel {
    /// Nothing is left to be ended.
    pub fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        let Some(parts) = self.0.take() else { return };
        // Without a runtime the process ends.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let (transport, place, headers) = *parts;
            let sent = transport.send(&place, Method::POST, &headers, Bytes::new().into());
            let status = match tokio::time::timeout(ENDING_TIME, sent).await {
                Ok(Ok(reply)) if reply.status.is_success() => return,
                Ok(Ok(reply)) => reply.status.to_string(),
                Ok(Err(fault)) => fault.message,
                Err(_) => "no answer".to_owned(),
            };
            tracing::warn!(%status, "a prediction that nobody waits for could not be ended");
        });
    }
}
