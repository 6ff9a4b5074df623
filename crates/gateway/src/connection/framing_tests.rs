use bytes::BytesMut;

use super::{Chunked, Framing, MOST_LINE, MOST_TRAILERS, NotHttp, Step};

/// Reads `pieces` as they come. The data, and whether the end was seen.
fn read(mut framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, bool, BytesMut), NotHttp> {
    let (mut input, mut out) = (BytesMut::new(), Vec::new());
    let mut pieces = pieces.iter();
    loop {
        match framing.step(&mut input)? {
            Step::Data(data) => out.extend_from_slice(&data),
            Step::End => {
                pieces.for_each(|piece| input.extend_from_slice(piece));
                return Ok((out, true, input));
            }
            Step::More => match pieces.next() {
                Some(piece) => input.extend_from_slice(piece),
                None => return Ok((out, false, input)),
            },
        }
    }
}

fn chunked(bytes: &[u8]) -> Result<(Vec<u8>, bool, BytesMut), NotHttp> {
    read(Framing::Chunked(Chunked::Size), &[bytes])
}

const WHOLE: &[u8] =
    b"5\r\nhello\r\n1;name=\"a;b\"\r\n \r\n0006 \r\nworld!\r\n000;last\r\nx-sum: 1\r\nx-more: 2\r\n\r\n";

#[test]
fn chunks_extensions_and_trailers_cut_anywhere() {
    for at in 0..=WHOLE.len() {
        let (front, back) = WHOLE.split_at(at);
        let (data, ended, left) = read(Framing::Chunked(Chunked::Size), &[front, back]).unwrap();
        assert_eq!((data.as_slice(), ended, left.len()), (&b"hello world!"[..], true, 0), "cut at {at}");
    }
    let bytes: Vec<&[u8]> = WHOLE.chunks(1).collect();
    assert_eq!(read(Framing::Chunked(Chunked::Size), &bytes).unwrap().0, b"hello world!");
}

#[test]
fn what_follows_a_body_stays() {
    let next: &[u8] = b"HTTP/1.1 200 OK";
    let (data, ended, left) = chunked(&[WHOLE, next].concat()).unwrap();
    assert_eq!((data.as_slice(), ended, &left[..]), (&b"hello world!"[..], true, next));
    let (data, ended, left) = read(Framing::Length(3), &[b"a", b"bcHTTP"]).unwrap();
    assert_eq!((data.as_slice(), ended, &left[..]), (&b"abc"[..], true, &b"HTTP"[..]));
}

#[test]
fn an_early_end_is_not_an_end() {
    for at in 0..WHOLE.len() {
        assert!(!chunked(&WHOLE[..at]).unwrap().1, "cut at {at}");
    }
    assert!(!read(Framing::Length(3), &[b"ab"]).unwrap().1);
    assert!(read(Framing::Length(0), &[]).unwrap().1);
    assert!(!Framing::Length(1).ends_by_close() && !Framing::Chunked(Chunked::Trailers(0)).ends_by_close());
    assert!(Framing::Close.ends_by_close());
}

#[test]
fn malformed_chunks_are_refused() {
    let long = [b"5;", &b"x".repeat(MOST_LINE)[..], b"\r\n"].concat();
    let trailers = [b"0\r\n", &b"a: b\r\n".repeat(MOST_TRAILERS / 3)[..], b"\r\n"].concat();
    let cases: [&[u8]; 17] = [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\na\r\n",
        b"0x5\r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"5 5\r\nhello\r\n",
        b"5\nhello\n",
        b"5\r\nhello\n",
        b"5\r\nhello5\r\n",
        b"5\rhello",
        b"5;a\rb\r\nhello\r\n",
        b"5;a\nb\r\nhello\r\n",
        b"10000000000000000\r\n",
        b"0\r\nx: 1\n\n",
        &long,
        &trailers,
    ];
    for case in cases {
        let shown = String::from_utf8_lossy(&case[..case.len().min(40)]);
        assert_eq!(chunked(case), Err(NotHttp::Chunk), "{shown:?}");
        let bytes: Vec<&[u8]> = case.chunks(1).collect();
        let slow = read(Framing::Chunked(Chunked::Size), &bytes);
        assert_eq!(slow, Err(NotHttp::Chunk), "byte by byte: {shown:?}");
    }
}
