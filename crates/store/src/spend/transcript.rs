//! What was said in calls, kept for people to read: shortened, without secrets and without files. It is not money: when
//! there is no room or no database, transcripts are dropped and counted, and nothing waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::redact::Redaction;
use crate::db::{Db, DbError};

/// Calls that may wait.
const MOST_WAITING: usize = 1_000;
/// Bytes that may wait.
const MOST_BYTES: usize = 64 << 20;
/// Of one call; what is longer is not looked at.
const LONGEST: usize = 8 << 20;
/// Calls of one transaction.
const BATCH: usize = 50;
const PAUSE: Duration = Duration::from_millis(500);

const ADD: &str = "INSERT INTO transcripts (request_id, at, messages, response, request) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (request_id) DO NOTHING";
const GET: &str = "SELECT messages, response, request FROM transcripts WHERE request_id = $1";

/// What was said in one call. Each is JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// The conversation, or whatever else was sent as input.
    pub messages: Value,
    /// The reply.
    pub response: Value,
    /// The whole request.
    pub request: Value,
}

struct Said {
    call: String,
    at_ms: i64,
    request: Vec<u8>,
    response: Vec<u8>,
}

/// Takes transcripts from calls. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Transcripts {
    queue: Sender<Said>,
    shared: Arc<Shared>,
}

/// Writes them.
pub struct Scribe {
    queue: Receiver<Said>,
    shared: Arc<Shared>,
    redaction: Redaction,
}

#[derive(Debug, Default)]
struct Shared {
    waiting_bytes: AtomicUsize,
    dropped: AtomicU64,
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Said").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Transcripts {
    /// A queue, and who empties it.
    #[must_use]
    pub fn new(redaction: Redaction) -> (Self, Scribe) {
        let (sender, queue) = channel(MOST_WAITING);
        let shared = Arc::<Shared>::default();
        (Self { queue: sender, shared: Arc::clone(&shared) }, Scribe { queue, shared, redaction })
    }

    /// Takes what was said in a call: bodies as they were sent, a stream's as its events. Never waits.
    pub fn offer(&self, call: &str, at_ms: i64, request: &[u8], response: &[u8]) {
        let bytes = request.len() + response.len();
        let waiting = self.shared.waiting_bytes.load(Ordering::Relaxed);
        if bytes > LONGEST || waiting.saturating_add(bytes) > MOST_BYTES {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let said =
            Said { call: call.to_owned(), at_ms, request: request.to_vec(), response: response.to_vec() };
        self.shared.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.queue.try_send(said).is_err() {
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were dropped since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Scribe {
    /// Writes until nobody can offer any more, and what waits then.
    pub async fn run(mut self, db: &Db) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.queue.recv_many(&mut batch, BATCH).await > 0 {
            let bytes: usize = batch.iter().map(|said| said.request.len() + said.response.len()).sum();
            let calls = batch.len() as u64;
            if let Err(error) = self.write(db, &batch).await {
                self.shared.dropped.fetch_add(calls, Ordering::Relaxed);
                tracing::warn!(%error, calls, "transcripts are dropped");
                tokio::time::sleep(PAUSE).await;
            }
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            batch.clear();
        }
    }

    async fn write(&self, db: &Db, batch: &[Said]) -> Result<(), DbError> {
        let mut tx = db.begin_apart().await?;
        for said in batch {
            let transcript = self.redaction.transcript(&said.request, &said.response);
            let texts =
                [&transcript.messages, &transcript.response, &transcript.request].map(Value::to_string);
            let [messages, response, request] = &texts;
            tx.execute(
                ADD,
                &[(&said.call).into(), said.at_ms.into(), messages.into(), response.into(), request.into()],
            )
            .await?;
        }
        tx.commit().await
    }
}

impl Redaction {
    /// Bodies as they are kept.
    #[must_use]
    pub fn transcript(&self, request: &[u8], response: &[u8]) -> Transcript {
        let request = self.body(request);
        let spoken = ["messages", "input", "contents", "prompt", "query"];
        let messages = spoken.iter().find_map(|name| request.get(name)).cloned().unwrap_or_default();
        Transcript { messages, response: self.body(response), request }
    }
}

impl Db {
    /// What was said in a call, if that was kept.
    ///
    /// # Errors
    /// The database's.
    pub async fn transcript(&self, call: &str) -> Result<Option<Transcript>, DbError> {
        let Some(row) = self.row(GET, &[call.into()]).await? else { return Ok(None) };
        let json =
            |column| row.text(column).map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)));
        Ok(Some(Transcript {
            messages: json("messages")?,
            response: json("response")?,
            request: json("request")?,
        }))
    }
}

/// When something was said, now, in milliseconds of Unix time.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Every statement of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    [ADD, GET].map(str::to_owned).into()
}
