//! Who is calling: the key is read where LiteLLM reads it, and compared in constant time.

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::call::unix_ms;
use crate::directory::{Directory, Resolved};
use crate::hash::{Hash, hash};
use crate::refusal::Refusal;

/// The headers that may carry a key besides `Authorization`, in order, after the configured one.
static KEY_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("ocp-apim-subscription-key"),
];
/// LiteLLM's `type` of the refusal of a key that is not there.
pub(crate) const UNKNOWN: &str = "token_not_found_in_db";
static OWN_HEADER: HeaderName = HeaderName::from_static("x-litellm-api-key");

/// Who may come in.
#[derive(Debug, Default)]
pub struct KeyRing {
    /// SHA-256 of the master key.
    master: Option<Hash>,
    header: Option<HeaderName>,
}

/// Who was authenticated. Immutable for the rest of the call.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Holds the master key.
    Master,
    /// Nobody needs a key: there is no master key, and only this machine is served.
    Open,
    /// Holds a virtual key.
    Key(Resolved),
}

/// Whose something is that is kept for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The master key's.
    Master,
    /// Anyone's on this machine.
    Open,
    /// A key's.
    Key(Hash),
}

impl Caller {
    /// As whose something is kept for it.
    #[must_use]
    pub fn owner(&self) -> Owner {
        match self {
            Self::Master => Owner::Master,
            Self::Open => Owner::Open,
            Self::Key(resolved) => Owner::Key(resolved.key.hash),
        }
    }

    /// The key, where it is a virtual one.
    #[must_use]
    pub fn key(&self) -> Option<&Resolved> {
        match self {
            Self::Key(resolved) => Some(resolved),
            Self::Master | Self::Open => None,
        }
    }
}

impl KeyRing {
    /// A ring with an optional master key, and an optional extra header that may carry keys.
    #[must_use]
    pub fn new(master: Option<&SecretString>, header: Option<HeaderName>) -> Self {
        Self { master: master.map(|key| hash(key.expose_secret().as_bytes())), header }
    }

    /// Whether calls need a key.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.master.is_some()
    }

    /// Who is calling: the holder of the master key, or of one that `directory` knows.
    ///
    /// # Errors
    /// 401, in the same words whether the key is missing or wrong.
    pub fn identify(&self, headers: &HeaderMap, directory: Option<&Directory>) -> Result<Caller, Refusal> {
        let Some(master) = &self.master else { return Ok(Caller::Open) };
        let sent = self.sent(headers).filter(|sent| !sent.is_empty());
        let hashed = sent.map(hash).unwrap_or_default();
        if verify_slices_are_equal(&hashed, master).is_ok() {
            return Ok(Caller::Master);
        }
        let (Some(sent), Some(directory)) = (sent, directory) else { return Err(unknown()) };
        if !sent.starts_with(b"sk-") {
            return Err(not_a_key(sent));
        }
        let now = i64::try_from(unix_ms()).unwrap_or(i64::MAX);
        let resolved = directory.find(&hashed, now).ok_or_else(not_known)?;
        in_force(&resolved, now)?;
        Ok(Caller::Key(resolved))
    }

    /// The key as sent, from the first header that is there.
    fn sent<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        let own = [self.header.as_ref(), Some(&OWN_HEADER)].into_iter().flatten();
        if let Some(value) = own.filter_map(|name| headers.get(name)).next() {
            return Some(bare(value).unwrap_or_else(|| value.as_bytes().trim_ascii()));
        }
        if let Some(value) = headers.get(AUTHORIZATION) {
            return bare(value);
        }
        KEY_HEADERS.iter().find_map(|name| headers.get(name)).map(|value| value.as_bytes().trim_ascii())
    }
}

/// The credentials behind an authentication scheme. `Basic` is how Langfuse clients send a plain key.
fn bare(value: &HeaderValue) -> Option<&[u8]> {
    let bytes = value.as_bytes().trim_ascii();
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = bytes.split_at(space);
    let known = scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"basic");
    known.then(|| rest.trim_ascii())
}

/// A key that is there may be blocked or of the past.
fn in_force(resolved: &Resolved, now_ms: i64) -> Result<(), Refusal> {
    let key = &resolved.key;
    if key.blocked {
        return Err(refused(
            "Authentication Error, Key is blocked. Update via `/key/unblock` if you're an admin.".to_owned(),
        ));
    }
    if let Some(expires) = key.expires_ms.filter(|expires| *expires <= now_ms) {
        let name = key.alias().unwrap_or("this key");
        return Err(refused(format!(
            "Authentication Error - Expired Key. Key Expiry time {} and current time {}",
            time(expires),
            time(now_ms)
        ))
        .with_kind("expired_key")
        .with_param(name));
    }
    if let Some(team) = resolved.who.team.as_ref().filter(|team| team.record.fields.blocked) {
        return Err(refused(format!(
            "Authentication Error, Team={} is blocked. Update via `/team/unblock` if you're an admin.",
            team.id()
        )));
    }
    if let Some(user) = resolved.who.user.as_ref().filter(|user| user.record.fields.blocked) {
        return Err(refused(format!("Authentication Error, User={} is blocked.", user.id())));
    }
    if let Some(project) = resolved.who.project.as_ref().filter(|project| project.record.fields.blocked) {
        return Err(refused(format!("Authentication Error, Project={} is blocked.", project.id())));
    }
    Ok(())
}

/// Milliseconds of Unix time as people read it, in UTC.
fn time(unix_ms: i64) -> String {
    let since = std::time::Duration::from_millis(u64::try_from(unix_ms).unwrap_or(0));
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

/// Only the ends of what was sent are shown.
fn not_a_key(sent: &[u8]) -> Refusal {
    let text = String::from_utf8_lossy(sent);
    let ends = match text.chars().count() {
        0..=11 => "****".to_owned(),
        count => {
            let start: String = text.chars().take(4).collect();
            let end: String = text.chars().skip(count - 4).collect();
            format!("{start}****{end}")
        }
    };
    refused(format!(
        "Authentication Error, LiteLLM Virtual Key expected. Received={ends}, expected to start with 'sk-'."
    ))
}

fn not_known() -> Refusal {
    refused("Authentication Error, Invalid API key provided.".to_owned()).with_kind(UNKNOWN).with_param("key")
}

fn refused(message: String) -> Refusal {
    Refusal::new(401, message).with_kind("auth_error")
}

fn unknown() -> Refusal {
    Refusal::new(
        401,
        "Authentication Error, no valid API key was sent. Send the gateway's key as `Authorization: Bearer sk-…` \
         (or in the `api-key`, `x-api-key` or `x-goog-api-key` header).",
    )
    .with_kind("auth_error")
}

/// Without a master key only this machine is served. A page from elsewhere, open in a browser on this
/// machine, also connects from here: it gives itself away by the address it asked for or by its origin.
///
/// # Errors
/// 403 that says to set a master key.
pub fn only_this_machine(headers: &HeaderMap, peer: IpAddr) -> Result<(), Refusal> {
    let host = headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let origin = headers.get(http::header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let origin_host = origin.map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
    if peer.is_loopback() && host.is_none_or(is_loopback_name) && origin_host.is_none_or(is_loopback_name) {
        return Ok(());
    }
    Err(Refusal::new(
        403,
        "This gateway has no master key, so it serves only this machine. Set general_settings.master_key (or \
         LITELLM_MASTER_KEY) to serve others.",
    ))
}

/// Whether `host` or `host:port` is this machine.
fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    local || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
