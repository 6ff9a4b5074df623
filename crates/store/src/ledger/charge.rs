//! The money record of one call. How it is written is in [`super::codec`].

use std::borrow::Cow;

use policy::money::Cost;
use wire::reply::Usage;

/// What a call used and cost, and whose it was. Borrows its texts when it is recorded, owns them when it was
/// read. Texts are kept to their first 512 bytes; identifiers are far shorter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// LiteLLM's name of the kind of call, such as `acompletion`.
    pub route: Cow<'a, str>,
    /// What people call the caller's key; as all that follow, empty when there is none.
    pub key_alias: Cow<'a, str>,
    /// The user behind the key.
    pub user: Cow<'a, str>,
    /// The key's team.
    pub team: Cow<'a, str>,
    /// The key's organization.
    pub organization: Cow<'a, str>,
    /// The key's project.
    pub project: Cow<'a, str>,
    /// The end user of the application that called.
    pub end_user: Cow<'a, str>,
    /// Labels, at most [`Charge::MAX_TAGS`] of which are kept, 128 bytes each.
    pub tags: Cow<'a, [String]>,
    /// Where the upstream is.
    pub api_base: Cow<'a, str>,
    /// What groups calls of one conversation.
    pub session: Cow<'a, str>,
    /// The address that asked.
    pub requester_ip: Cow<'a, str>,
    /// The id that the provider gave the reply.
    pub response_id: Cow<'a, str>,
    /// The kind of failure, such as `RateLimitError`.
    pub error_class: Cow<'a, str>,
    /// What the failure said.
    pub error_message: Cow<'a, str>,
    /// The HTTP status that the client saw; 0 when it saw none.
    pub status: u16,
    /// From the first byte of the request to the first token of the reply, where that was seen.
    pub first_token_ms: Option<u64>,
    /// The reply was a stream.
    pub stream: bool,
    /// Whether a cache answered; `None` when none was asked.
    pub cache_hit: Option<bool>,
    /// What is known of the price.
    pub pricing: Pricing,
}

impl Charge<'_> {
    /// The most tags of one call.
    pub const MAX_TAGS: usize = 32;

    /// When the call began, in milliseconds of Unix time.
    #[must_use]
    pub const fn started_unix_ms(&self) -> u64 {
        self.ended_unix_ms.saturating_sub(self.duration_ms)
    }
}

/// What is known of a call's price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pricing {
    /// Nothing: its cost is missing, not zero.
    #[default]
    Unpriced,
    /// It is in the price book, or the provider told it.
    Priced,
    /// The model costs nothing.
    Free,
    /// A cache answered, which costs nothing.
    Cached,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// With a complete reply.
    #[default]
    Complete,
    /// The client went away first.
    Abandoned,
    /// With a failure.
    Failed,
}
