use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::super::tests::{Hand, NOW, eventually};
use super::*;

/// A source that counts, and waits for leave where it is told to.
#[derive(Clone)]
struct Origin {
    fetches: Arc<AtomicUsize>,
    leave: Arc<Semaphore>,
    fails: Arc<std::sync::atomic::AtomicBool>,
    hand: Hand,
}

impl Origin {
    fn new(permits: usize) -> Self {
        Self {
            fetches: Arc::default(),
            leave: Arc::new(Semaphore::new(permits)),
            fails: Arc::default(),
            hand: Hand::new(),
        }
    }

    /// The number of the fetch, good for an hour.
    fn cached(&self) -> Arc<Cached<usize>> {
        let origin = self.clone();
        Arc::new(Cached::new(self.hand.clock(), move || {
            let origin = origin.clone();
            async move {
                let number = origin.fetches.fetch_add(1, Ordering::SeqCst) + 1;
                origin.leave.acquire().await.unwrap().forget();
                if origin.fails.load(Ordering::SeqCst) {
                    return Err(CredentialError::Nowhere { looked_at: format!("fetch {number}") });
                }
                Ok(Fetched { value: number, expires: Some(origin.hand.clock().now() + 3600) })
            }
        }))
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn many_callers_are_served_by_one_fetch() {
    let origin = Origin::new(1);
    let cached = origin.cached();
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let cached = Arc::clone(&cached);
            tokio::spawn(async move { *cached.get().await.unwrap() })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(origin.fetches(), 1);
}

#[tokio::test]
async fn near_its_end_a_value_is_replaced_while_callers_go_on_with_it() {
    let origin = Origin::new(1);
    let cached = origin.cached();
    assert_eq!(*cached.get().await.unwrap(), 1);
    origin.hand.advance(3600 - 300);
    for _ in 0..10 {
        assert_eq!(*cached.get().await.unwrap(), 1, "the source does not answer and nobody waits for it");
        tokio::task::yield_now().await;
    }
    assert_eq!(origin.fetches(), 2, "one replacement is under way");
    origin.leave.add_permits(1);
    eventually(async || *cached.get().await.unwrap() == 2).await;
}

#[tokio::test]
async fn a_failed_replacement_leaves_the_value_until_its_end() {
    let origin = Origin::new(100);
    let cached = origin.cached();
    assert_eq!(*cached.get().await.unwrap(), 1);
    origin.fails.store(true, Ordering::SeqCst);
    origin.hand.advance(3600 - 300);
    for _ in 0..20 {
        assert_eq!(*cached.get().await.unwrap(), 1);
        tokio::task::yield_now().await;
    }
    assert_eq!(origin.fetches(), 2, "a source that has just failed is left alone");
    origin.hand.advance(TRY_AGAIN);
    cached.get().await.unwrap();
    eventually(async || origin.fetches() == 3).await;
    origin.hand.advance(300);
    assert!(cached.get().await.is_err(), "a value that has run out is not given out");
    origin.fails.store(false, Ordering::SeqCst);
    origin.hand.advance(FAILURE_KEPT);
    assert!(cached.get().await.is_ok());
}

#[tokio::test]
async fn callers_who_waited_share_one_failure() {
    let origin = Origin::new(0);
    origin.fails.store(true, Ordering::SeqCst);
    let cached = origin.cached();
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let cached = Arc::clone(&cached);
            tokio::spawn(async move { cached.get().await.unwrap_err() })
        })
        .collect();
    eventually(async || origin.fetches() == 1).await;
    origin.leave.add_permits(100);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), CredentialError::Nowhere { looked_at: "fetch 1".to_owned() });
    }
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_leave_the_others_waiting() {
    let origin = Origin::new(0);
    let cached = origin.cached();
    let first = tokio::spawn({
        let cached = Arc::clone(&cached);
        async move { cached.get().await.map(|value| *value) }
    });
    eventually(async || origin.fetches() == 1).await;
    first.abort();
    origin.leave.add_permits(1);
    assert_eq!(*cached.get().await.unwrap(), 2);
}

#[test]
fn replacement_is_due_before_the_end_and_not_everywhere_at_once() {
    let due = |lifetime: u64, random| NOW + lifetime - renewal(NOW, Some(NOW + lifetime), random);
    assert_eq!(due(3600, 0), 300);
    assert_eq!(due(3600, 255), 300 + 74);
    assert_eq!(due(900, 0), 225);
    assert_eq!(due(60, 0), 15);
    assert_eq!(renewal(NOW, Some(NOW - 5), 9), NOW - 5, "a source that gives what has run out");
    assert_eq!(renewal(NOW, None, 0), NOW + LOOK_AGAIN);
}
