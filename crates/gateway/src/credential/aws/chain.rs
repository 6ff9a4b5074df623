//! In which order access keys are looked for.
//!
//! 1. a role, assumed with an identity token (`aws_web_identity_token`, or the environment's token file)
//! 2. a role, assumed with the keys that the following steps find
//! 3. the profile that is named
//! 4. the keys that are configured
//! 5. what the environment and the machine offer, as AWS's own libraries do: `AWS_ACCESS_KEY_ID`, a token file
//!    with `AWS_ROLE_ARN`, the default profile, the container's endpoint, the instance's metadata

use secrecy::SecretString;

use super::{Keys, machine, profile, sts};
use crate::credential::{CredentialError, Surroundings, either, either_secret, file, reference, setting};
use crate::settings::AwsSettings;

/// Finds what is wrong with the settings without asking anybody.
pub(super) fn check(settings: &AwsSettings, around: &Surroundings) -> Result<(), CredentialError> {
    explicit(settings)?;
    if settings.web_identity_token.is_some() && role(settings, around).is_none() {
        return Err(setting("aws_web_identity_token", "needs aws_role_name, the role to assume with it"));
    }
    Ok(())
}

/// The keys in force now.
pub(super) async fn keys(
    settings: &AwsSettings,
    region: &str,
    around: &Surroundings,
) -> Result<Keys, CredentialError> {
    let sts = sts::Sts::new(settings, region, around);
    let Some(role) = role(settings, around) else { return own(settings, &sts, around).await };
    let session = session(settings, around);
    let identity = either_secret(settings.web_identity_token.as_ref(), "AWS_WEB_IDENTITY_TOKEN", around);
    if let Some(written) = &identity {
        let token = reference::resolve("aws_web_identity_token", written, around).await?;
        return sts.with_token(&role, &session, &token).await;
    }
    let is_own = settings.profile.is_none() && settings.access_key_id.is_none();
    if is_own
        && let Some(path) = around.variable("AWS_WEB_IDENTITY_TOKEN_FILE")
        && around.variable("AWS_ROLE_ARN").is_none_or(|own| own == role)
    {
        // The pod's own role, or a pod that was given a token and no role: one step is enough.
        return sts.with_token(&role, &session, &file::token(path).await?).await;
    }
    let base = own(settings, &sts, around).await?;
    let external_id = either_secret(settings.external_id.as_ref(), "AWS_EXTERNAL_ID", around);
    sts.with_keys(&role, &session, external_id.as_ref(), &base).await
}

/// The keys we have without assuming `aws_role_name`.
async fn own(
    settings: &AwsSettings,
    sts: &sts::Sts<'_>,
    around: &Surroundings,
) -> Result<Keys, CredentialError> {
    if let Some(name) = either(settings.profile.as_deref(), "AWS_PROFILE_NAME", around) {
        return profile::keys(&name, sts, around).await;
    }
    match explicit(settings)? {
        Some(keys) => Ok(keys),
        None => ambient(settings, sts, around).await,
    }
}

async fn ambient(
    settings: &AwsSettings,
    sts: &sts::Sts<'_>,
    around: &Surroundings,
) -> Result<Keys, CredentialError> {
    if let Some(keys) = from_environment(around) {
        return Ok(keys);
    }
    if let (Some(path), Some(role)) =
        (around.variable("AWS_WEB_IDENTITY_TOKEN_FILE"), around.variable("AWS_ROLE_ARN"))
    {
        let token = file::token(path).await?;
        return sts.with_token(role, &session(settings, around), &token).await;
    }
    if let Some(keys) = profile::default(sts, around).await? {
        return Ok(keys);
    }
    if let Some(keys) = machine::container(around).await? {
        return Ok(keys);
    }
    if around.variable("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(nowhere("; the instance's metadata is switched off by AWS_EC2_METADATA_DISABLED"));
    }
    machine::instance(around).await.map_err(|error| match error {
        CredentialError::Unreachable { .. } => nowhere(" and the instance's metadata"),
        other => other,
    })
}

fn nowhere(last: &str) -> CredentialError {
    CredentialError::Nowhere {
        looked_at: format!(
            "aws_access_key_id, aws_profile_name, AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, ~/.aws, the \
             container's endpoint{last}"
        ),
    }
}

/// The configured keys; half of a pair is a mistake.
fn explicit(settings: &AwsSettings) -> Result<Option<Keys>, CredentialError> {
    match (&settings.access_key_id, &settings.secret_access_key) {
        (Some(id), Some(secret)) => Ok(Some(Keys {
            access_key_id: id.clone(),
            secret_access_key: secret.clone(),
            session_token: settings.session_token.clone(),
            expires: None,
        })),
        (Some(_), None) => Err(setting("aws_secret_access_key", "is missing beside aws_access_key_id")),
        (None, Some(_)) => Err(setting("aws_access_key_id", "is missing beside aws_secret_access_key")),
        (None, None) => Ok(None),
    }
}

pub(super) fn from_environment(around: &Surroundings) -> Option<Keys> {
    Some(Keys {
        access_key_id: around.variable("AWS_ACCESS_KEY_ID")?.into(),
        secret_access_key: around.variable("AWS_SECRET_ACCESS_KEY")?.into(),
        session_token: around.variable("AWS_SESSION_TOKEN").map(SecretString::from),
        expires: None,
    })
}

fn role(settings: &AwsSettings, around: &Surroundings) -> Option<String> {
    either(settings.role.as_deref(), "AWS_ROLE_NAME", around)
}

fn session(settings: &AwsSettings, around: &Surroundings) -> String {
    either(settings.session_name.as_deref(), "AWS_SESSION_NAME", around)
        .or_else(|| either(None, "AWS_ROLE_SESSION_NAME", around))
        .unwrap_or_else(|| format!("tollgate-{}", around.clock.now()))
}
