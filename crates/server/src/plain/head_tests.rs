use bytes::BytesMut;
use wire::format::Operation;

use super::{MOST_FIELDS, Next, take};

fn read(bytes: &str) -> (Next, BytesMut) {
    let mut input = BytesMut::from(bytes);
    (take(&mut input), input)
}

#[test]
fn a_call_of_a_model_is_plain() {
    let head = "POST /engines/a%2Fb/embeddings/?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\nA: 1\r\na: 2\r\n\r\n";
    let (Next::Plain(ask), rest) = read(&format!("{head}abc")) else { panic!("not plain") };
    assert_eq!(
        (ask.endpoint.operation(), ask.endpoint.named.as_deref()),
        (Operation::Embedding, Some("a/b"))
    );
    assert_eq!(ask.length, 3);
    assert_eq!((ask.head.method.as_str(), ask.head.uri.query()), ("POST", Some("x=1")));
    assert_eq!(ask.head.headers.get_all("a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(&rest[..], b"abc");
    for at in 0..head.len() {
        let (next, left) = read(&head[..at]);
        assert!(matches!(next, Next::More), "cut at {at}");
        assert_eq!(left, &head[..at]);
    }
}

#[test]
fn whatever_needs_thought_is_not_and_stays_untouched() {
    let call = "POST /v1/chat/completions HTTP/1.1\r\n";
    let many = format!("{call}content-length: 3\r\n{}", "a: 1\r\n".repeat(MOST_FIELDS));
    for head in [
        "GET /v1/chat/completions HTTP/1.1\r\ncontent-length: 3\r\n",
        "POST /v1/models HTTP/1.1\r\ncontent-length: 3\r\n",
        "POST http://h/v1/chat/completions HTTP/1.1\r\ncontent-length: 3\r\n",
        "POST /v1/chat/completions HTTP/1.0\r\ncontent-length: 3\r\n",
        call,
        &format!("{call}content-length: 3\r\ncontent-length: 3\r\n"),
        &format!("{call}content-length: +3\r\n"),
        &format!("{call}content-length: 3, 3\r\n"),
        &format!("{call}content-length:\r\n"),
        &format!("{call}content-length: 18446744073709551616\r\n"),
        &format!("{call}content-length: 3\r\ntransfer-encoding: chunked\r\n"),
        &format!("{call}transfer-encoding: chunked\r\n"),
        &format!("{call}content-length: 3\r\nexpect: 100-continue\r\n"),
        &format!("{call}content-length: 3\r\nupgrade: h2c\r\n"),
        &format!("{call}content-length: 3\r\nconnection: close\r\n"),
        &format!("{call}content-length: 3\r\nconnection: keep-alive, x\r\n"),
        &format!("{call}content-length : 3\r\n"),
        &format!("{call}a: 1\r\n folded\r\ncontent-length: 3\r\n"),
        &format!("{call}a: \0\r\ncontent-length: 3\r\n"),
        "\0POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 3\r\n",
        &many,
    ] {
        let bytes = format!("{head}\r\nabc");
        let (next, left) = read(&bytes);
        assert!(matches!(next, Next::Other), "{head:?}");
        assert_eq!(left, bytes.as_bytes());
    }
}
