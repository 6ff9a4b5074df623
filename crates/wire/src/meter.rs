//! Same-format replies of any format but OpenAI's chat, metered while they pass: what was used, whether the stream
//! is complete, whether a failure hides in a success, and where names lie that callers know otherwise. For OpenAI's
//! chat see [`crate::tap`].

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
    /// Where, in what was looked at last, names lie that callers know otherwise.
    fn names(&self) -> Names {
        Names::default()
    }
    /// What was used, as far as has been said.
    fn usage(&self) -> Option<Usage>;
}

/// Where the JSON texts of names lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Of an id that a later call may name.
    pub id: Option<Range<usize>>,
    /// Of the model.
    pub model: Option<Range<usize>>,
    /// Of the response before, which the request named.
    pub previous: Option<Range<usize>>,
}

impl Names {
    /// The same, of what begins at `start` of a text.
    pub(crate) fn behind(self, start: usize) -> Self {
        let behind = |place: Option<Range<usize>>| place.map(|place| start + place.start..start + place.end);
        Self { id: behind(self.id), model: behind(self.model), previous: behind(self.previous) }
    }
}
