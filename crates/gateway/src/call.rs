//! One request, from its head to its settlement.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;
use wire::format::Operation;

use crate::endpoint::{self, Endpoint};
use crate::snapshot::Snapshot;

static CALL_ID: HeaderName = HeaderName::from_static("x-litellm-call-id");
static GOOGLES_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// One request. Holds the snapshot it began under.
#[derive(Debug)]
pub struct Call {
    /// Unique; the client's own when it sent a usable one.
    pub id: HeaderValue,
    /// Random bits for choices, drawn once.
    pub random: u64,
    /// The configuration in force when it began.
    pub snapshot: Arc<Snapshot>,
    /// What the path asks for.
    pub endpoint: Endpoint,
    /// The client's headers.
    pub headers: HeaderMap,
    /// Whether a stream is to be server-sent events. Google's clients say so, all others mean it.
    pub events: bool,
    /// When the request was complete.
    pub started: Instant,
    /// How long it has waited for upstreams so far.
    pub waited: Duration,
}

impl Call {
    /// A call that begins now.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>, endpoint: Endpoint, headers: HeaderMap) -> Self {
        let uuid = Uuid::now_v7();
        let id = headers.get(&CALL_ID).filter(|id| usable(id)).cloned().unwrap_or_else(|| {
            let mut text = Uuid::encode_buffer();
            HeaderValue::from_str(uuid.as_hyphenated().encode_lower(&mut text))
                .unwrap_or(HeaderValue::from_static("-"))
        });
        Self {
            id,
            // The variant and a counter stand in front of the random half of this word.
            random: uuid.as_u64_pair().1.rotate_left(32),
            snapshot,
            endpoint,
            headers,
            events: true,
            started: Instant::now(),
            waited: Duration::ZERO,
        }
    }

    /// Reads what Google's clients say in the query: how a stream is framed, and perhaps the key.
    pub fn read_googles_query(&mut self, query: &str) {
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        self.events = value("alt") == Some("sse");
        let key = value("key").filter(|key| !key.is_empty()).map(endpoint::decoded);
        if let Some(mut key) = key.and_then(|key| HeaderValue::from_str(&key).ok()) {
            key.set_sensitive(true);
            self.headers.entry(&GOOGLES_KEY).or_insert(key);
        }
    }

    /// The id as text.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// The operation asked for.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.endpoint.operation()
    }

    /// Our own time so far: everything but waiting for upstreams.
    #[must_use]
    pub fn overhead(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.waited)
    }
}

/// An id of the client's is taken over when it is short and plain: it ends up in headers and logs.
fn usable(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=128).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

/// Now, in milliseconds since 1970; 0 on a clock before that.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Now, in seconds since 1970; 0 on a clock before that.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
