//! Upstreams behind the proxy of a company network.

use crate::harness::{FakeProvider, Launch, Server, chat};

/// A proxy that leads every tunnel to the fake provider, and remembers what was asked of it.
fn proxy(provider: &FakeProvider) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read, Write};
    let upstream = provider.base_url().strip_prefix("http://").unwrap().to_owned();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://user:pass@{}", listener.local_addr().unwrap());
    let (asked, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, upstream, asked) = (client.unwrap(), upstream.clone(), asked.clone());
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let _ = asked.send(String::from_utf8_lossy(&head).into_owned());
                let mut server = std::net::TcpStream::connect(upstream).unwrap();
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                let _ = std::io::copy(&mut server, &mut client);
            });
        }
    });
    (address, heard)
}

#[tokio::test]
async fn upstreams_are_reached_through_the_operators_proxy() {
    let provider = FakeProvider::start().unwrap();
    let (address, heard) = proxy(&provider);
    let config = "
model_list:
  - model_name: chat
    litellm_params: {model: openai_like/up, api_base: http://models.example/v1, api_key: sk-up-0123456789}
router_settings: {num_retries: 0}
";
    let environment = [("HTTP_PROXY", address.as_str())];
    let server =
        Server::start(&Launch { config: Some(config), environment: &environment, ..Launch::default() });
    let reply = server.chat(&chat("chat")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.content(), "You said: Hello there");
    let asked = heard.recv().unwrap();
    assert!(asked.starts_with("CONNECT models.example:80 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("proxy-authorization: basic dxnlcjpwyxnz"), "{asked}");
    assert!(!asked.contains("sk-up"), "the proxy must not see the key");
}
