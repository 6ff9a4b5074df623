use super::*;

fn kept(bytes: usize) -> Kept {
    Kept::new(Owner::Master, Vec::new(), vec![b'x'; bytes].into())
}

#[test]
fn only_the_owner_sees_a_response_until_it_is_forgotten() {
    let shelf = Shelf::default();
    shelf.keep("resp_1".to_owned(), kept(3));
    assert_eq!(shelf.find("resp_1", Owner::Master).map(|kept| kept.response.len()), Some(3));
    assert!(shelf.find("resp_1", Owner::Open).is_none());
    assert!(!shelf.forget("resp_1", Owner::Open));
    assert!(shelf.forget("resp_1", Owner::Master));
    assert!(shelf.find("resp_1", Owner::Master).is_none());
    assert!(!shelf.forget("resp_1", Owner::Master));
}

#[test]
fn an_id_keeps_its_meaning() {
    let shelf = Shelf::default();
    shelf.keep("resp_1".to_owned(), kept(3));
    shelf.keep("resp_1".to_owned(), kept(5));
    assert_eq!(shelf.find("resp_1", Owner::Master).map(|kept| kept.response.len()), Some(3));
}

#[test]
fn the_oldest_make_room() {
    let shelf = Shelf::default();
    let each = MOST_RESPONSE;
    let fitting = MOST_BYTES / each;
    for index in 0..=fitting {
        shelf.keep(format!("resp_{index}"), kept(each));
    }
    assert!(shelf.find("resp_0", Owner::Master).is_none());
    assert!(shelf.find("resp_1", Owner::Master).is_some());
    assert!(shelf.find(&format!("resp_{fitting}"), Owner::Master).is_some());
    shelf.keep("too_large".to_owned(), kept(each + 1));
    assert!(shelf.find("too_large", Owner::Master).is_none());
}
