use serde_json::json;

use super::*;

/// The empty message of the format's published test vectors: 16 bytes, no headers, no payload.
#[test]
fn checksums_are_those_of_the_published_empty_message() {
    let prelude = [0, 0, 0, 16, 0, 0, 0, 0];
    assert_eq!(checksum(&prelude), [0x05, 0xc2, 0x48, 0xeb]);
    let all = [&prelude[..], &[0x05, 0xc2, 0x48, 0xeb]].concat();
    assert_eq!(checksum(&all), [0x7d, 0x98, 0xc8, 0xff]);
}

#[test]
fn lengths_say_where_headers_and_payload_end() {
    let bytes = event("messageStart", &json!({"role": "assistant"}));
    let number =
        |at: usize| bytes[at..at + 4].iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    assert_eq!(number(0), bytes.len());
    let payload = &bytes[12 + number(4)..bytes.len() - 4];
    assert_eq!(payload, br#"{"role":"assistant"}"#);
}
