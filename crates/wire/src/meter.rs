//! Same-format replies of any format but OpenAI's, metered while they pass: what was used, whether the stream
//! is complete, whether a failure hides in a success. Nothing is changed on the way; for OpenAI's format,
//! whose model name is stamped anew, see [`crate::tap`].

use std::ops::Range;

use crate::codec::Read;
use crate::fault::Fault;
use crate::reply::Usage;

/// Meters one reply that passes through.
pub trait Meter: Send {
    /// Looks at a whole reply.
    ///
    /// # Errors
    /// A failure that the upstream reports inside a success, or that it is not a reply at all.
    fn whole(&mut self, text: &str) -> Result<(), Fault>;
    /// Looks at the data of one frame of a stream.
    fn frame(&mut self, data: &str) -> Read;
    /// Whether a stream whose bytes end here is complete, for formats that mark no end or hosts that forget to.
    fn is_complete(&self) -> bool;
    /// Where, in what was looked at last, the JSON text of an id lies that a later call may name.
    fn id(&self) -> Option<Range<usize>> {
        None
    }
    /// What was used, as far as has been said.
    fn usage(&self) -> Option<Usage>;
}
