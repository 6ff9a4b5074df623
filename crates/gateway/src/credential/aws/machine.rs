//! What a container or an instance is given by the machine it runs on.

use std::net::IpAddr;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Host, Url};

use super::Keys;
use crate::credential::{CredentialError, Surroundings, file, malformed, secret_value, setting, time, token};
use crate::web::Ask;

/// These endpoints are on this machine or not there at all.
const PATIENCE: Duration = Duration::from_secs(1);
const CONTAINER: &str = "the container credentials endpoint";
const INSTANCE: &str = "the EC2 instance metadata service";
/// Where ECS and EKS serve credentials in plain HTTP.
const PLAIN: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

/// What ECS or EKS gives this container, if it says where.
pub(super) async fn container(around: &Surroundings) -> Result<Option<Keys>, CredentialError> {
    let url = match (
        around.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        around.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ) {
        (Some(path), _) => format!("http://169.254.170.2{path}"),
        (None, Some(url)) => url.to_owned(),
        (None, None) => return Ok(None),
    };
    if !is_local_or_encrypted(&url) {
        return Err(setting(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "is neither https nor an address of this machine, of ECS or of EKS",
        ));
    }
    let token = match around.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => Some(file::token(path).await?),
        None => around.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(SecretString::from),
    };
    let mut ask = Ask::get(url).within(PATIENCE);
    if let Some(token) = token {
        let value = secret_value("AWS_CONTAINER_AUTHORIZATION_TOKEN", token.expose_secret())?;
        ask = ask.header(AUTHORIZATION, value);
    }
    keys(CONTAINER, &token::object(around, CONTAINER, ask).await?).map(Some)
}

/// What the instance's role gives, by IMDSv2.
pub(super) async fn instance(around: &Surroundings) -> Result<Keys, CredentialError> {
    let base = around
        .variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")
        .unwrap_or("http://169.254.169.254")
        .trim_end_matches('/');
    let ask = Ask::put(format!("{base}/latest/api/token")).within(PATIENCE).header(
        HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds"),
        HeaderValue::from_static("21600"),
    );
    let session = token::text(around, INSTANCE, ask).await?;
    let session = secret_value("IMDSv2 token", session.trim())?;
    let read = async |path: &str| {
        let ask = Ask::get(format!("{base}/latest/meta-data/iam/security-credentials/{path}"))
            .within(PATIENCE)
            .header(HeaderName::from_static("x-aws-ec2-metadata-token"), session.clone());
        token::text(around, INSTANCE, ask).await
    };
    let role = read("").await?;
    let role = role.lines().next().map(str::trim).filter(|role| !role.is_empty());
    let role = role.ok_or_else(|| malformed(INSTANCE, "the instance has no role"))?;
    let answer: Value = serde_json::from_str(&read(role).await?)
        .map_err(|_| malformed(INSTANCE, "the credentials are not JSON"))?;
    keys(INSTANCE, &answer)
}

fn keys(place: &str, answer: &Value) -> Result<Keys, CredentialError> {
    let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
    let secret = |name: &str| {
        text(name).map(SecretString::from).ok_or_else(|| malformed(place, format!("there is no {name}")))
    };
    let expires = match text("Expiration") {
        Some(text) => Some(time::parse(text).ok_or_else(|| malformed(place, "Expiration is not a date"))?),
        None => None,
    };
    Ok(Keys {
        access_key_id: secret("AccessKeyId")?,
        secret_access_key: secret("SecretAccessKey")?,
        session_token: text("Token").map(SecretString::from),
        expires,
    })
}

/// The rule of AWS's own libraries: a variable must not send the container's token across a network in clear.
fn is_local_or_encrypted(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(name)) => return url.scheme() == "https" || name == "localhost",
        None => return false,
    };
    url.scheme() == "https" || address.is_loopback() || PLAIN.contains(&address.to_string().as_str())
}
