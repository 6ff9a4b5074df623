//! Where Amazon Bedrock serves a model: LiteLLM's model strings taken apart, and the path of each route. What is
//! sent there is [`crate::bedrock_converse`]'s and [`crate::anthropic_messages`]'.

use crate::sigv4::encoded;

#[cfg(test)]
#[path = "bedrock_tests.rs"]
mod tests;

/// Which API of Bedrock a model string asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// The Converse API, the same for all models. What is meant where nothing is said.
    Converse,
    /// The model's own format.
    Invoke,
    /// Another word of LiteLLM's (`agent`, `mantle`, …), which leads elsewhere.
    Other(&'a str),
}

/// A model string taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The API.
    pub route: Route<'a>,
    /// The region that the string or the ARN names; it wins over the environment's.
    pub region: Option<&'a str>,
    /// The family that a word before an ARN names (`llama`), for ids that do not tell.
    pub family: Option<&'a str>,
    /// What Bedrock calls the model: a model id, the id of an inference profile, or an ARN.
    pub id: &'a str,
}

const OTHER_ROUTES: [&str; 8] = [
    "converse_like",
    "agent",
    "agentcore",
    "async_invoke",
    "openai",
    "chat_completions",
    "mantle",
    "claude_platform",
];

const FAMILIES: [&str; 6] = ["deepseek_r1", "llama", "nova", "nova-2", "qwen2", "qwen3"];

/// Inference profiles are named by where they may send a call.
const PROFILES: [&str; 9] = ["us-gov", "global", "apac", "us", "eu", "jp", "au", "ca", "in"];

impl<'a> Address<'a> {
    /// Takes `bedrock/converse/us-east-1/anthropic.claude-…` apart; every part before the id may be missing.
    #[must_use]
    pub fn of(model: &'a str) -> Self {
        let mut rest = model.strip_prefix("bedrock/").unwrap_or(model);
        let mut address = Self { route: Route::Converse, region: None, family: None, id: rest };
        let mut routed = false;
        while let Some((word, after)) = rest.split_once('/').filter(|_| !rest.starts_with("arn:")) {
            match word {
                "converse" if !routed => address.route = Route::Converse,
                "invoke" if !routed => address.route = Route::Invoke,
                _ if !routed && OTHER_ROUTES.contains(&word) => address.route = Route::Other(word),
                _ if address.region.is_none() && is_region(word) => address.region = Some(word),
                _ if FAMILIES.contains(&word) => address.family = Some(word),
                // Provisioned throughput in the price list.
                _ if word.ends_with("-month-commitment") => {}
                _ => break,
            }
            routed = routed || address.route != Route::Converse || word == "converse";
            rest = after;
        }
        address.id = rest;
        if let Some(region) = rest.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)) {
            address.region = address.region.or(Some(region).filter(|region| is_region(region)));
        }
        address
    }

    /// The path of the call, encoded once, with `stream` of its streamed twin. `None` for a route that is no part of
    /// this API.
    #[must_use]
    pub fn path(&self, stream: bool) -> Option<String> {
        let verb = match (self.route, stream) {
            (Route::Converse, false) => "converse",
            (Route::Converse, true) => "converse-stream",
            (Route::Invoke, false) => "invoke",
            (Route::Invoke, true) => "invoke-with-response-stream",
            (Route::Other(_), _) => return None,
        };
        Some(format!("/model/{}/{verb}", encoded(self.id, false)))
    }
}

/// The host that serves models in `region`, or `None` when that is not the name of a region: a name with a dot or a
/// slash in it would send the call elsewhere.
#[must_use]
pub fn host(region: &str) -> Option<String> {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    is_region(region).then(|| format!("bedrock-runtime.{region}.amazonaws.com{suffix}"))
}

/// Whether `word` has the shape of a region's name: `us-east-1`, `us-gov-west-1`, `ap-southeast-2`.
#[must_use]
pub fn is_region(word: &str) -> bool {
    let mut parts: Vec<&str> = word.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    matches!(parts.len(), 2 | 3)
        && parts.iter().all(letters)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The id without what an inference profile or an ARN puts around it: `anthropic.claude-…` of
/// `us.anthropic.claude-…`. The id of an application's own profile stays as it is, for it tells nothing.
#[must_use]
pub fn base_id(id: &str) -> &str {
    let id = if id.starts_with("arn:") { id.rsplit_once('/').map_or(id, |(_, name)| name) } else { id };
    let profile = PROFILES.iter().find_map(|profile| id.strip_prefix(profile)?.strip_prefix('.'));
    profile.unwrap_or(id)
}

/// Whether the bytes at `url` must be sent along: Bedrock fetches from S3 alone. Whoever may open connections
/// fetches them before a request is encoded.
#[must_use]
pub fn needs_bytes(url: &str) -> bool {
    !url.starts_with("s3://")
}
