use std::io::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::write::GzEncoder;
use http::Response;
use wire::chat::{Block, ChatRequest, Role, Source, Turn};

use super::inline::inline;
use super::*;
use crate::stand_in::{Seen, StandIn, answer, tls};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest of a picture";

fn policy() -> MediaPolicy {
    MediaPolicy {
        allowed_hosts: vec!["127.0.0.1".to_owned()],
        most_bytes: 1000,
        patience: Duration::from_secs(5),
        ..MediaPolicy::default()
    }
}

fn fetcher(policy: MediaPolicy) -> Fetcher {
    Fetcher::new(policy, &tls())
}

fn picture(_: &Seen) -> Response<Bytes> {
    answer(200, PNG)
}

fn redirect_to(target: &str) -> Response<Bytes> {
    Response::builder().status(302).header("location", target).body(Bytes::new()).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_picture_is_fetched_without_credentials_and_named_by_its_bytes() {
    let server = StandIn::start(|_| {
        Response::builder().header("content-type", "text/html").body(Bytes::from_static(PNG)).unwrap()
    })
    .await;
    let media = fetcher(policy()).fetch(&server.url("/a.jpg?sig=1#part"), Expect::Image).await.unwrap();
    assert_eq!(media, Media { media_type: "image/png".to_owned(), bytes: PNG.into() });
    let asked = server.seen().remove(0);
    assert_eq!(asked.target, "/a.jpg?sig=1");
    let names: Vec<_> = asked.headers.keys().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(names, ["user-agent", "accept-encoding", "host"]);
}

#[tokio::test]
async fn hosts_inside_are_refused_however_they_are_written() {
    let server = StandIn::start(picture).await;
    let port = server.at.port();
    // Names are looked up here, not by the machine: all of them mean this host.
    let door = Door::new(&tls(), flip(&[&["127.0.0.1"]]).0, address::is_public, &[]);
    let fetcher = Fetcher::with(MediaPolicy::default(), door);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "127.0.0.1.",
        "１２７.0.0.1",
        "127。0。0。1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "224.0.0.1",
    ] {
        let url = format!("http://{host}:{port}/");
        let error = fetcher.fetch(&url, Expect::Image).await.unwrap_err();
        assert!(matches!(error, MediaError::Private { .. }), "{url}: {error:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn addresses_that_are_none_are_refused() {
    let fetcher = fetcher(MediaPolicy::default());
    for url in [
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/a.png",
        "unix:/run/x",
        "//example.com/a",
        "http://",
        "http:///",
        "http://user@example.com/",
        "http://user:pass@example.com/",
        "http://@:80/",
        "",
        "x",
        "http://exa mple.com/",
        "jar:http://example.com!/",
        &format!("http://example.com/{}", "a".repeat(20_000)),
    ] {
        let error = fetcher.fetch(url, Expect::Any).await.unwrap_err();
        assert!(matches!(error, MediaError::Url(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_new_address_and_checked_like_one() {
    let inside = StandIn::start_at("127.0.0.2:0", picture).await;
    let hidden = inside.url("/secret");
    let server = StandIn::start(move |seen| match seen.target.as_str() {
        "/inside" => redirect_to(&hidden),
        "/metadata" => redirect_to("http://169.254.169.254/latest/meta-data/"),
        "/file" => redirect_to("file:///etc/passwd"),
        "/user" => redirect_to("http://a:b@127.0.0.1/"),
        "/round" => redirect_to("/round"),
        "/1" => redirect_to("2"),
        "/2" => redirect_to("/3"),
        "/3" => redirect_to("/4"),
        _ => answer(200, PNG),
    })
    .await;
    let fetcher = fetcher(policy());
    let get =
        async |path: &str| fetcher.fetch(&server.url(path), Expect::Image).await.map(|media| media.bytes);
    assert_eq!(get("/1").await, Ok(PNG.into()), "three are followed");
    assert_eq!(get("/inside").await, Err(MediaError::Private { host: "127.0.0.2".to_owned() }));
    assert_eq!(get("/metadata").await, Err(MediaError::Private { host: "169.254.169.254".to_owned() }));
    assert!(matches!(get("/file").await, Err(MediaError::Url(_))));
    assert!(matches!(get("/user").await, Err(MediaError::Url(_))));
    assert_eq!(get("/round").await, Err(MediaError::Redirects(3)));
    assert!(inside.seen().is_empty());
}

/// Answers a look-up with the next of `answers`, again and again, and counts.
fn flip(answers: &'static [&'static [&'static str]]) -> (door::Lookup, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let lookup = Arc::new(move |_: String| {
        let turn = counted.fetch_add(1, Ordering::SeqCst);
        let addresses: Vec<IpAddr> =
            answers[turn % answers.len()].iter().map(|text| text.parse().unwrap()).collect();
        let found: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async move { Ok(addresses) });
        found
    });
    (lookup, count)
}

/// In these tests the internet is 127.0.0.1 and everything else is inside.
fn is_first(address: IpAddr) -> bool {
    address == IpAddr::from([127, 0, 0, 1])
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_taken_at_its_first_word() {
    let outside = StandIn::start(picture).await;
    let port = outside.at.port();
    let inside = StandIn::start_at(&format!("127.0.0.2:{port}"), picture).await;
    let (lookup, count) = flip(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let policy = MediaPolicy { kept_for: Duration::ZERO, ..MediaPolicy::default() };
    let fetcher = Fetcher::with(policy, Door::new(&tls(), lookup, is_first, &[]));
    let url = format!("http://rebind.test:{port}/");
    assert!(fetcher.fetch(&url, Expect::Image).await.is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 1, "one look-up for check and connection");
    assert_eq!(outside.seen().len(), 1);
    let error = fetcher.fetch(&url, Expect::Image).await.unwrap_err();
    assert_eq!(error, MediaError::Private { host: "rebind.test".to_owned() });
    assert!(inside.seen().is_empty());
}

#[tokio::test]
async fn one_address_inside_among_those_outside_is_one_too_many() {
    let outside = StandIn::start(picture).await;
    let (lookup, _) = flip(&[&["127.0.0.1", "127.0.0.2"]]);
    let fetcher = Fetcher::with(MediaPolicy::default(), Door::new(&tls(), lookup, is_first, &[]));
    let url = format!("http://mixed.test:{}/", outside.at.port());
    let error = fetcher.fetch(&url, Expect::Image).await.unwrap_err();
    assert_eq!(error, MediaError::Private { host: "mixed.test".to_owned() });
    assert!(outside.seen().is_empty());
}

#[tokio::test]
async fn hosts_that_are_allowed_may_be_inside_but_not_metadata() {
    let server = StandIn::start(picture).await;
    let port = server.at.port();
    let get = async |allowed: &str, host: &str, addresses: &'static [&'static [&'static str]]| {
        let door = Door::new(&tls(), flip(addresses).0, address::is_public, &[allowed.to_owned()]);
        let fetcher = Fetcher::with(MediaPolicy::default(), door);
        fetcher.fetch(&format!("http://{host}:{port}/"), Expect::Image).await.map(|media| media.media_type)
    };
    let here: &[&[&str]] = &[&["127.0.0.1"]];
    let private = |host: &str| Err(MediaError::Private { host: host.to_owned() });
    assert_eq!(get("files.corp", "files.corp", here).await, Ok("image/png".to_owned()));
    assert_eq!(get("Files.corp.", "files.CORP", here).await, Ok("image/png".to_owned()));
    assert_eq!(get("*.corp", "a.b.corp", here).await, Ok("image/png".to_owned()));
    assert_eq!(get("*.corp", "corp", here).await, private("corp"));
    assert_eq!(get("*.corp", "evilcorp", here).await, private("evilcorp"));
    assert_eq!(get("files.corp", "other.corp", here).await, private("other.corp"));
    assert_eq!(get("files.corp", "files.corp", &[&["169.254.169.254"]]).await, private("files.corp"));
    assert_eq!(get("169.254.169.254", "169.254.169.254", here).await, private("169.254.169.254"));
}

#[tokio::test]
async fn size_is_counted_after_decompression() {
    let server = StandIn::start(|seen| {
        let packed = |bytes: Vec<u8>| {
            Response::builder().header("content-encoding", "gzip").body(Bytes::from(gzip(&bytes))).unwrap()
        };
        match seen.target.as_str() {
            "/just" => answer(200, [PNG, &vec![0; 1000 - PNG.len()]].concat()),
            "/over" => answer(200, [PNG, &vec![0; 1001 - PNG.len()]].concat()),
            "/packed" => packed(PNG.to_vec()),
            "/bomb" => packed([PNG, &vec![0; 1 << 20]].concat()),
            "/lie" => {
                Response::builder().header("content-encoding", "gzip").body(Bytes::from_static(PNG)).unwrap()
            }
            "/cut" => {
                let whole = gzip(PNG);
                let body = Bytes::copy_from_slice(&whole[..whole.len() - 9]);
                Response::builder().header("content-encoding", "gzip").body(body).unwrap()
            }
            _ => Response::builder().header("content-encoding", "br").body(Bytes::from_static(PNG)).unwrap(),
        }
    })
    .await;
    let fetcher = fetcher(policy());
    let get =
        async |path: &str| fetcher.fetch(&server.url(path), Expect::Image).await.map(|media| media.bytes);
    assert_eq!(get("/just").await.unwrap().len(), 1000);
    assert_eq!(get("/over").await, Err(MediaError::TooLarge { limit: 1000 }));
    assert_eq!(get("/packed").await, Ok(PNG.into()));
    assert_eq!(get("/bomb").await, Err(MediaError::TooLarge { limit: 1000 }));
    for path in ["/lie", "/cut", "/brotli"] {
        assert!(matches!(get(path).await, Err(MediaError::Broken(_))), "{path}");
    }
}

/// A server of one connection that answers with these pieces and never ends.
async fn drip(pieces: &'static [&'static str]) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 16]).await.unwrap();
        for piece in pieces {
            stream.write_all(piece.as_bytes()).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    format!("http://{at}/")
}

#[tokio::test]
async fn silence_and_endless_answers_end() {
    let quick = MediaPolicy { patience: Duration::from_millis(200), ..policy() };
    let late = MediaError::TooSlow { patience: quick.patience };
    let silent = drip(&[]).await;
    assert_eq!(fetcher(quick.clone()).fetch(&silent, Expect::Any).await, Err(late.clone()));
    let stalls = drip(&["HTTP/1.1 200 OK\r\n\r\n", "a little"]).await;
    assert_eq!(fetcher(quick).fetch(&stalls, Expect::Any).await, Err(late));
    let announced = drip(&["HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"]).await;
    assert_eq!(
        fetcher(policy()).fetch(&announced, Expect::Any).await,
        Err(MediaError::TooLarge { limit: 1000 })
    );
}

#[tokio::test]
async fn what_is_no_medium_or_not_the_one_expected_is_refused() {
    let server = StandIn::start(|seen| {
        let of = |kind: &str, body: &'static [u8]| {
            Response::builder().header("content-type", kind).body(Bytes::from_static(body)).unwrap()
        };
        match seen.target.as_str() {
            "/json" => of("application/json", b"{}"),
            "/text" => of("Text/Plain; charset=utf-8", b"hello"),
            "/pdf" => of("application/octet-stream", b"%PDF-1.7 ..."),
            "/wav" => of("", b"RIFF\0\0\0\0WAVEfmt "),
            "/gone" => answer(404, "no"),
            _ => of("application/octet-stream", b"?"),
        }
    })
    .await;
    let fetcher = fetcher(policy());
    let get = async |path: &str, expect| {
        fetcher.fetch(&server.url(path), expect).await.map(|media| media.media_type)
    };
    assert_eq!(get("/text", Expect::Any).await, Ok("text/plain".to_owned()));
    assert_eq!(get("/pdf", Expect::Any).await, Ok("application/pdf".to_owned()));
    assert_eq!(get("/wav", Expect::Any).await, Ok("audio/wav".to_owned()));
    for (path, expect) in
        [("/json", Expect::Any), ("/what", Expect::Any), ("/text", Expect::Image), ("/pdf", Expect::Image)]
    {
        assert!(matches!(get(path, expect).await, Err(MediaError::Type { .. })), "{path}");
    }
    let gone = MediaError::Status { host: "127.0.0.1".to_owned(), status: 404 };
    assert_eq!(get("/gone", Expect::Any).await, Err(gone));
}

#[tokio::test]
async fn equal_addresses_are_fetched_once_for_a_while() {
    let server = StandIn::start(|seen| match seen.target.as_str() {
        "/bad" => answer(500, ""),
        _ => answer(200, [PNG, &[0; 400]].concat()),
    })
    .await;
    let policy = MediaPolicy { kept_bytes: 1000, kept_for: Duration::from_millis(300), ..policy() };
    let fetcher = fetcher(policy);
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (fetcher, url) = (fetcher.clone(), server.url("/a"));
            tokio::spawn(async move { fetcher.fetch(&url, Expect::Image).await.unwrap() })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(server.seen().len(), 1);
    for path in ["/b", "/a", "/b", "/c", "/c", "/b"] {
        fetcher.fetch(&server.url(path), Expect::Image).await.unwrap();
    }
    let targets: Vec<_> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/a", "/b", "/c"], "two fit: the oldest went when the third came");
    tokio::time::sleep(Duration::from_millis(310)).await;
    fetcher.fetch(&server.url("/b"), Expect::Image).await.unwrap();
    for _ in 0..2 {
        fetcher.fetch(&server.url("/bad"), Expect::Image).await.unwrap_err();
    }
    let targets: Vec<_> = server.seen().into_iter().skip(3).map(|seen| seen.target).collect();
    assert_eq!(targets, ["/b", "/bad", "/bad"], "age counts, failures are not kept");
}

#[tokio::test]
async fn data_urls_are_decoded() {
    let fetcher = fetcher(MediaPolicy { most_bytes: 20, ..policy() });
    let get = async |url: &str| fetcher.fetch(url, Expect::Any).await;
    let media =
        |kind: &str, bytes: &'static [u8]| Ok(Media { media_type: kind.to_owned(), bytes: bytes.into() });
    assert_eq!(get("data:text/plain;base64,aGVsbG8=").await, media("text/plain", b"hello"));
    assert_eq!(get("data:text/plain;charset=utf-8;base64,aGVs\nbG8").await, media("text/plain", b"hello"));
    assert_eq!(get("DATA:,a%20b%2").await, media("text/plain", b"a b%2"));
    assert_eq!(get("data:image/jpeg;base64,iVBORw0KGgo=").await, media("image/png", b"\x89PNG\r\n\x1a\n"));
    assert_eq!(get("data:image/x-y;base64,__-_").await, media("image/x-y", b"\xff\xff\xbf"));
    assert!(matches!(get("data:text/plain;base64,!!!!").await, Err(MediaError::Broken(_))));
    assert!(matches!(get("data:text/plain;base64").await, Err(MediaError::Url(_))));
    assert!(matches!(get("data:application/x-sh,rm").await, Err(MediaError::Type { .. })));
    let large = format!("data:text/plain,{}", "a".repeat(21));
    assert_eq!(get(&large).await, Err(MediaError::TooLarge { limit: 20 }));
    let off = Fetcher::new(MediaPolicy { most_bytes: 0, ..policy() }, &tls());
    assert_eq!(off.fetch("http://127.0.0.1/", Expect::Any).await, Err(MediaError::Off));
    assert!(off.fetch("data:,x", Expect::Any).await.is_ok());
}

fn image(url: &str) -> Block {
    Block::Image { source: Source::Url(url.to_owned()), detail: None }
}

fn conversation(blocks: Vec<Block>) -> ChatRequest {
    let hello = Turn::new(Role::User, vec![Block::Text("hello".to_owned())]);
    let turn = Turn::new(Role::User, blocks);
    ChatRequest { turns: vec![hello, turn], ..ChatRequest::default() }
}

#[tokio::test]
async fn a_requests_media_are_put_where_their_addresses_were() {
    let server = StandIn::start(picture).await;
    let (a, b) = (server.url("/a"), server.url("/b"));
    let file = Block::File { source: Source::Url(b.clone()), name: Some("b".to_owned()), hints: Vec::new() };
    let result = Block::ToolResult { id: "1".to_owned(), content: vec![image(&a)], failed: false };
    let kept = image("https://example.com/the-upstream-takes-this");
    let mut request =
        conversation(vec![image(&a), Block::Text("and".to_owned()), file, result, kept.clone()]);
    let fetcher = fetcher(policy());
    inline(&mut request, &fetcher, |_, url| url.starts_with("http://")).await.unwrap();
    let data = "iVBORw0KGgpyZXN0IG9mIGEgcGljdHVyZQ==".to_owned();
    let source = Source::Inline { media_type: "image/png".to_owned(), data };
    let placed = Block::Image { source: source.clone(), detail: None };
    let blocks = &request.turns[1].blocks;
    assert_eq!(blocks[0], placed);
    assert_eq!(blocks[2], Block::File { source, name: Some("b".to_owned()), hints: Vec::new() });
    assert_eq!(blocks[3], Block::ToolResult { id: "1".to_owned(), content: vec![placed], failed: false });
    assert_eq!(blocks[4], kept);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_error_names_the_field_and_changes_nothing() {
    let server = StandIn::start(picture).await;
    let fetcher = fetcher(policy());
    let mut request = conversation(vec![
        Block::Text("look".to_owned()),
        image(&server.url("/a")),
        image("http://10.0.0.1/"),
        image("ftp://x/"),
    ]);
    let before = request.clone();
    let error = inline(&mut request, &fetcher, |_, _| true).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "messages[1].content[2]: the host `10.0.0.1` has an address that is not public; media are fetched from \
         public hosts only"
    );
    assert_eq!(request, before);
}

#[tokio::test]
async fn a_request_may_name_so_many_and_so_large_media() {
    let server = StandIn::start(picture).await;
    let total = Fetcher::new(MediaPolicy { most_request_bytes: 2 * PNG.len(), ..policy() }, &tls());
    let urls = (0..3).map(|number| image(&server.url(&format!("/{number}")))).collect();
    let error = inline(&mut conversation(urls), &total, |_, _| true).await.unwrap_err();
    assert_eq!(error.field, "messages[1].content[2]");
    assert_eq!(error.error, MediaError::TooLarge { limit: 2 * PNG.len() });
    let many = (0..100_000).map(|number| image(&format!("data:,{number}"))).collect();
    let error = inline(&mut conversation(many), &total, |_, _| true).await.unwrap_err();
    assert_eq!(error.field, "messages[1].content[250]");
    assert_eq!(error.error, MediaError::TooMany(250));
}
