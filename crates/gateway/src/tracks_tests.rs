use super::*;

#[test]
fn a_track_outlives_a_snapshot_for_an_hour_and_no_longer() {
    let tracks = Tracks::default();
    let begun = Instant::now();
    let first = Arc::as_ptr(&tracks.of("one"));
    tracks.sweep(begun);
    tracks.sweep(begun + KEPT / 2);
    assert_eq!(Arc::as_ptr(&tracks.of("one")), first, "it came back within the hour");
    tracks.sweep(begun + KEPT);
    tracks.sweep(begun + KEPT * 3 / 2);
    assert!(tracks.0.lock().unwrap().tracks.contains_key("one"), "coming back begins a new hour");
    tracks.sweep(begun + KEPT * 2);
    assert!(tracks.0.lock().unwrap().tracks.is_empty());
}

#[test]
fn a_track_in_use_is_kept() {
    let tracks = Tracks::default();
    let held = tracks.of("one");
    let begun = Instant::now();
    tracks.sweep(begun);
    tracks.sweep(begun + KEPT * 2);
    assert!(Arc::ptr_eq(&held, &tracks.of("one")));
}
