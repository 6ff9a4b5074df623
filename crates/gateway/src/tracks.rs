//! What is known of each deployment right now, kept over reloads by the deployment's id. Not here: what follows from
//! it, see [`policy::route`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use policy::route::Track;

/// A track that no snapshot names is kept this long: a deployment that comes back is still known.
const KEPT: Duration = Duration::from_secs(3_600);
/// Ids that callers make up through wildcards are looked through at this many, and then at every doubling.
const FIRST_SWEEP: usize = 4_096;

/// The tracks of all deployments.
#[derive(Debug, Default)]
pub struct Tracks(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    tracks: HashMap<String, Held>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Held {
    track: Arc<Track>,
    /// Since when nobody names it.
    idle: Option<Instant>,
}

impl Tracks {
    /// The track of a deployment, made if there is none.
    #[must_use]
    pub fn of(&self, id: &str) -> Arc<Track> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = shelf.tracks.get_mut(id) {
            held.idle = None;
            return Arc::clone(&held.track);
        }
        if shelf.tracks.len() >= shelf.sweep_at.max(FIRST_SWEEP) {
            shelf.sweep(Instant::now());
            shelf.sweep_at = shelf.tracks.len() * 2;
        }
        let track = Arc::<Track>::default();
        shelf.tracks.insert(id.to_owned(), Held { track: Arc::clone(&track), idle: None });
        track
    }

    /// Drops what nobody has named for an hour before `now`.
    pub fn sweep(&self, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sweep(now);
    }
}

impl Shelf {
    fn sweep(&mut self, now: Instant) {
        self.tracks.retain(|_, held| {
            if Arc::strong_count(&held.track) > 1 {
                held.idle = None;
                return true;
            }
            now.saturating_duration_since(*held.idle.get_or_insert(now)) < KEPT
        });
    }
}

#[cfg(test)]
#[path = "tracks_tests.rs"]
mod tests;
