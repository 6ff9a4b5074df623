//! Five tries, then a pause; other addresses are not concerned.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{MOST, Throttle};

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(number).into()
}

#[test]
fn the_sixth_try_of_a_minute_is_refused_for_five() {
    let throttle = Throttle { tries: Mutex::new(None) };
    let begun = Instant::now();
    let tried =
        |source: u32, second: u64| throttle.enter(address(source), begun + Duration::from_secs(second));
    for second in 0..5 {
        assert!(tried(1, second).is_ok());
    }
    let refused = tried(1, 5).unwrap_err().0;
    assert_eq!((refused.status, refused.retry_after), (429, Some(300)));
    assert!(tried(2, 5).is_ok());
    assert_eq!(tried(1, 304).unwrap_err().0.retry_after, Some(1));
    assert!(tried(1, 305).is_ok());
}

#[test]
fn a_right_password_and_a_quiet_minute_begin_anew() {
    let throttle = Throttle { tries: Mutex::new(None) };
    let begun = Instant::now();
    for second in [0, 1, 2, 3, 4, 60, 61, 62, 63, 64] {
        assert!(throttle.enter(address(1), begun + Duration::from_secs(second)).is_ok(), "{second}");
    }
    throttle.forgive(address(1));
    assert!(throttle.enter(address(1), begun + Duration::from_secs(65)).is_ok());
}

#[test]
fn addresses_without_end_take_no_memory_without_end() {
    let throttle = Throttle { tries: Mutex::new(None) };
    let now = Instant::now();
    for source in 0..u32::try_from(MOST).unwrap() + 100 {
        assert!(throttle.enter(address(source), now).is_ok());
    }
    assert_eq!(throttle.tries.lock().unwrap().as_ref().unwrap().len(), MOST);
}
