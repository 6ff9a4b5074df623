use bytes::BytesMut;
use http::header::{HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use super::{Head, MOST_FIELDS, MOST_HEAD, NotHttp, take, write};
use crate::connection::framing::{Chunked, Framing};

fn read(bytes: &[u8]) -> Result<Option<Head>, NotHttp> {
    take(&mut BytesMut::from(bytes), &mut 0, &Method::POST)
}

fn framed(fields: &str) -> Result<(Framing, bool), NotHttp> {
    let head = read(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes())?.expect("a whole head");
    Ok((head.framing, head.kept))
}

const WHOLE: &[u8] =
    b"HTTP/1.1 429 Too Many\r\nContent-Type: application/json\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 12\r\n\r\n{\"error\":{}}";

#[test]
fn a_head_cut_anywhere() {
    let length = WHOLE.len() - 12;
    for at in 0..WHOLE.len() {
        let (mut input, mut searched) = (BytesMut::from(&WHOLE[..at]), 0);
        let early = take(&mut input, &mut searched, &Method::POST).unwrap();
        assert_eq!(early.is_some(), at >= length, "cut at {at}");
        let head = early.unwrap_or_else(|| {
            input.extend_from_slice(&WHOLE[at..]);
            take(&mut input, &mut searched, &Method::POST).unwrap().expect("a whole head")
        });
        assert_eq!(head.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(
            head.headers.as_bytes(),
            b"content-type: application/json\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 12\r\n"
        );
        assert_eq!((head.framing, head.kept), (Framing::Length(12), true));
    }
}

#[test]
fn where_a_body_ends_and_whether_the_connection_goes_on() {
    let chunked = || Framing::Chunked(Chunked::Size);
    for (fields, expected) in [
        ("content-length: 0\r\n", (Framing::Length(0), true)),
        ("transfer-encoding: Chunked\r\n", (chunked(), true)),
        ("transfer-encoding: chunked\r\nconnection: x, Close\r\n", (chunked(), false)),
        ("content-length: 5\r\nconnection: close\r\n", (Framing::Length(5), false)),
        ("", (Framing::Close, false)),
    ] {
        assert_eq!(framed(fields), Ok(expected), "{fields:?}");
    }
    let old = |fields: &str| {
        let head = read(format!("HTTP/1.0 200 OK\r\n{fields}\r\n").as_bytes()).unwrap().unwrap();
        (head.framing, head.kept)
    };
    assert_eq!(old("content-length: 5\r\n"), (Framing::Length(5), false));
    assert_eq!(old("content-length: 5\r\nconnection: keep-alive\r\n"), (Framing::Length(5), true));
    for bodiless in ["100 Continue", "204 No Content", "304 Not Modified"] {
        let head = read(format!("HTTP/1.1 {bodiless}\r\ncontent-length: 5\r\n\r\n").as_bytes());
        assert_eq!(head.unwrap().unwrap().framing, Framing::Length(0), "{bodiless}");
    }
}

#[test]
fn ambiguous_and_hostile_heads_are_refused() {
    for (fields, why) in [
        ("content-length: 5\r\ntransfer-encoding: chunked\r\n", NotHttp::Length),
        ("transfer-encoding: chunked\r\ncontent-length: 5\r\n", NotHttp::Length),
        ("content-length: 5\r\ncontent-length: 6\r\n", NotHttp::Length),
        ("content-length: 5\r\ncontent-length: 5\r\n", NotHttp::Length),
        ("content-length: 5, 5\r\n", NotHttp::Length),
        ("content-length: +5\r\n", NotHttp::Length),
        ("content-length: -5\r\n", NotHttp::Length),
        ("content-length:\r\n", NotHttp::Length),
        ("content-length: 18446744073709551616\r\n", NotHttp::Length),
        ("transfer-encoding: gzip, chunked\r\n", NotHttp::Encoding),
        ("transfer-encoding: identity\r\n", NotHttp::Encoding),
        ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", NotHttp::Encoding),
        ("a: 1\r\n folded\r\n", NotHttp::Head),
        ("content-length : 5\r\n", NotHttp::Head),
        ("a: \0\r\n", NotHttp::Head),
        ("no colon\r\n", NotHttp::Head),
    ] {
        assert_eq!(framed(fields), Err(why), "{fields:?}");
    }
    let refused = |bytes: &[u8]| read(bytes).expect_err(&String::from_utf8_lossy(bytes));
    assert_eq!(refused(b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), NotHttp::Encoding);
    assert_eq!(refused(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n"), NotHttp::Upgrade);
    assert_eq!(refused(b"HTTP/2.0 200 OK\r\n\r\n"), NotHttp::Head);
    assert_eq!(refused(b"HTTP/1.1 99 Low\r\n\r\n"), NotHttp::Head);
    assert_eq!(refused(b"SSH-2.0-OpenSSH\r\n\r\n"), NotHttp::Head);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: 1\r\n".repeat(MOST_FIELDS + 1));
    assert_eq!(refused(many.as_bytes()), NotHttp::TooManyFields);
    assert_eq!(refused(&b"a".repeat(MOST_HEAD + 1)), NotHttp::HeadTooLarge);
    let large = [b"HTTP/1.1 200 OK\r\na: ", &b"a".repeat(MOST_HEAD)[..], b"\r\n\r\n"].concat();
    assert_eq!(refused(&large), NotHttp::HeadTooLarge);
}

#[test]
fn a_request_head_frames_its_body_itself() {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer k"));
    headers.insert("host", HeaderValue::from_static("elsewhere"));
    headers.insert("content-length", HeaderValue::from_static("1"));
    headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
    let host = HeaderValue::from_static("up:8080");
    let post = write(&Method::POST, "/v1?a=b", &host, &headers, 12);
    assert_eq!(
        post,
        "POST /v1?a=b HTTP/1.1\r\nhost: up:8080\r\nauthorization: Bearer k\r\ncontent-length: 12\r\n\r\n"
    );
    let get = write(&Method::GET, "/", &host, &HeaderMap::new(), 0);
    assert_eq!(get, "GET / HTTP/1.1\r\nhost: up:8080\r\n\r\n");
    let empty = write(&Method::POST, "/", &host, &HeaderMap::new(), 0);
    assert_eq!(empty, "POST / HTTP/1.1\r\nhost: up:8080\r\ncontent-length: 0\r\n\r\n");
}
