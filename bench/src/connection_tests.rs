use super::*;

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
    a\r\ndata: 1\n\nd\r\nd;x=y\r\nata: [DONE]\n\n\r\n0\r\n\r\n";

/// Feeds the bytes in pieces of `size`; what is left in the buffer after the reply comes back.
fn read(bytes: &[u8], size: usize) -> (Head, u64, usize) {
    let (mut buffer, mut head, mut body) = (BytesMut::new(), None, None);
    for piece in bytes.chunks(size) {
        buffer.extend_from_slice(piece);
        if head.is_none() {
            head = Head::take(&mut buffer).unwrap();
            body = head.as_ref().map(|head: &Head| BodyReader::new(head.length));
        }
        if let Some(body) = &mut body
            && body.feed(&mut buffer).unwrap()
        {
            return (head.unwrap(), body.events, buffer.len());
        }
    }
    panic!("no end was found in pieces of {size}");
}

#[test]
fn a_chunked_reply_ends_where_it_ends_at_any_cut() {
    for size in 1..=CHUNKED.len() {
        let (head, events, left) = read(CHUNKED, size);
        assert_eq!((head.status, events, left), (200, 2, 0), "in pieces of {size}");
    }
}

#[test]
fn an_exact_reply_leaves_the_next_one_in_the_buffer() {
    let bytes = b"HTTP/1.1 429 Slow\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabcHTTP/1.1 200";
    let (head, events, left) = read(bytes, bytes.len());
    assert_eq!((head.status, head.keep_alive, events, left), (429, false, 0, 12));
}

#[test]
fn nonsense_is_an_error() {
    assert!(Head::take(&mut BytesMut::from("HTTP/1.1 200 OK\r\n\r\n")).is_err());
    assert!(Head::take(&mut BytesMut::from(vec![b'x'; MOST_HEAD_BYTES + 1].as_slice())).is_err());
    assert!(BodyReader::new(Length::Chunked).feed(&mut BytesMut::from("zz\r\n")).is_err());
}
