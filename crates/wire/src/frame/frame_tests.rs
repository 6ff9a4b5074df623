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
