//! The seam of embeddings: what every upstream format that makes vectors implements. The same shape as
//! [`crate::codec`], without streams, and with one difference: a format may need several requests for one.

use bytes::Bytes;

use crate::codec::Target;
use crate::embed::{EmbedRequest, EmbedResponse};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::malformed;
use crate::reply::Usage;

/// The upstream side of an embedding format: we speak it to a provider.
pub trait EmbedUpstream: Send + Sync {
    /// The format spoken.
    fn format(&self) -> Format;
    /// The request in this format, and the reader of its replies.
    ///
    /// # Errors
    /// When the request cannot be said at all. What can be said only in part is a [`Loss`] instead.
    fn encode(&self, request: &EmbedRequest, target: &Target<'_>) -> Result<EmbedOutbound, TranslateError>;
}

/// What to send, and who can read the answers.
pub struct EmbedOutbound {
    /// The bodies of independent requests to the same address, each for the next part of the input. One, unless
    /// the format takes fewer inputs a request than were given.
    pub bodies: Vec<Bytes>,
    /// Reads the replies to exactly these requests.
    pub reader: Box<dyn EmbedReader>,
    /// What the format could not say. Policy refuses the call or reports the loss.
    pub losses: Vec<Loss>,
}

/// Reads the replies to the requests of one [`EmbedOutbound`].
pub trait EmbedReader: Send + Sync {
    /// The meaning of the successful reply to the request at `part` of the bodies: a vector for each of its inputs.
    ///
    /// # Errors
    /// When the body is not a reply of this format, or holds another number of vectors.
    fn read(&self, part: usize, body: &[u8]) -> Result<EmbedResponse, TranslateError>;
}

/// The one reply that the replies to all parts, in their order, amount to.
#[must_use]
pub fn join(parts: impl IntoIterator<Item = EmbedResponse>) -> EmbedResponse {
    let mut parts = parts.into_iter();
    let mut whole = parts.next().unwrap_or_default();
    for part in parts {
        whole.vectors.extend(part.vectors);
        if let Some(used) = part.usage {
            let sum = whole.usage.get_or_insert(Usage::default());
            sum.input = sum.input.saturating_add(used.input);
        }
    }
    whole
}

/// `response`, if it has the `wanted` number of vectors.
pub(crate) fn counted(response: EmbedResponse, wanted: usize) -> Result<EmbedResponse, TranslateError> {
    let found = response.vectors.len();
    if found == wanted {
        return Ok(response);
    }
    Err(malformed("embeddings", &format!("{found} vectors came for {wanted} inputs")))
}
