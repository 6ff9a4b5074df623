//! Calls that wait for a place in a group all of whose deployments take no more at once: the parties in turn.
//!
//! Bounded, and never for longer than the call's own timeout. Not here: who has a place, see [`policy::route::Pool`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use policy::route::queue::{Place, Queue};
use tokio::sync::oneshot;

/// Calls that may wait for one group.
const MOST: usize = 1_024;
/// A place may also come free by the calls of another group that shares a deployment, which wake nobody here.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The calls that wait for one group.
#[derive(Debug)]
pub(crate) struct Waiting(Mutex<Queue<Box<str>, oneshot::Sender<()>>>);

impl Default for Waiting {
    fn default() -> Self {
        Self(Mutex::new(Queue::new(MOST)))
    }
}

/// The queue is full, and this party has most of it.
#[derive(Debug)]
pub(crate) struct Full;

impl Waiting {
    /// Waits until a place may have come free, or a moment. `party` is who calls.
    pub(crate) async fn turn(&self, party: &str) -> Result<(), Full> {
        let (tell, told) = oneshot::channel();
        let place = {
            let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Who had to make room learns it by the sender's drop.
            queue.push(0, party.into(), tell).map_err(|_| Full)?.0
        };
        let leave = Leave { waiting: self, place };
        let told = tokio::time::timeout(LOOK_AGAIN, told).await;
        drop(leave);
        if matches!(told, Ok(Err(_))) { Err(Full) } else { Ok(()) }
    }

    /// Tells the next one that a place is free.
    pub(crate) fn wake(&self) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(next) = queue.pop() {
            if next.send(()).is_ok() {
                return;
            }
        }
    }
}

/// Takes a call out of the queue when it waits no longer, for whatever reason.
struct Leave<'a> {
    waiting: &'a Waiting,
    place: Place,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner).remove(self.place);
    }
}
