//! The seam of reranking, in the shape of [`crate::codec`], without streams.

use bytes::Bytes;

use super::{RerankRequest, RerankResponse};
use crate::codec::Target;
use crate::fault::{Loss, TranslateError};
use crate::format::Format;

/// The upstream side of a reranking format: we speak it to a provider.
pub trait RerankUpstream: Send + Sync {
    /// The format spoken.
    fn format(&self) -> Format;
    /// The request in this format, and the reader of its reply.
    ///
    /// # Errors
    /// When the request cannot be said at all. What can be said only in part is a [`Loss`] instead.
    fn encode(&self, request: &RerankRequest, target: &Target<'_>) -> Result<RerankOutbound, TranslateError>;
}

/// What to send, and who can read the answer.
pub struct RerankOutbound {
    /// The request's body.
    pub body: Bytes,
    /// Reads the reply to exactly this request.
    pub reader: Box<dyn RerankReader>,
    /// What the format could not say. Policy refuses the call or reports the loss.
    pub losses: Vec<Loss>,
}

/// Reads the reply to one request.
pub trait RerankReader: Send + Sync {
    /// The meaning of a successful reply.
    ///
    /// # Errors
    /// When the body is not a reply of this format, or speaks of documents that were not sent.
    fn read(&self, body: &[u8]) -> Result<RerankResponse, TranslateError>;
}
