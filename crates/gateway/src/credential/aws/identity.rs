//! Who we are at AWS, as a signed request that somebody else may send: what Google takes as an identity token.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{chain, checked, sign};
use crate::credential::{CredentialError, Surroundings, Unsigned, setting, token};
use crate::settings::AwsSettings;
use crate::web::Ask;

const FIELD: &str = "vertex_credentials.credential_source";

/// A signed `GetCallerIdentity` for `audience`. `source` is the `credential_source` of the credentials' file.
pub(in crate::credential) async fn signed(
    audience: &str,
    source: &Value,
    around: &Surroundings,
) -> Result<SecretString, CredentialError> {
    let region = region(source, around).await?;
    let url = source["regional_cred_verification_url"]
        .as_str()
        .ok_or_else(|| setting(FIELD, "has no regional_cred_verification_url"))?
        .replace("{region}", &region);
    let uri: Uri =
        url.parse().map_err(|_| setting(FIELD, "regional_cred_verification_url is not an address"))?;
    let keys = chain::keys(&AwsSettings::default(), &region, around).await?;
    let mut headers = HeaderMap::new();
    let target = HeaderValue::from_str(audience).map_err(|_| setting(FIELD, "the audience is not text"))?;
    headers.insert(sign::TARGET, target);
    let unsigned = Unsigned { method: &Method::POST, url: &uri, headers: &headers, body: b"" };
    let signature = sign::sign(&unsigned, &keys, "sts", &region, around.clock.now())?;
    headers.extend(signature);
    let mut pairs: Vec<Value> = headers
        .iter()
        .map(
            |(name, value)| json!({"key": name.as_str(), "value": String::from_utf8_lossy(value.as_bytes())}),
        )
        .collect();
    pairs.push(json!({"key": "host", "value": uri.authority().map_or("", |host| host.as_str())}));
    let request = json!({"url": url, "method": "POST", "headers": pairs}).to_string();
    Ok(form_urlencoded::byte_serialize(request.as_bytes()).collect::<String>().into())
}

async fn region(source: &Value, around: &Surroundings) -> Result<String, CredentialError> {
    let known = around.variable("AWS_REGION").or_else(|| around.variable("AWS_DEFAULT_REGION"));
    if let Some(region) = known {
        return checked(region);
    }
    let place = "the EC2 instance metadata service";
    let url = source["region_url"].as_str().ok_or_else(|| setting(FIELD, "has no region_url"))?;
    let mut ask = Ask::get(url).within(Duration::from_secs(1));
    if let Some(url) = source["imdsv2_session_token_url"].as_str() {
        let session = Ask::put(url).within(Duration::from_secs(1)).header(
            HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds"),
            HeaderValue::from_static("300"),
        );
        let session = token::text(around, place, session).await?;
        let value = crate::credential::secret_value("IMDSv2 token", session.trim())?;
        ask = ask.header(HeaderName::from_static("x-aws-ec2-metadata-token"), value);
    }
    let zone = token::text(around, place, ask).await?;
    // The answer is a zone such as `us-east-2b`.
    checked(zone.trim().trim_end_matches(|letter: char| letter.is_ascii_lowercase()))
}
