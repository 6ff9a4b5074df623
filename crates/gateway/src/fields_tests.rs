use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY};

use super::{Decimal, Fields};

fn parsed(head: &[(&str, &[u8])]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in head {
        fields.push_parsed(&httparse::Header { name, value });
    }
    fields
}

#[test]
fn fields_are_written_found_removed_and_passed_on() {
    let mut upstream =
        parsed(&[("Content-Type", b"text/plain"), ("X-A", b"1: 2"), ("x-a", b""), ("X-B", b"\xe9")]);
    assert_eq!(upstream.as_bytes(), b"content-type: text/plain\r\nx-a: 1: 2\r\nx-a: \r\nx-b: \xe9\r\n");
    assert_eq!(upstream.get("x-a"), Some("1: 2"));
    assert_eq!((upstream.get("x-b"), upstream.get("x")), (Some("?"), None));
    upstream.remove("x-a");
    let mut ours = Fields::default();
    ours.push(&VARY, &HeaderValue::from_static("Origin"));
    for field in upstream.iter() {
        ours.push_under("up-", field);
    }
    ours.extend(&upstream);
    assert_eq!(
        ours.as_bytes(),
        b"vary: Origin\r\nup-content-type: text/plain\r\nup-x-b: \xe9\r\ncontent-type: text/plain\r\nx-b: \xe9\r\n"
    );
}

#[test]
fn in_a_map_they_make_way_for_what_is_there() {
    let fields = parsed(&[("a", b"1"), ("b", b"2"), ("a", b"3"), ("vary", b"x")]);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(HeaderName::from_static("b"), HeaderValue::from_static("here"));
    fields.spread(&mut headers);
    let all =
        |name: &str| headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(all("a"), ["1", "3"]);
    assert_eq!((all("b"), all("vary"), all("content-type")), (vec!["here"], vec!["x"], vec!["text/plain"]));
}

#[test]
fn decimals_as_a_person_writes_them() {
    for (value, places, text) in [
        (70_000, 9, "0.00007"),
        (0, 9, "0"),
        (1, 9, "0.000000001"),
        (1_500_000_000, 9, "1.5"),
        (20_000_000_000, 9, "20"),
        (u64::MAX, 9, "18446744073.709551615"),
        (6_000_000, 3, "6000"),
        (7, 0, "7"),
    ] {
        assert_eq!(HeaderValue::from(Decimal::new(value, places, 0)), text);
    }
    for (micros, text) in [(0, "0.000"), (7, "0.007"), (1_230, "1.230"), (12_000_000, "12000.000")] {
        let micros = Duration::from_micros(micros).as_micros() as u64;
        assert_eq!(HeaderValue::from(Decimal::new(micros, 3, 3)), text);
    }
}
