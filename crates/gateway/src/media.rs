//! Media that callers name by address, fetched for upstreams that only take bytes.
//!
//! A caller chooses the address, so nothing behind it is trusted: only public hosts (see [`address`]) are
//! connected to, at the very address that was checked (see [`door`]); redirects are new addresses and checked
//! again; no credential is sent; size is counted after decompression, time from the first look-up to the last byte.
//! Fetched media are kept for a minute, so that a conversation's next turn does not fetch them again.
//! [`inline`] does this for a whole request. Not here: what providers take by address themselves.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, USER_AGENT,
};
use http::{Request, StatusCode};
use http_body_util::Empty;
use url::{Host, Url};

use crate::transport::Tls;
use crate::web::innermost;

mod address;
mod body;
mod data_url;
mod door;
pub mod inline;
mod kept;
mod kind;

use door::Door;
use kept::Kept;
pub use kind::Expect;

/// Longer addresses are not addresses.
const MOST_URL: usize = 16 << 10;

/// What may be fetched, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPolicy {
    /// `media_allowed_hosts`: hosts that may be reached though their addresses are not public; `*.` in front
    /// means all below. Everything public is allowed anyway.
    pub allowed_hosts: Vec<String>,
    /// Bound of one medium in bytes, decompressed. 0 switches fetching off.
    pub most_bytes: usize,
    /// Bound of all media of one request in bytes.
    pub most_request_bytes: usize,
    /// From the first look-up to the last byte.
    pub patience: Duration,
    /// Redirects followed.
    pub most_redirects: usize,
    /// Bound of what is kept, in bytes.
    pub kept_bytes: usize,
    /// How long it is kept.
    pub kept_for: Duration,
}

impl Default for MediaPolicy {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            most_bytes: 20 << 20,
            most_request_bytes: 100 << 20,
            patience: Duration::from_secs(20),
            most_redirects: 3,
            kept_bytes: 64 << 20,
            kept_for: Duration::from_secs(60),
        }
    }
}

/// A picture, a document, a sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Such as `image/png`; what the bytes are, where they tell.
    pub media_type: String,
    /// The bytes, decompressed.
    pub bytes: Bytes,
}

/// Why there is no medium. All but `Unreachable` are the caller's to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// It is not an address that is fetched from.
    #[error("the URL {0}")]
    Url(&'static str),
    /// The host is not public.
    #[error("the host `{host}` has an address that is not public; media are fetched from public hosts only")]
    Private { host: String },
    /// Fetching is switched off.
    #[error("media are not fetched from URLs here; send them in base64")]
    Off,
    /// Nothing came.
    #[error("`{host}` was not reached: {problem}")]
    Unreachable { host: String, problem: String },
    /// The host said no.
    #[error("`{host}` answered with status {status}")]
    Status { host: String, status: u16 },
    /// One redirect too many.
    #[error("the URL is redirected more than {0} times")]
    Redirects(usize),
    /// Too many bytes.
    #[error("the media are larger than the limit of {limit} bytes")]
    TooLarge { limit: usize },
    /// More addresses than a request may hold.
    #[error("the request names more than {0} media by URL")]
    TooMany(usize),
    /// Too slow.
    #[error("the media did not arrive within {} seconds", patience.as_secs_f64())]
    TooSlow { patience: Duration },
    /// It is not what was expected.
    #[error("the media are of type `{found}`; expected is {expected}")]
    Type { found: String, expected: &'static str },
    /// It cannot be decoded.
    #[error("the media {0}")]
    Broken(&'static str),
}

/// Fetches and keeps media. Cheap to clone; one for the process.
#[derive(Clone, Debug)]
pub struct Fetcher {
    policy: Arc<MediaPolicy>,
    door: Door,
    kept: Arc<Kept>,
}

impl Fetcher {
    /// A fetcher under `policy`.
    #[must_use]
    pub fn new(policy: MediaPolicy, tls: &Tls) -> Self {
        let door = Door::new(tls, door::system(), address::is_public, &policy.allowed_hosts);
        Self::with(policy, door)
    }

    fn with(policy: MediaPolicy, door: Door) -> Self {
        let kept = Arc::new(Kept::new(policy.kept_bytes, policy.kept_for));
        Self { policy: Arc::new(policy), door, kept }
    }

    /// What this fetcher allows.
    #[must_use]
    pub fn policy(&self) -> &MediaPolicy {
        &self.policy
    }

    /// The medium at `url`: `http`, `https` or `data`.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn fetch(&self, url: &str, expect: Expect) -> Result<Media, MediaError> {
        if let Some(data) = data_url::strip(url) {
            return expect.admit(data_url::decode(data, self.policy.most_bytes)?);
        }
        if self.policy.most_bytes == 0 {
            return Err(MediaError::Off);
        }
        let parsed = self.parse(url)?;
        let media = self.kept.get(url, || async {
            let patience = self.policy.patience;
            let fetched = tokio::time::timeout(patience, self.follow(parsed)).await;
            fetched.unwrap_or(Err(MediaError::TooSlow { patience }))
        });
        expect.admit(media.await?)
    }

    async fn follow(&self, mut url: Url) -> Result<Media, MediaError> {
        for _ in 0..=self.policy.most_redirects {
            let host = host(&url);
            let response = self.door.get(request(&url)?).await.map_err(|error| failure(&host, &error))?;
            let (head, body) = response.into_parts();
            if let Some(next) = redirect(&url, head.status, &head.headers) {
                url = self.check(next.map_err(MediaError::Url)?)?;
                continue;
            }
            if !head.status.is_success() {
                return Err(MediaError::Status { host, status: head.status.as_u16() });
            }
            let announced =
                head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            let limit = self.policy.most_bytes;
            if announced.is_some_and(|announced: u64| announced > limit as u64) {
                return Err(MediaError::TooLarge { limit });
            }
            let bytes = body::read(body, &head.headers, limit, &host).await?;
            let said = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            return Ok(Media { media_type: kind::of(&bytes, said), bytes });
        }
        Err(MediaError::Redirects(self.policy.most_redirects))
    }

    fn parse(&self, url: &str) -> Result<Url, MediaError> {
        if url.len() > MOST_URL {
            return Err(MediaError::Url("is too long"));
        }
        self.check(Url::parse(url).map_err(|_| MediaError::Url("is not an address"))?)
    }

    /// What can be said about an address before its host is looked up. `Url` has already brought the host into
    /// its one spelling: octal, decimal and hexadecimal addresses are addresses now, letters are ASCII.
    fn check(&self, url: Url) -> Result<Url, MediaError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(MediaError::Url("must begin with http://, https:// or data:"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(MediaError::Url("must not hold a user or a password"));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(MediaError::Url("names no host")),
        };
        // Literal addresses are not looked up, so the door does not see them.
        let host = host(&url);
        match literal {
            Some(address) if !self.door.permits(&host, address) => Err(MediaError::Private { host }),
            _ => Ok(url),
        }
    }
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, MediaError> {
    let mut request = Request::new(Empty::new());
    // A fragment is the caller's own.
    let (address, _) = url.as_str().split_once('#').unwrap_or((url.as_str(), ""));
    *request.uri_mut() = address.parse().map_err(|_| MediaError::Url("is not an address"))?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tollgate/", env!("CARGO_PKG_VERSION"))));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(request)
}

/// Where an answer points instead.
fn redirect(url: &Url, status: StatusCode, headers: &HeaderMap) -> Option<Result<Url, &'static str>> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = headers.get(LOCATION)?.to_str().ok().and_then(|location| url.join(location).ok());
    Some(location.ok_or("is redirected to something that is not an address"))
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

fn failure(host: &str, error: &hyper_util::client::legacy::Error) -> MediaError {
    if door::is_refusal(error) {
        return MediaError::Private { host: host.to_owned() };
    }
    MediaError::Unreachable { host: host.to_owned(), problem: innermost(error) }
}

#[cfg(test)]
mod tests;
