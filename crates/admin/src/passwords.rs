//! Passwords of users: hashed with argon2id. Hashes that LiteLLM made are still good, and are replaced at the next login.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::hash;
use gateway::refusal::Refusal;
use tokio::sync::Semaphore;

use crate::access::Refused;

/// A hash takes 19 MiB and a processor: one at a time, so that logins do not starve calls.
static ONE: Semaphore = Semaphore::const_new(1);

const SHORTEST: usize = 8;
const LONGEST: usize = 1024;
/// A hash that no password has, to take as long for a user who is not there.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a password turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wrong,
    Right,
    /// Right, and its hash is to be replaced by this one.
    Outdated(String),
}

/// Whether a password is good enough to be set.
pub(crate) fn check(password: &str) -> Result<(), Refused> {
    let length = password.chars().count();
    if (SHORTEST..=LONGEST).contains(&length) {
        return Ok(());
    }
    let message = format!("A password has {SHORTEST} to {LONGEST} characters.");
    Err(Refusal::new(400, message).with_kind("bad_request_error").with_param("password").into())
}

/// A hash of `password`, with a salt of its own.
pub(crate) async fn hashed(password: String) -> Result<String, Refused> {
    aside(move || hash(&password)).await?.ok_or_else(broken)
}

/// Whether `password` has the hash `kept`; without one it is compared all the same.
pub(crate) async fn verify(password: String, kept: Option<String>) -> Result<Verdict, Refused> {
    aside(move || {
        let right = matches(&password, kept.as_deref().unwrap_or(NOBODY));
        match kept {
            Some(kept) if right && kept.starts_with("$argon2") => Verdict::Right,
            Some(_) if right => hash(&password).map_or(Verdict::Right, Verdict::Outdated),
            _ => Verdict::Wrong,
        }
    })
    .await
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    let _one = ONE.acquire().await.map_err(|_| broken())?;
    tokio::task::spawn_blocking(work).await.map_err(|_| broken())
}

fn broken() -> Refused {
    Refusal::new(500, "The password could not be hashed.").into()
}

fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

/// `$argon2id$…`; `scrypt:` and base64 of salt (16 bytes) and key (32); SHA-256 in hexadecimal.
fn matches(password: &str, kept: &str) -> bool {
    if let Some(rest) = kept.strip_prefix("scrypt:") {
        return STANDARD.decode(rest).is_ok_and(|bytes| is_scrypt(password, &bytes));
    }
    if let Ok(hash) = PasswordHash::new(kept) {
        return Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    }
    let sha256 = hash::hex(&hash::hash(password.as_bytes()));
    verify_slices_are_equal(sha256.as_bytes(), kept.as_bytes()).is_ok()
}

fn is_scrypt(password: &str, kept: &[u8]) -> bool {
    let Some((salt, key)) = kept.split_first_chunk::<16>() else { return false };
    let Ok(params) = scrypt::Params::new(14, 8, 1) else { return false };
    let mut made = [0; 32];
    let made_well = scrypt::scrypt(password.as_bytes(), salt, &params, &mut made).is_ok();
    made_well && verify_slices_are_equal(&made, key).is_ok()
}

#[cfg(test)]
#[path = "passwords_tests.rs"]
mod tests;
