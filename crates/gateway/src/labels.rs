//! What a call is for, beside its caller: the end user and the tags. Where they are read from is LiteLLM's order.

use std::sync::Arc;

use http::HeaderMap;
use http::header::HeaderName;
use policy::access::Asked;
use store::entity::CustomerFields;

use crate::auth::Caller;
use crate::call::Call;
use crate::directory::{Account, Held};
use crate::intake::Payload;
use crate::live::Live;
use crate::refusal::Refusal;

static CUSTOMER: HeaderName = HeaderName::from_static("x-litellm-customer-id");
static END_USER: HeaderName = HeaderName::from_static("x-litellm-end-user-id");
static SESSION: HeaderName = HeaderName::from_static("x-litellm-session-id");
static TRACE: HeaderName = HeaderName::from_static("x-litellm-trace-id");
static TAGS: HeaderName = HeaderName::from_static("x-litellm-tags");

/// Ids and tags longer than this are no ids.
const LONGEST: usize = 256;
/// More tags on one call are not kept.
const MOST_TAGS: usize = 32;

/// The end user and the tags of a call.
#[derive(Debug, Default)]
pub struct Labels {
    /// The end user's id.
    pub customer: Option<Box<str>>,
    /// Tags, without doubles.
    pub tags: Vec<String>,
    /// What groups calls of one conversation.
    pub session: Option<Box<str>>,
    known: Option<Arc<Held<CustomerFields>>>,
}

impl Labels {
    /// Reads them where anybody keeps books.
    ///
    /// # Errors
    /// 401 for an end user who is blocked.
    pub fn read(live: &Live, call: &Call, caller: &Caller, payload: &Payload) -> Result<Self, Refusal> {
        let Some(books) = live.books() else {
            if !call.snapshot.routing().reads_labels() {
                return Ok(Self::default());
            }
            let (tags, session) = (tags(call, caller, payload), session(&call.headers, payload));
            return Ok(Self { tags, session, ..Self::default() });
        };
        let customer = customer(&call.headers, payload);
        let known = customer.as_deref().and_then(|id| books.directory.customer(id));
        if let Some(blocked) = known.as_ref().filter(|known| known.record.fields.blocked) {
            return Err(Refusal::new(
                401,
                format!(
                    "Authentication Error, User not allowed to access proxy: End User={} is blocked.",
                    blocked.id()
                ),
            )
            .with_kind("auth_error")
            .with_param("user"));
        }
        Ok(Self {
            customer,
            tags: tags(call, caller, payload),
            session: session(&call.headers, payload),
            known,
        })
    }

    /// Whether the end user's list of models leaves this one out.
    pub(crate) fn customer_denies(&self, asked: Asked<'_>) -> bool {
        self.known.as_ref().is_some_and(|known| !known.models.allows(asked))
    }

    /// Adds the accounts of the end user and of tags that have any.
    pub(crate) fn accounts(&self, live: &Live, into: &mut Vec<Arc<Account>>) {
        into.extend(self.known.as_ref().map(|known| Arc::clone(&known.account)));
        let Some(books) = live.books() else { return };
        let tags = self.tags.iter().filter_map(|tag| books.directory.tag(tag));
        into.extend(tags.map(|tag| Arc::clone(&tag.account)));
    }
}

fn customer(headers: &HeaderMap, payload: &Payload) -> Option<Box<str>> {
    let of_headers = [&CUSTOMER, &END_USER].into_iter().find_map(|name| headers.get(name)?.to_str().ok());
    if let Some(id) = of_headers {
        return usable(id);
    }
    let envelope = &payload.envelope;
    if let Some(id) = envelope.text("user").filter(|id| !id.is_empty()) {
        return usable(&id);
    }
    #[derive(serde::Deserialize)]
    struct Metadata {
        user_id: Option<String>,
    }
    let of_metadata = envelope.raw("metadata").and_then(|_| envelope.get::<Metadata>("metadata"));
    if let Some(id) = of_metadata.and_then(|metadata| metadata.user_id) {
        return usable(&id);
    }
    usable(&envelope.text("safety_identifier")?)
}

fn session(headers: &HeaderMap, payload: &Payload) -> Option<Box<str>> {
    let of_headers = [&SESSION, &TRACE].into_iter().find_map(|name| headers.get(name)?.to_str().ok());
    if let Some(id) = of_headers {
        return usable(id);
    }
    let of_body =
        ["litellm_session_id", "litellm_trace_id"].iter().find_map(|name| payload.envelope.text(name));
    usable(&of_body?)
}

fn usable(id: &str) -> Option<Box<str>> {
    let id = id.trim();
    let end = id.floor_char_boundary(LONGEST);
    (!id.is_empty()).then(|| id[..end].into())
}

fn tags(call: &Call, caller: &Caller, payload: &Payload) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |tag: &str| {
        if let Some(tag) =
            usable(tag).map(String::from).filter(|tag| found.len() < MOST_TAGS && !found.contains(tag))
        {
            found.push(tag);
        }
    };
    #[derive(serde::Deserialize)]
    struct Tagged {
        tags: Option<Vec<String>>,
    }
    let envelope = &payload.envelope;
    for name in ["metadata", "litellm_metadata"] {
        let of_metadata = envelope.raw(name).and_then(|_| envelope.get::<Tagged>(name));
        of_metadata.and_then(|metadata| metadata.tags).iter().flatten().for_each(|tag| add(tag));
    }
    let of_body = envelope.raw("tags").and_then(|_| envelope.get::<Vec<String>>("tags"));
    of_body.iter().flatten().for_each(|tag| add(tag));
    let header = call.headers.get(&TAGS).and_then(|tags| tags.to_str().ok());
    header.into_iter().flat_map(|tags| tags.split(',')).for_each(&mut add);
    if let Some(resolved) = caller.key() {
        let of_key = resolved.key.extras.as_ref().map(|extras| &extras.tags);
        of_key.into_iter().flatten().for_each(|tag| add(tag));
        if let Some(team) = &resolved.who.team {
            let of_team = team.record.fields.metadata.get("tags").and_then(serde_json::Value::as_array);
            of_team.into_iter().flatten().filter_map(serde_json::Value::as_str).for_each(add);
        }
    }
    found
}
