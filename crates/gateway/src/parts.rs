//! Requests that stand for one: vectors asked for in parts, because an upstream takes fewer inputs at once. A few are
//! on their way at a time, and their answers are put together in order. Not here: how the input is cut, which is the
//! format's matter.

use std::borrow::Cow;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method};
use wire::codecs;
use wire::embed::EmbedResponse;
use wire::embed_codec::{self, EmbedReader};
use wire::envelope::Envelope;
use wire::fault::{Fault, TranslateError};
use wire::format::Format;
use wire::reply::Usage;

use crate::credential::Credential;
use crate::fields::Fields;
use crate::transport::{Destination, Transport};
use crate::{count, exchange, sign_in};

/// So many parts are on their way at once.
const AT_ONCE: usize = 8;

/// The parts of a request, all to one address.
pub(crate) struct Parts<'a> {
    pub(crate) to: &'a Destination,
    pub(crate) headers: &'a HeaderMap,
    /// What signs each of them, where a plain key is not enough.
    pub(crate) credential: Option<&'a Credential>,
    pub(crate) spoken: Format,
    pub(crate) bodies: Vec<Bytes>,
    pub(crate) reader: &'a dyn EmbedReader,
}

impl Parts<'_> {
    /// Sends all of them. The first that fails ends the others. Their answers have at most `most` bytes together.
    ///
    /// Returns the headers of the first part's answer, or of the one that failed.
    pub(crate) async fn send(
        self,
        transport: &Transport,
        most: usize,
    ) -> (Fields, Result<EmbedResponse, Fault>) {
        let share = most / self.bodies.len().clamp(1, AT_ONCE);
        // Made before the stream is: a closure inside of it would keep the whole call from moving between threads.
        let parts: Vec<_> = (0..self.bodies.len()).map(|part| self.one(transport, part, share)).collect();
        let mut arriving = stream::iter(parts).buffered(AT_ONCE);
        let (mut first, mut size) = (None, 0_usize);
        let mut answers = Vec::with_capacity(self.bodies.len());
        while let Some((headers, answer)) = arriving.next().await {
            let (length, answer) = match answer {
                Ok(answer) => answer,
                Err(fault) => return (headers, Err(fault)),
            };
            size += length;
            if size > most {
                let message = format!("the answers are larger than the limit of {most} bytes");
                return (headers, Err(Fault::malformed(message)));
            }
            answers.push(answer);
            first.get_or_insert(headers);
        }
        (first.unwrap_or_default(), Ok(embed_codec::join(answers)))
    }

    /// Sends one. Returns the headers of the answer, its length in bytes and its meaning.
    async fn one(
        &self,
        transport: &Transport,
        part: usize,
        most: usize,
    ) -> (Fields, Result<(usize, EmbedResponse), Fault>) {
        let body = self.bodies.get(part).cloned().unwrap_or_default();
        let sent = async {
            let mut headers = Cow::Borrowed(self.headers);
            if let Some(credential) = self.credential {
                sign_in::sign(credential, self.to, &Method::POST, headers.to_mut(), &body).await?;
            }
            transport.send(self.to, Method::POST, &headers, body.into()).await
        };
        let reply = match sent.await {
            Ok(reply) => reply,
            Err(fault) => return (Fields::default(), Err(fault)),
        };
        let (status, headers) = (reply.status, reply.headers);
        let bytes = match reply.body.whole(most).await {
            Ok(bytes) => bytes,
            Err(_) if !status.is_success() => Bytes::new(),
            Err(fault) => return (headers, Err(fault)),
        };
        if !status.is_success() {
            let exception = exchange::exception(&headers);
            let fault = codecs::fault(self.spoken, status.as_u16(), exception, &bytes);
            return (headers, Err(fault));
        }
        let answer = exchange::uncompressed(&headers).and_then(|()| {
            let read = self.reader.read(part, &bytes);
            let mut response = read.map_err(|error| exchange::unreadable(&error))?;
            response.usage = response.usage.or_else(|| counted_beside(&headers));
            Ok((bytes.len(), response))
        });
        (headers, answer)
    }
}

/// What Bedrock counts beside a reply that says nothing itself.
pub(crate) fn counted_beside(headers: &Fields) -> Option<Usage> {
    let input = headers.get("x-amzn-bedrock-input-token-count")?.parse().ok()?;
    Some(Usage { input, ..Usage::default() })
}

/// Reads replies that count nothing: the input was counted here in their place.
struct CountedHere {
    reader: Box<dyn EmbedReader>,
    estimate: Usage,
}

impl EmbedReader for CountedHere {
    fn read(&self, part: usize, body: &[u8]) -> Result<EmbedResponse, TranslateError> {
        let mut response = self.reader.read(part, body)?;
        // The parts are added up, and the estimate is of all of them.
        if part == 0 {
            response.usage.get_or_insert(self.estimate);
        }
        Ok(response)
    }
}

/// `reader`, with an estimate of the tokens of the `input` of `request` where a reply does not say how many they were.
pub(crate) async fn counted_here(reader: Box<dyn EmbedReader>, request: &Envelope) -> Box<dyn EmbedReader> {
    let texts: Vec<String> =
        request.get("input").or_else(|| Some(vec![request.get("input")?])).unwrap_or_default();
    let input = count::estimate_text(texts.join("\n")).await;
    Box::new(CountedHere { reader, estimate: Usage { input, ..Usage::default() } })
}
