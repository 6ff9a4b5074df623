//! A value that is fetched, kept, and replaced before it runs out.
//!
//! One fetch at a time. While the old value holds, nobody waits: the fetch runs in the background and its
//! failure leaves the old value in place. Without a value callers wait for the one fetch, and share its failure.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use super::{Clock, CredentialError};

/// What never runs out is looked at again after this many seconds: files are rotated.
const LOOK_AGAIN: u64 = 900;
/// A value is replaced at most this many seconds before its end.
const MOST_LEAD: u64 = 300;
/// Seconds a failure is remembered.
const FAILURE_KEPT: u64 = 5;
/// Seconds to the next try while the old value still holds.
const TRY_AGAIN: u64 = 20;

type Fetching<T> = Pin<Box<dyn Future<Output = Result<Fetched<T>, CredentialError>> + Send>>;

/// A value fresh from its source.
#[derive(Debug)]
pub(super) struct Fetched<T> {
    pub(super) value: T,
    /// Seconds since 1970.
    pub(super) expires: Option<u64>,
}

pub(super) struct Cached<T> {
    clock: Clock,
    fetch: Box<dyn Fn() -> Fetching<T> + Send + Sync>,
    kept: ArcSwapOption<Kept<T>>,
    /// Held by whoever fetches.
    turn: Arc<Mutex<Turn>>,
}

struct Kept<T> {
    value: Arc<T>,
    renew: u64,
    expires: Option<u64>,
}

#[derive(Default)]
struct Turn {
    failure: Option<(u64, CredentialError)>,
}

impl<T: Send + Sync + 'static> Cached<T> {
    pub(super) fn new<F, Fut>(clock: Clock, fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Fetched<T>, CredentialError>> + Send + 'static,
    {
        Self {
            clock,
            fetch: Box::new(move || Box::pin(fetch())),
            kept: ArcSwapOption::empty(),
            turn: Arc::default(),
        }
    }

    pub(super) async fn get(self: &Arc<Self>) -> Result<Arc<T>, CredentialError> {
        let now = self.clock.now();
        if let Some(kept) = self.kept.load().as_ref()
            && kept.holds(now)
        {
            if now >= kept.renew {
                self.renew(now);
            }
            return Ok(Arc::clone(&kept.value));
        }
        self.wait().await
    }

    /// Replaces the value in the background, unless somebody is at it or has just failed.
    fn renew(self: &Arc<Self>, now: u64) {
        let Ok(mut turn) = Arc::clone(&self.turn).try_lock_owned() else { return };
        if turn.failure.as_ref().is_some_and(|(at, _)| now < at + TRY_AGAIN) {
            return;
        }
        let cached = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = cached.fetch(&mut turn).await {
                tracing::warn!(%error, "a credential could not be renewed; the old one is used while it is valid");
            }
        });
    }

    async fn wait(&self) -> Result<Arc<T>, CredentialError> {
        let mut turn = self.turn.lock().await;
        let now = self.clock.now();
        if let Some(kept) = self.kept.load().as_ref()
            && kept.holds(now)
        {
            return Ok(Arc::clone(&kept.value));
        }
        match &turn.failure {
            Some((at, error)) if now < at + FAILURE_KEPT => Err(error.clone()),
            _ => self.fetch(&mut turn).await,
        }
    }

    async fn fetch(&self, turn: &mut Turn) -> Result<Arc<T>, CredentialError> {
        let fetched = (self.fetch)().await;
        let now = self.clock.now();
        let Fetched { value, expires } = match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                turn.failure = Some((now, error.clone()));
                return Err(error);
            }
        };
        turn.failure = None;
        let value = Arc::new(value);
        let renew = renewal(now, expires, random());
        self.kept.store(Some(Arc::new(Kept { value: Arc::clone(&value), renew, expires })));
        Ok(value)
    }
}

impl<T> Kept<T> {
    fn holds(&self, now: u64) -> bool {
        // A request that leaves in the last second arrives too late.
        self.expires.is_none_or(|expires| now + 1 < expires)
    }
}

/// When to replace a value: a quarter of its life before its end, at most five minutes, and a random part of
/// that earlier, so that processes that started together do not ask together.
fn renewal(now: u64, expires: Option<u64>, random: u8) -> u64 {
    let Some(expires) = expires else { return now + LOOK_AGAIN };
    let lead = (expires.saturating_sub(now) / 4).min(MOST_LEAD);
    expires - lead - lead * u64::from(random) / 1024
}

fn random() -> u8 {
    let mut byte = [0];
    // Without randomness processes merely renew at the same time.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte[0]
}

impl<T> fmt::Debug for Cached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
