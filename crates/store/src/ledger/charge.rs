//! The money record of one call. How it is written is in [`super::codec`].

use std::borrow::Cow;

use policy::money::Cost;
use wire::reply::Usage;

/// What a call used and cost, and whose it was. Borrows its texts when it is recorded, owns them when it was
/// read. Texts are kept to their first 512 bytes; identifiers are far shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge<'a> {
    /// The call's id, by which an applied charge is recognised.
    pub call: Cow<'a, str>,
    /// When the call ended, in milliseconds of Unix time.
    pub ended_unix_ms: u64,
    /// The public name of the model group.
    pub model_group: Cow<'a, str>,
    /// The deployment's stable id.
    pub deployment: Cow<'a, str>,
    /// The provider's name.
    pub provider: Cow<'a, str>,
    /// The model as the upstream knows it.
    pub upstream_model: Cow<'a, str>,
    /// What was asked for, such as `chat`. A text, so that older readers can carry operations they do not know.
    pub operation: Cow<'a, str>,
    /// The hash of the caller's key; empty when callers are not identified.
    pub caller: Cow<'a, str>,
    /// What was used; `None` when the upstream did not say.
    pub usage: Option<Usage>,
    /// What it costs; `None` when it is unpriced or its usage is unknown, which is not the same as free.
    pub cost: Option<Cost>,
    /// How the call ended.
    pub ending: Ending,
    /// From the first byte of the request to the end of the reply.
    pub duration_ms: u64,
    /// Attempts after the first.
    pub retries: u32,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a complete reply.
    Complete,
    /// The client went away first.
    Abandoned,
    /// With a failure.
    Failed,
}
