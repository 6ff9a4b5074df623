//! Every way of cutting the same bytes into reads gives the same frames.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Cutter, FrameError, Framing};

fn frames(framing: Framing, reads: &[&[u8]]) -> Vec<(String, String)> {
    let mut cutter = Cutter::new(framing, 1 << 20);
    let mut found = Vec::new();
    let mut scratch = String::new();
    let mut take = |cut: super::Cut| {
        if let Some(frame) = cut.frame(&mut scratch).unwrap() {
            found.push((frame.event.to_owned(), frame.data.to_owned()));
        }
    };
    for read in reads {
        cutter.push(Bytes::copy_from_slice(read));
        while let Some(cut) = cutter.next().unwrap() {
            take(cut);
        }
    }
    if let Some(cut) = cutter.rest() {
        take(cut);
    }
    found
}

fn pair(event: &str, data: &str) -> (String, String) {
    (event.to_owned(), data.to_owned())
}

#[test]
fn events_in_every_line_ending() {
    for newline in ["\n", "\r\n", "\r"] {
        let text = "\u{feff}: hello\n\nevent: ping\ndata: {}\n\ndata:1\ndata: 2\nid: 7\n\ndata\n\ndata: last"
            .replace('\n', newline);
        let expected = vec![pair("ping", "{}"), pair("", "1\n2"), pair("", ""), pair("", "last")];
        assert_eq!(frames(Framing::Sse, &[text.as_bytes()]), expected, "whole, {newline:?}");
        let bytewise: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(frames(Framing::Sse, &bytewise), expected, "bytewise, {newline:?}");
    }
}

#[test]
fn raw_bytes_are_passed_on_unchanged() {
    let text = b": c\r\n\r\ndata: a\n\n\n\ndata: b\n\ntail";
    let mut cutter = Cutter::new(Framing::Sse, 1 << 20);
    let mut out = Vec::new();
    for chunk in text.chunks(3) {
        cutter.push(Bytes::copy_from_slice(chunk));
        while let Some(cut) = cutter.next().unwrap() {
            out.extend_from_slice(&cut.raw);
        }
    }
    out.extend_from_slice(&cutter.rest().unwrap().raw);
    assert_eq!(out, text);
}

#[test]
fn an_endless_line_is_refused_in_bounded_memory() {
    for framing in [Framing::Sse, Framing::Lines] {
        let mut cutter = Cutter::new(framing, 1000);
        let mut result = Ok(None);
        for _ in 0..3 {
            cutter.push(Bytes::from(vec![b'x'; 400]));
            result = cutter.next();
        }
        assert_eq!(result, Err(FrameError::TooLarge(1000)));
    }
}

#[test]
fn invalid_utf8_is_an_error_of_the_frame() {
    let mut cutter = Cutter::new(Framing::Lines, 1000);
    cutter.push(Bytes::from_static(b"{\"a\":\"\xff\"}\n"));
    let cut = cutter.next().unwrap().unwrap();
    assert_eq!(cut.frame(&mut String::new()), Err(FrameError::NotUtf8));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(
        parts in prop::collection::vec("(data: [a-z]{0,5}|event: [a-z]{1,3}|: c|\n|\r\n|\r|\n\n)", 0..30),
        cuts in prop::collection::vec(1usize..7, 1..20),
        lines in any::<bool>(),
    ) {
        let framing = if lines { Framing::Lines } else { Framing::Sse };
        let text = parts.concat();
        let mut reads: Vec<&[u8]> = Vec::new();
        let mut rest = text.as_bytes();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break }
            let (head, tail) = rest.split_at((*cut).min(rest.len()));
            reads.push(head);
            rest = tail;
        }
        prop_assert_eq!(frames(framing, &reads), frames(framing, &[text.as_bytes()]));
    }
}

/// Messages from Amazon's published test vectors for the encoding, in hexadecimal.
const ALL_HEADERS: &str = "000000960000007a8bb495fb0474727565000566616c736501046279746502320573686f7274034e2003696e74\
    040007a120046c6f6e67050000000ba43b740005627974657306000a736f6d6520627974657303737472070008736f6d65207374720474\
    696d6508000000012a05f200047575696409b79bc914de214e13b8b2bc47e85b7f0b736f6d65207061796c6f616401a05860";
const NO_HEADERS: &str = "0000002400000000516356ad616e6f746865722074657374207061796c6f61648df80e65";
const NO_PAYLOAD: &str = "0000001f0000000f172dc2ab0b736f6d652d6865616465720301f4933c5cad";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn published_aws_messages_are_read_at_any_cut() {
    let stream = bytes(&[ALL_HEADERS, NO_HEADERS, NO_PAYLOAD].concat());
    let expected = vec![pair("", "some payload"), pair("", "another test payload"), pair("", "")];
    assert_eq!(frames(Framing::AwsEvents, &[&stream]), expected);
    assert_eq!(frames(Framing::AwsEvents, &stream.chunks(1).collect::<Vec<_>>()), expected);
    assert_eq!(frames(Framing::AwsEvents, &[&stream[..stream.len() - 1]]), expected[..2]);
}

#[test]
fn damaged_aws_messages_are_refused() {
    let valid = bytes(ALL_HEADERS);
    let with = |at: usize, new: &[u8], length: usize| {
        let mut damaged = valid.clone();
        damaged[at..at + new.len()].copy_from_slice(new);
        let mut cutter = Cutter::new(Framing::AwsEvents, length);
        cutter.push(Bytes::from(damaged));
        cutter.next().and_then(|cut| cut.unwrap().frame(&mut String::new()).map(|frame| frame.is_some()))
    };
    assert_eq!(with(0, &[], 150), Ok(true));
    assert_eq!(with(0, &[], 149), Err(FrameError::TooLarge(149)));
    assert_eq!(with(8, b"\xde\xad\xbe\xef", 150), Err(FrameError::Damaged), "checksum of the prelude");
    assert_eq!(with(146, b"\xde\xad\xbe\xef", 150), Err(FrameError::Damaged), "checksum of the message");
    assert_eq!(with(18, &[255], 150), Err(FrameError::Damaged), "a changed header");
}

#[test]
fn aws_headers_that_run_over_are_refused_although_the_checksums_hold() {
    for headers in [&b"\xffname"[..], b"\x04name", b"\x04name\x0a", b"\x04name\x07\xff\xff"] {
        let mut message = Vec::new();
        message.extend_from_slice(&(headers.len() as u32 + 16).to_be_bytes());
        message.extend_from_slice(&(headers.len() as u32).to_be_bytes());
        message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
        message.extend_from_slice(headers);
        message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
        let mut cutter = Cutter::new(Framing::AwsEvents, 1000);
        cutter.push(Bytes::from(message));
        assert_eq!(cutter.next().unwrap().unwrap().frame(&mut String::new()), Err(FrameError::Damaged));
    }
}

#[test]
fn an_announced_length_is_refused_before_it_is_gathered() {
    let mut prelude = u32::MAX.to_be_bytes().to_vec();
    prelude.extend_from_slice(&0_u32.to_be_bytes());
    prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
    let mut cutter = Cutter::new(Framing::AwsEvents, 1 << 20);
    cutter.push(Bytes::from(prelude));
    assert_eq!(cutter.next(), Err(FrameError::TooLarge(1 << 20)));
}

#[test]
fn aws_events_and_failures_are_told_apart() {
    let failure = super::aws_message("exception/throttlingException", br#"{"message":"Slow down."}"#);
    let stream = [super::aws_message("messageStop", b"{}"), failure].concat();
    let found = frames(Framing::AwsEvents, &[&stream]);
    assert_eq!(found[0], pair("messageStop", "{}"));
    assert_eq!(found[1], pair("exception/throttlingException", r#"{"message":"Slow down."}"#));
    let frame = super::Frame { event: &found[1].0, data: "" };
    assert_eq!(
        (frame.exception(), super::Frame { event: "messageStop", data: "" }.exception()),
        (Some("throttlingException"), None)
    );
}
