use proptest::prelude::*;

use super::*;

fn drain(queue: &mut Queue<&'static str, &'static str>) -> String {
    std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>().join(" ")
}

#[test]
fn priority_first_then_parties_in_turn() {
    let mut queue = Queue::new(10);
    for (priority, party, call) in
        [(1, "a", "a1"), (1, "a", "a2"), (1, "a", "a3"), (1, "b", "b1"), (1, "b", "b2"), (0, "c", "c1")]
    {
        queue.push(priority, party, call).unwrap();
    }
    assert_eq!(drain(&mut queue), "c1 a1 b1 a2 b2 a3");
}

#[test]
fn a_full_queue_makes_room_for_who_holds_less_or_comes_first() {
    let mut queue = Queue::new(3);
    for call in ["a1", "a2", "a3"] {
        queue.push(1, "a", call).unwrap();
    }
    assert_eq!(queue.push(1, "a", "a4"), Err(Full("a4")));
    assert_eq!(queue.push(1, "b", "b1").unwrap().1, Some("a3"));
    assert_eq!(queue.push(1, "b", "b2"), Err(Full("b2")), "that would only turn it round");
    assert_eq!(queue.push(0, "a", "a0").unwrap().1, Some("a2"), "a higher priority always finds room");
    assert_eq!(queue.push(2, "c", "c1"), Err(Full("c1")));
    assert_eq!(drain(&mut queue), "a0 a1 b1");
}

#[test]
fn who_leaves_is_skipped() {
    let mut queue = Queue::new(9);
    let (first, _) = queue.push(1, "a", "a1").unwrap();
    queue.push(1, "b", "b1").unwrap();
    assert_eq!((queue.remove(first), queue.remove(first)), (Some("a1"), None));
    assert_eq!((queue.len(), drain(&mut queue)), (1, "b1".to_owned()));
}

proptest! {
    #[test]
    fn nothing_is_lost_and_the_bound_holds(steps in prop::collection::vec((any::<bool>(), 0_u8..3, 0_u8..4), 0..200)) {
        let mut queue = Queue::new(8);
        let (mut pushed, mut out) = (0, 0);
        for (push, priority, party) in steps {
            if push {
                pushed += 1;
                out += match queue.push(priority, party, ()) {
                    Ok((_, displaced)) => usize::from(displaced.is_some()),
                    Err(Full(())) => 1,
                };
            } else {
                out += usize::from(queue.pop().is_some());
            }
            prop_assert!(queue.len() <= 8 && queue.len() + out == pushed);
        }
        while queue.pop().is_some() {
            out += 1;
        }
        prop_assert!(queue.is_empty() && out == pushed);
    }
}
