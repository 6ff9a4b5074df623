//! Profiles of `~/.aws/credentials` and `~/.aws/config`.
//!
//! Keys, roles with a `source_profile` or a `credential_source`, token files, regions. Not here: SSO and
//! `credential_process`, which are refused by name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;

use super::{Keys, chain, machine, sts};
use crate::credential::{CredentialError, Surroundings, file, setting};
use crate::settings::AwsSettings;

/// How many profiles may stand on each other.
const MOST_SOURCES: usize = 8;

type Profile = BTreeMap<String, String>;
type Profiles = BTreeMap<String, Profile>;

/// The keys of the profile that is asked for by name.
pub(super) async fn keys(
    name: &str,
    sts: &sts::Sts<'_>,
    around: &Surroundings,
) -> Result<Keys, CredentialError> {
    let profiles = read(around).await?;
    resolve(name, &profiles, sts, around).await
}

/// The keys of the profile that nobody asked for, if it is there and has any.
pub(super) async fn default(
    sts: &sts::Sts<'_>,
    around: &Surroundings,
) -> Result<Option<Keys>, CredentialError> {
    if let Some(name) = around.variable("AWS_PROFILE") {
        return keys(name, sts, around).await.map(Some);
    }
    let profiles = read(around).await?;
    let says_something = profiles.get("default").is_some_and(|profile| {
        profile
            .keys()
            .any(|key| key.starts_with("aws_access") || key.starts_with("role") || key.contains("sso"))
    });
    if says_something { resolve("default", &profiles, sts, around).await.map(Some) } else { Ok(None) }
}

/// The region of the profile in force. Absent files are no trouble here.
pub(super) fn region(settings: &AwsSettings, around: &Surroundings) -> Option<String> {
    let name = settings.profile.as_deref().or_else(|| around.variable("AWS_PROFILE_NAME"));
    let name = name.or_else(|| around.variable("AWS_PROFILE")).unwrap_or("default");
    let mut profiles = Profiles::new();
    for (path, is_config) in paths(around) {
        merge(&mut profiles, &file::read_now(&path).unwrap_or_default(), is_config);
    }
    profiles.remove(name)?.remove("region")
}

/// Where a profile's role gets its first keys.
enum Base<'a> {
    Keys(Keys),
    Token { role: &'a str, session: String, path: &'a str },
}

async fn resolve(
    name: &str,
    profiles: &Profiles,
    sts: &sts::Sts<'_>,
    around: &Surroundings,
) -> Result<Keys, CredentialError> {
    // Roles from the one asked for down to the keys, assumed from there upwards.
    let mut roles: Vec<(&str, &Profile)> = Vec::new();
    let mut at = name;
    let base = loop {
        let profile = profiles.get(at).ok_or_else(|| {
            setting("aws_profile_name", format!("there is no profile `{at}` in ~/.aws/credentials or config"))
        })?;
        let Some(role) = profile.get("role_arn") else {
            break Base::Keys(own_keys(at, profile)?);
        };
        if let Some(path) = profile.get("web_identity_token_file") {
            break Base::Token { role, session: session(profile, around), path };
        }
        roles.push((role, profile));
        if roles.len() > MOST_SOURCES {
            return Err(setting("aws_profile_name", format!("the profiles under `{name}` are a circle")));
        }
        match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(source), _) if source == at => break Base::Keys(own_keys(at, profile)?),
            (Some(source), _) => at = source,
            (None, Some(source)) => break Base::Keys(outside(source, around).await?),
            (None, None) => {
                return Err(unusable(at, "has role_arn and neither source_profile nor credential_source"));
            }
        }
    };
    let mut keys = match base {
        Base::Keys(keys) => keys,
        Base::Token { role, session, path } => {
            sts.with_token(role, &session, &file::token(path).await?).await?
        }
    };
    for (role, profile) in roles.into_iter().rev() {
        let external_id = profile.get("external_id").map(|id| SecretString::from(id.as_str()));
        keys = sts.with_keys(role, &session(profile, around), external_id.as_ref(), &keys).await?;
    }
    Ok(keys)
}

fn session(profile: &Profile, around: &Surroundings) -> String {
    profile.get("role_session_name").cloned().unwrap_or_else(|| format!("tollgate-{}", around.clock.now()))
}

async fn outside(source: &str, around: &Surroundings) -> Result<Keys, CredentialError> {
    match source {
        "Environment" => chain::from_environment(around)
            .ok_or_else(|| setting("credential_source", "AWS_ACCESS_KEY_ID is not set")),
        "EcsContainer" => machine::container(around)
            .await?
            .ok_or_else(|| setting("credential_source", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set")),
        "Ec2InstanceMetadata" => machine::instance(around).await,
        other => Err(setting("credential_source", format!("`{other}` is not known"))),
    }
}

fn own_keys(name: &str, profile: &Profile) -> Result<Keys, CredentialError> {
    let (Some(id), Some(secret)) = (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"))
    else {
        let kinds = ["sso_session", "sso_start_url", "credential_process"];
        let why = match kinds.iter().find(|key| profile.contains_key(**key)) {
            Some(key) => format!("gets its keys by {key}, which is not supported"),
            None => "has no aws_access_key_id and aws_secret_access_key".to_owned(),
        };
        return Err(unusable(name, &why));
    };
    Ok(Keys {
        access_key_id: id.as_str().into(),
        secret_access_key: secret.as_str().into(),
        session_token: profile.get("aws_session_token").map(|token| token.as_str().into()),
        expires: None,
    })
}

fn unusable(name: &str, why: &str) -> CredentialError {
    setting("aws_profile_name", format!("the profile `{name}` {why}"))
}

async fn read(around: &Surroundings) -> Result<Profiles, CredentialError> {
    let mut profiles = Profiles::new();
    for (path, is_config) in paths(around) {
        // Either may be missing; what is there must be readable.
        if tokio::fs::try_exists(&path).await.unwrap_or(true) {
            merge(&mut profiles, &file::read(path).await?, is_config);
        }
    }
    Ok(profiles)
}

/// The files in the order in which they are merged: what `credentials` says wins.
fn paths(around: &Surroundings) -> impl Iterator<Item = (PathBuf, bool)> {
    let path = |variable: &str, name: &str| {
        let named = around.variable(variable).map(PathBuf::from);
        named.or_else(|| around.home().map(|home| home.join(".aws").join(name)))
    };
    let config = path("AWS_CONFIG_FILE", "config").map(|path| (path, true));
    config.into_iter().chain(path("AWS_SHARED_CREDENTIALS_FILE", "credentials").map(|path| (path, false)))
}

fn merge(profiles: &mut Profiles, text: &str, is_config: bool) {
    let mut section: Option<&mut Profile> = None;
    for line in text.lines() {
        let is_nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            let name = section_name(header.trim(), is_config);
            section = name.map(|name| profiles.entry(name.to_owned()).or_default());
        } else if let (Some(section), Some((key, value)), false) =
            (&mut section, line.split_once('='), is_nested)
        {
            // A comment after a value begins with a space.
            let value = value.split(" #").next().unwrap_or(value);
            section.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
}

/// `config` writes `[profile name]`, but for the default one; its other sections are not profiles.
fn section_name(header: &str, is_config: bool) -> Option<&str> {
    let name = match header.strip_prefix("profile") {
        Some(name) if is_config && name.starts_with([' ', '\t']) => name.trim(),
        _ if is_config && header != "default" => return None,
        _ => header,
    };
    Some(name.trim_matches(['"', '\'']))
}
