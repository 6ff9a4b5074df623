//! Oracle Cloud: the RSA key that signs each request, and whose it is. What is signed is
//! [`wire::oracle::signature`]'s.
//!
//! What is configured comes before what the environment holds, and that before a profile of the file that Oracle's own
//! tools keep (`~/.oci/config`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use http::header::{AUTHORIZATION, DATE, HeaderName, HeaderValue};
use wire::oracle::signature::{self, Request, Signed};

use super::{
    Clock, CredentialError, Headers, Surroundings, Unsigned, either, either_secret, file, jwt, secret_value,
    setting,
};
use crate::settings::OracleSettings;

/// Where Oracle's own clients go when nobody says where.
const REGION: &str = "us-ashburn-1";

/// What signs.
#[derive(Debug)]
pub(super) struct Signature {
    key: RsaKeyPair,
    /// `TENANCY/USER/FINGERPRINT`.
    key_id: String,
    clock: Clock,
}

impl Signature {
    pub(super) fn new(settings: &OracleSettings, around: &Surroundings) -> Result<Self, CredentialError> {
        let profile = Profile::read(around)?;
        let part = |param: &Option<String>, field: &str, variable: &str| {
            let value = either(param.as_deref(), variable, around)
                .or_else(|| profile.get(field.strip_prefix("oci_")?).map(str::to_owned))
                .ok_or_else(|| setting(field, format!("is missing; the environment has no {variable}")))?;
            let fits = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-_".contains(&byte));
            if fits { Ok(value) } else { Err(setting(field, "holds characters that no id has")) }
        };
        let tenancy = part(&settings.tenancy, "oci_tenancy", "OCI_TENANCY")?;
        let user = part(&settings.user, "oci_user", "OCI_USER")?;
        let fingerprint = part(&settings.fingerprint, "oci_fingerprint", "OCI_FINGERPRINT")?;
        Ok(Self {
            key: key(settings, &profile, around)?,
            key_id: format!("{tenancy}/{user}/{fingerprint}"),
            clock: around.clock.clone(),
        })
    }

    pub(super) fn sign(&self, request: &Unsigned<'_>) -> Result<Headers, CredentialError> {
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.clock.now()));
        let method = request.method.as_str().to_ascii_lowercase();
        let signed = Request {
            method: &method,
            host: request.url.authority().map_or("", |authority| authority.as_str()),
            target: request.url.path_and_query().map_or("/", |target| target.as_str()),
            date: &date,
            body: request.body,
        };
        let Signed { content_sha256, authorization } = signature::sign(&signed, &self.key_id, |text| {
            let mut signature = vec![0; self.key.public_modulus_len()];
            self.key
                .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
                .map_err(|_| setting("oci_key", "cannot sign"))?;
            Ok(signature)
        })?;
        let plain = |text: &str| HeaderValue::from_str(text).map_err(|_| setting("oci_key", "cannot sign"));
        Ok(vec![
            (DATE, plain(&date)?),
            (HeaderName::from_static("x-content-sha256"), plain(&content_sha256)?),
            (AUTHORIZATION, secret_value("oci_user", &authorization)?),
        ])
    }
}

/// A section of the file that Oracle's own tools keep; empty where there is no file.
struct Profile(BTreeMap<String, String>);

impl Profile {
    fn read(around: &Surroundings) -> Result<Self, CredentialError> {
        let named = around.variable("OCI_CONFIG_FILE").map(|path| expanded(path, around));
        let usual = || around.home().map(|home| home.join(".oci/config")).filter(|path| path.exists());
        let Some(path) = named.or_else(usual) else { return Ok(Self(BTreeMap::new())) };
        let wanted = around.variable("OCI_CONFIG_PROFILE");
        let section = Self::section(&file::read_now(&path)?, wanted.unwrap_or("DEFAULT"));
        match section {
            None if wanted.is_some() => Err(file::unusable(&path, "has no profile of this name")),
            section => Ok(Self(section.unwrap_or_default())),
        }
    }

    fn section(text: &str, wanted: &str) -> Option<BTreeMap<String, String>> {
        let (mut section, mut within) = (None, false);
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                within = name.trim() == wanted;
                if within {
                    section.get_or_insert_with(BTreeMap::new);
                }
            } else if let (true, Some((key, value))) = (within, line.split_once('='))
                && !line.starts_with(['#', ';'])
            {
                section
                    .get_or_insert_with(BTreeMap::new)
                    .insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
        section
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// `path`, in which `~` is the home.
fn expanded(path: &str, around: &Surroundings) -> PathBuf {
    match (path.strip_prefix("~/"), around.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// What is configured comes before what the environment holds, and a key before a file.
fn key(
    settings: &OracleSettings,
    profile: &Profile,
    around: &Surroundings,
) -> Result<RsaKeyPair, CredentialError> {
    let in_file = |path: &str| jwt::key("oci_key_file", &file::read_now(&expanded(path, around))?.into());
    if let Some(key) = &settings.key {
        return jwt::key("oci_key", key);
    }
    if let Some(path) = &settings.key_file {
        return in_file(path);
    }
    if let Some(key) = either_secret(None, "OCI_KEY", around) {
        return jwt::key("OCI_KEY", &key);
    }
    if profile.get("pass_phrase").is_some() && around.variable("OCI_KEY_FILE").is_none() {
        return Err(setting("pass_phrase", "a key with a pass phrase cannot be used: store one without"));
    }
    match around.variable("OCI_KEY_FILE").or_else(|| profile.get("key_file")) {
        Some(path) => in_file(path),
        None => Err(CredentialError::Nowhere {
            looked_at: "oci_key, oci_key_file, OCI_KEY, OCI_KEY_FILE, ~/.oci/config".to_owned(),
        }),
    }
}

/// The region to call.
pub(crate) fn region(settings: &OracleSettings, around: &Surroundings) -> String {
    // A file that cannot be read is told where the key is looked for.
    let profile = || Profile::read(around).ok()?.get("region").map(str::to_owned);
    either(settings.region.as_deref(), "OCI_REGION", around)
        .or_else(profile)
        .unwrap_or_else(|| REGION.to_owned())
}

/// Who pays, for calls that do not name the compartment themselves.
pub(crate) fn compartment(around: &Surroundings) -> Option<(&'static str, String)> {
    around.variable("OCI_COMPARTMENT_ID").map(|id| ("oci_compartment_id", id.to_owned()))
}

#[cfg(test)]
#[path = "oracle_tests.rs"]
mod tests;
