//! Guessing passwords is slow: five tries a minute from one address, then none for five minutes. One for the process.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gateway::refusal::Refusal;

use crate::access::Refused;

const TRIES: u32 = 5;
const WINDOW: Duration = Duration::from_secs(60);
const BLOCK: Duration = Duration::from_secs(300);
/// Addresses that are remembered.
const MOST: usize = 10_000;

/// Tries by address.
pub(crate) static LOGINS: Throttle = Throttle { tries: Mutex::new(None) };

pub(crate) struct Throttle {
    tries: Mutex<Option<HashMap<IpAddr, Tries>>>,
}

struct Tries {
    count: u32,
    since: Instant,
    blocked: bool,
}

impl Throttle {
    /// Counts a try. It counts before its password is looked at, so that many at once are not free.
    pub(crate) fn enter(&self, source: IpAddr, now: Instant) -> Result<(), Refused> {
        let mut all = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let all = all.get_or_insert_default();
        if all.len() >= MOST {
            all.retain(|_, tries| !tries.is_over(now));
            if all.len() >= MOST {
                // A flood from everywhere: whoever has been waiting longest is let go.
                let oldest = all.iter().min_by_key(|(_, tries)| tries.since).map(|(source, _)| *source);
                oldest.and_then(|source| all.remove(&source));
            }
        }
        let tries = all.entry(source).or_insert(Tries { count: 0, since: now, blocked: false });
        if tries.is_over(now) {
            *tries = Tries { count: 0, since: now, blocked: false };
        }
        if tries.blocked {
            return Err(refused(BLOCK.saturating_sub(now.duration_since(tries.since))));
        }
        tries.count += 1;
        if tries.count > TRIES {
            *tries = Tries { count: 0, since: now, blocked: true };
            return Err(refused(BLOCK));
        }
        Ok(())
    }

    /// The password was right.
    pub(crate) fn forgive(&self, source: IpAddr) {
        if let Some(all) = self.tries.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            all.remove(&source);
        }
    }
}

impl Tries {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= if self.blocked { BLOCK } else { WINDOW }
    }
}

fn refused(wait: Duration) -> Refused {
    let mut refusal =
        Refusal::new(429, "Too many failed login attempts. Try again later.").with_kind("auth_error");
    refusal.retry_after = Some(wait.as_secs().max(1));
    refusal.into()
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
