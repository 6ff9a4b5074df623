//! Which row belongs to a model that somebody configured or asked for: names come with and without provider,
//! region, route, version, and rows belong to families of one provider.

use std::borrow::Cow;

use super::size;
use super::{Catalog, Line, Row};

/// Prefixes of a Bedrock profile that say where it runs, not what it is.
const GEOGRAPHIES: [&str; 8] = ["us-gov.", "us.", "eu.", "apac.", "global.", "jp.", "au.", "ca."];

/// Path words before a Bedrock model that say how it is called.
const ROUTES: [&str; 9] = [
    "converse/",
    "converse_like/",
    "invoke/",
    "async_invoke/",
    "openai/",
    "llama/",
    "deepseek_r1/",
    "nova/",
    "mantle/",
];

/// Gateways whose models may be anybody's.
const RESELLERS: [&str; 3] = ["litellm_proxy", "github", "nadir"];

impl Catalog {
    /// The row of a deployment: `model` of `provider` (its routing prefix), in `region` where the provider has
    /// any. `base_model` is the operator's word for what hides behind a name such as an Azure deployment's,
    /// and is tried first. `None` means nobody knows its price.
    #[must_use]
    pub fn row(
        &self,
        provider: &str,
        model: &str,
        base_model: Option<&str>,
        region: Option<&str>,
    ) -> Option<Row<'_>> {
        let named = |base: &str| self.find(provider, base, region).or_else(|| self.get(base));
        base_model
            .and_then(named)
            .or_else(|| self.find(provider, model, region))
            .or_else(|| self.get(size::class(provider, model)?))
    }

    /// The routing prefix of a model that was named without one; `None` when no provider is known for it.
    #[must_use]
    pub fn provider_of(&self, model: &str) -> Option<String> {
        let known =
            self.line(model).and_then(Line::provider).map(|provider| routing_prefix(&provider).to_owned());
        known.or_else(|| {
            // New Claude models appear before any catalog has them, and a fine-tuned model never is in one.
            let prefix = [("anthropic.claude-", "bedrock"), ("claude-", "anthropic"), ("ft:", "openai")];
            let bare = without_geography(model);
            prefix
                .iter()
                .find(|(start, _)| bare.starts_with(start))
                .map(|(_, provider)| (*provider).to_owned())
        })
    }

    /// The models of a provider (its routing prefix) by the names it gives them, sorted, without its prefix.
    pub fn models_of(&self, provider: &str) -> impl Iterator<Item = &str> {
        let mut models: Vec<&str> = self
            .lines()
            .filter(|line| line.provider().is_some_and(|owner| routing_prefix(&owner) == provider))
            .map(|line| without_prefix(provider, line.name))
            .collect();
        models.sort_unstable();
        models.dedup();
        models.into_iter()
    }

    fn find(&self, provider: &str, model: &str, region: Option<&str>) -> Option<Row<'_>> {
        let bare = without_prefix(provider, model);
        let core = core_name(provider, bare);
        let plain = without_version(provider, core);
        let candidates = [
            region.map(|region| Cow::Owned(format!("{provider}/{region}/{core}"))),
            Some(Cow::Owned(format!("{provider}/{bare}"))),
            Some(Cow::Borrowed(model)),
            Some(Cow::Borrowed(bare)),
            Some(Cow::Owned(format!("{provider}/{core}"))),
            Some(Cow::Borrowed(core)),
            Some(Cow::Owned(format!("{provider}/{plain}"))),
            Some(Cow::Borrowed(&*plain)),
            Some(Cow::Owned(format!("{provider}/{provider}/{bare}"))),
        ];
        candidates
            .iter()
            .flatten()
            .filter_map(|name| self.get(name))
            .find(|row| row.provider().is_none_or(|owner| compatible(provider, owner)))
    }
}

/// The routing prefix that reaches the models of a row's `litellm_provider`: rows are split into families
/// that are one provider to callers.
#[must_use]
pub fn routing_prefix(litellm_provider: &str) -> &str {
    match litellm_provider {
        "bedrock_converse" => "bedrock",
        family if family.starts_with("vertex_ai-") => "vertex_ai",
        family if family.starts_with("fireworks_ai-") => "fireworks_ai",
        own => own,
    }
}

/// Whether a deployment of `provider` may be priced by a row of `owner`.
fn compatible(provider: &str, owner: &str) -> bool {
    family(provider) == family(owner)
        || (provider == "azure_ai" && matches!(owner, "azure" | "openai"))
        || RESELLERS.contains(&provider)
}

/// One vendor's price list goes by several names: by kind of model (`vertex_ai-language-models`,
/// `bedrock_converse`) and by kind of call (`cohere_chat`, `text-completion-openai`).
fn family(provider: &str) -> &str {
    if let Some(vendor) =
        ["vertex_ai", "fireworks_ai", "bedrock"].iter().find(|stem| provider.starts_with(**stem))
    {
        return vendor;
    }
    let vendor = provider.strip_prefix("text-completion-").unwrap_or(provider);
    vendor.strip_suffix("_chat").or_else(|| vendor.strip_suffix("_text")).unwrap_or(vendor)
}

fn without_prefix<'m>(provider: &str, model: &'m str) -> &'m str {
    model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model)
}

/// The model itself: on Bedrock without ARN, region path and route.
fn core_name<'m>(provider: &str, model: &'m str) -> &'m str {
    if !provider.starts_with("bedrock") {
        return model;
    }
    let mut rest = model;
    while let Some(shorter) = ROUTES.iter().find_map(|route| rest.strip_prefix(route)) {
        rest = shorter;
    }
    if rest.starts_with("arn:") {
        return rest.rsplit('/').next().unwrap_or(rest);
    }
    match rest.split_once('/') {
        Some((region, model)) if is_region(region) => model,
        _ => rest,
    }
}

/// `us-east-1`, `us-gov-west-1`, …
fn is_region(text: &str) -> bool {
    let digits = text.rsplit('-').next().unwrap_or_default();
    text.matches('-').count() >= 2 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name without what distinguishes builds of one model.
fn without_version<'m>(provider: &str, model: &'m str) -> Cow<'m, str> {
    if let Some((base, _)) = model.strip_prefix("ft:").and_then(|tuned| tuned.split_once(':')) {
        return Cow::Owned(format!("ft:{base}"));
    }
    if provider.starts_with("bedrock") {
        return Cow::Borrowed(without_geography(model));
    }
    match model.rsplit_once('-') {
        Some((base, version))
            if (provider == "gemini" || provider.starts_with("vertex_ai"))
                && version.len() == 3
                && version.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Cow::Borrowed(base)
        }
        _ => Cow::Borrowed(model),
    }
}

fn without_geography(model: &str) -> &str {
    GEOGRAPHIES.iter().find_map(|geography| model.strip_prefix(geography)).unwrap_or(model)
}
