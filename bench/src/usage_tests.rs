use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use super::*;

#[test]
fn burnt_time_shows_in_the_tree() {
    let before = of_tree(std::process::id()).unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(100) {
        black_box(start);
    }
    let after = of_tree(std::process::id()).unwrap();
    let burnt = after.cpu - before.cpu;
    // A busy machine may give us a fraction of the 100 ms.
    assert!(burnt >= Duration::from_millis(10) && burnt < Duration::from_secs(5), "{burnt:?}");
    assert!(after.rss_bytes > 1024 * 1024);
}

#[test]
fn children_count() {
    let alone = of_tree(std::process::id()).unwrap();
    let mut child = Command::new("sleep").arg("30").spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(5);
    let mut with_child = alone;
    while with_child.rss_bytes < alone.rss_bytes + 256 * 1024 && Instant::now() < patience {
        with_child = of_tree(std::process::id()).unwrap();
    }
    let own = of_tree(child.id()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(own.rss_bytes > 0 && with_child.rss_bytes >= alone.rss_bytes + 256 * 1024);
    assert_eq!(of_tree(child.id()).unwrap().rss_bytes, 0);
}
