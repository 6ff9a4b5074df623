use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Broken, Connections, Road, SendError};
use crate::body::Pieces;
use crate::transport::Destination;

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Connections to a server that does with every connection what `serve` says. A number is the count of
/// connections so far.
async fn stage<F>(serve: impl Fn(TcpStream, usize) -> F + Send + 'static) -> (Connections, Destination)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for count in 1.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, count));
        }
    });
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let https = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    (
        Connections::new(
            https.enable_http1().wrap_connector(Road::new(tcp, crate::road::Proxies::default())),
        ),
        Destination::parse(&url).unwrap(),
    )
}

/// Reads a request whose body is `length` bytes long.
async fn hear(stream: &mut TcpStream, length: usize) -> bool {
    let mut seen = Vec::new();
    loop {
        if let Some(at) = memchr::memmem::find(&seen, b"\r\n\r\n")
            && seen.len() >= at + 4 + length
        {
            return true;
        }
        if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
            return false;
        }
    }
}

/// Sends `body` and reads the answer.
async fn ask(connections: &Connections, to: &Destination, body: Pieces) -> Result<(u16, Vec<u8>), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let headers = HeaderMap::new();
    let sent = connections.send(to, Method::POST, &headers, body);
    let sent = tokio::time::timeout(Duration::from_secs(5), sent).await.expect("an answer or an error");
    let (status, _, mut body) = sent.map_err(|error| match error {
        SendError::Connect(error) => format!("connect: {error}"),
        SendError::Broken(error) => told(&error),
    })?;
    let mut whole = Vec::new();
    loop {
        let next = std::future::poll_fn(|context| body.poll_bytes(context));
        match tokio::time::timeout(Duration::from_secs(5), next).await.expect("an end") {
            Some(Ok(bytes)) => whole.extend_from_slice(&bytes),
            Some(Err(error)) => return Err(told(&error)),
            None => return Ok((status.as_u16(), whole)),
        }
    }
}

fn hello() -> Pieces {
    vec![Bytes::from_static(b"hel"), Bytes::new(), Bytes::from_static(b"lo")].into()
}

/// A server that answers every request with `reply`, in writes of `step` bytes, and then closes if told so.
async fn fixed(reply: Vec<u8>, step: usize, close: bool) -> (Connections, Destination) {
    stage(move |mut stream, count| {
        let reply = String::from_utf8(reply.clone()).unwrap().replace("COUNT", &count.to_string());
        async move {
            stream.set_nodelay(true).unwrap();
            while hear(&mut stream, 5).await {
                for piece in reply.as_bytes().chunks(step) {
                    stream.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
                if close {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_is_used_again() {
    for framed in
        ["content-length: 1\r\n\r\nCOUNT", "transfer-encoding: chunked\r\n\r\n1\r\nCOUNT\r\n0\r\n\r\n"]
    {
        for step in [1, 7, 1000] {
            let reply = format!("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n{framed}");
            let (connections, to) = fixed(reply.into_bytes(), step, false).await;
            for _ in 0..3 {
                assert_eq!(
                    ask(&connections, &to, hello()).await,
                    Ok((200, b"1".to_vec())),
                    "{framed} {step}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_connection_is_not_used_again() {
    for (why, reply) in [
        ("asked to close", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nCOUNT"),
        ("bytes are left over", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nCOUNTHTTP/1.1 200 OK\r\n\r\n"),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nCOUNT"),
    ] {
        let (connections, to) = fixed(reply.into(), 1000, false).await;
        assert_eq!(ask(&connections, &to, hello()).await, Ok((200, b"1".to_vec())), "{why}");
        assert_eq!(ask(&connections, &to, hello()).await, Ok((200, b"2".to_vec())), "{why}");
    }
}

#[tokio::test]
async fn bytes_that_come_while_idle_are_nobodys_answer() {
    let (connections, to) = stage(|mut stream, count| async move {
        while hear(&mut stream, 5).await {
            let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{count}");
            stream.write_all(reply.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen").await.unwrap();
        }
    })
    .await;
    assert_eq!(ask(&connections, &to, hello()).await, Ok((200, b"1".to_vec())));
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(ask(&connections, &to, hello()).await, Ok((200, b"2".to_vec())));
}

#[tokio::test]
async fn a_body_may_end_with_the_connection() {
    let (connections, to) = fixed(b"HTTP/1.1 200 OK\r\n\r\nall of it".to_vec(), 4, true).await;
    assert_eq!(ask(&connections, &to, hello()).await, Ok((200, b"all of it".to_vec())));
}

#[tokio::test]
async fn an_early_end_is_an_error() {
    for reply in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let (connections, to) = fixed(reply.into(), 1000, true).await;
        let error = ask(&connections, &to, hello()).await.expect_err(reply);
        assert_eq!(error, Broken::Closed.to_string(), "{reply}");
    }
    let (connections, to) =
        fixed(b"HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\nx".to_vec(), 1000, false).await;
    let error = ask(&connections, &to, hello()).await.expect_err("two lengths");
    assert!(error.contains("in two ways"), "{error}");
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced() {
    let (connections, to) = stage(|mut stream, _| async move {
        hear(&mut stream, 5).await;
        stream.write_all(REPLY).await.unwrap();
    })
    .await;
    for _ in 0..3 {
        assert_eq!(ask(&connections, &to, hello()).await, Ok((200, b"ok".to_vec())));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    connections.sweep();
    assert!(connections.idle.lock().unwrap().is_empty(), "a closed connection was kept");
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_is_complete() {
    let (connections, to) = stage(|mut stream, count| async move {
        hear(&mut stream, 0).await;
        let reply = format!("HTTP/1.1 413 Too Large\r\ncontent-length: 1\r\n\r\n{count}");
        stream.write_all(reply.as_bytes()).await.unwrap();
        // Neither reads on nor closes.
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let large = || Pieces::from(vec![Bytes::from(vec![b'x'; 8 << 20]); 8]);
    assert_eq!(ask(&connections, &to, large()).await, Ok((413, b"1".to_vec())));
    // Half a request lies on that connection.
    assert_eq!(ask(&connections, &to, large()).await, Ok((413, b"2".to_vec())));
}

#[tokio::test]
async fn a_large_request_arrives_whole() {
    const LENGTH: usize = 3 << 20;
    let (connections, to) = stage(|mut stream, _| async move {
        let mut left = LENGTH;
        let mut seen = vec![0; 64 << 10];
        let mut head = Vec::new();
        while memchr::memmem::find(&head, b"\r\n\r\n").is_none() {
            stream.read_buf(&mut head).await.unwrap();
        }
        let body = memchr::memmem::find(&head, b"\r\n\r\n").unwrap() + 4;
        let mut right = head[body..].iter().all(|byte| *byte == b'x');
        left -= head.len() - body;
        while left > 0 {
            let count = stream.read(&mut seen).await.unwrap();
            right &= seen[..count].iter().all(|byte| *byte == b'x');
            left -= count;
        }
        assert!(right);
        stream.write_all(REPLY).await.unwrap();
        hear(&mut stream, 0).await;
    })
    .await;
    let pieces: Vec<Bytes> = vec![Bytes::from(vec![b'x'; LENGTH / 48]); 48];
    assert_eq!(ask(&connections, &to, pieces.into()).await, Ok((200, b"ok".to_vec())));
}

#[tokio::test]
async fn dropping_an_answer_closes_its_connection() {
    let (closed, mut seen) = tokio::sync::mpsc::channel(1);
    let (connections, to) = stage(move |mut stream, _| {
        let closed = closed.clone();
        async move {
            hear(&mut stream, 5).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart").await.unwrap();
            assert!(!hear(&mut stream, 0).await);
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let (status, _, body) = connections.send(&to, Method::POST, &HeaderMap::new(), hello()).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    drop(body);
    tokio::time::timeout(Duration::from_secs(5), seen.recv()).await.expect("the upstream sees the end");
}
