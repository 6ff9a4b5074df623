//! What the provider received, in order of arrival, bounded in number.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::request::Parts;
use serde::Serialize;

/// The oldest requests are forgotten beyond either bound, so that a load test cannot exhaust memory.
const KEPT_REQUESTS: usize = 4096;
const KEPT_BYTES: usize = 256 * 1024 * 1024;

/// One request as it arrived.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedRequest {
    /// Counts from 0 since the start of the provider; also part of the reply's id.
    pub index: u64,
    /// Upper case.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark; empty when there is none.
    pub query: String,
    /// Names in lower case, in the order received, repeated names kept.
    pub headers: Vec<(String, String)>,
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub body: String,
    /// From the body's `model`, else from the path; empty when neither says.
    pub model: String,
    /// How the exchange went, as far as it is known now.
    pub ending: Ending,
}

impl RecordedRequest {
    /// The first header of that name (any case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// How an exchange went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Still being answered.
    Open,
    /// The reply was handed to the socket to its end, or to where the script cuts it.
    Complete,
    /// The client closed the connection before the reply's end.
    ClientGone,
}

#[derive(Default)]
pub(crate) struct Log {
    next_index: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    requests: VecDeque<(RecordedRequest, Arc<AtomicU8>)>,
    body_bytes: usize,
}

impl Kept {
    fn push(&mut self, request: RecordedRequest, ending: Arc<AtomicU8>) {
        self.body_bytes += request.body.len();
        self.requests.push_back((request, ending));
        while self.requests.len() > KEPT_REQUESTS || self.body_bytes > KEPT_BYTES {
            let Some((oldest, _)) = self.requests.pop_front() else { break };
            self.body_bytes -= oldest.body.len();
        }
    }
}

impl Log {
    /// Keeps a request. The returned watch must live as long as its reply.
    pub(crate) fn record(&self, parts: &Parts, body: &[u8], model: &str) -> Watch {
        let index = self.next_index.fetch_add(1, Ordering::Relaxed);
        let ending = Arc::new(AtomicU8::new(Ending::Open as u8));
        let request = RecordedRequest {
            index,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: header_pairs(&parts.headers),
            body: String::from_utf8_lossy(body).into_owned(),
            model: model.to_owned(),
            ending: Ending::Open,
        };
        self.lock().push(request, Arc::clone(&ending));
        Watch { index, ending }
    }

    /// The kept requests, oldest first; those of one model if it is named.
    pub(crate) fn requests(&self, model: Option<&str>) -> Vec<RecordedRequest> {
        let kept = self.lock();
        let wanted =
            kept.requests.iter().filter(|(request, _)| model.is_none_or(|name| request.model == name));
        wanted.map(|(request, ending)| RecordedRequest { ending: read(ending), ..request.clone() }).collect()
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rides the reply: dropped before [`Watch::complete`], it says that the client left.
pub(crate) struct Watch {
    pub(crate) index: u64,
    ending: Arc<AtomicU8>,
}

impl Watch {
    pub(crate) fn complete(&self) {
        self.ending.store(Ending::Complete as u8, Ordering::Release);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let (open, gone) = (Ending::Open as u8, Ending::ClientGone as u8);
        // A failed exchange means that the reply was already complete.
        let _ = self.ending.compare_exchange(open, gone, Ordering::AcqRel, Ordering::Relaxed);
    }
}

fn read(ending: &AtomicU8) -> Ending {
    let value = ending.load(Ordering::Acquire);
    [Ending::Complete, Ending::ClientGone]
        .into_iter()
        .find(|known| *known as u8 == value)
        .unwrap_or(Ending::Open)
}

pub(crate) fn header_pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    headers.iter().map(pair).collect()
}
