//! One configured endpoint, compiled: everything that does not depend on the call is prebuilt here.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use memchr::memmem;
use policy::catalog::Catalog;
use policy::money::Cost;
use policy::price::Prices;
use policy::route::Track;
use policy::route::class::PerClass;
use policy::route::cooldown::CooldownPolicy;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use wire::envelope;
use wire::fault::Fault;
use wire::format::{Format, Operation};
use wire::provider::address::AZURE_API_VERSION;
use wire::provider::quirks::Concerns;
use wire::provider::{Addressing, Auth, Host, KeyRule, Provider, SignIn, Speaks, address, resolve};
use wire::reply::{Tier, Usage};

use crate::credential::Credential;
use crate::deliver::{self, Labelled};
use crate::fields::Fields;
use crate::hash::{hash, hex};
use crate::settings::{DeploymentSettings, ProviderSettings, Settings};
use crate::sign_in::{self, SignedIn};
use crate::transport::Destination;

/// A deployment, ready to be called.
#[derive(Debug)]
pub struct Deployment {
    /// Stable across restarts while the entry is unchanged.
    pub id: String,
    /// The public name of its group.
    pub group: String,
    /// The vendor.
    pub provider: &'static Provider,
    /// The tag in error messages, such as `GroqException`.
    pub exception: String,
    /// The model as the upstream knows it.
    pub model: String,
    /// The version of the API that is called, where the provider has versions.
    pub api_version: Option<String>,
    /// Why it cannot be called (a key or an address is missing), for the caller and for `check`.
    pub trouble: Option<String>,
    /// The entry it was compiled from.
    pub settings: DeploymentSettings,
    /// Request fields used where the client sends none, as JSON text.
    pub defaults: Vec<(String, Bytes)>,
    /// Request fields that replace the client's, as JSON text.
    pub overrides: Vec<(String, Bytes)>,
    /// Whether fields the provider does not take are dropped instead of refused.
    pub drop_params: bool,
    /// Bound of one attempt.
    pub timeout: Duration,
    /// Bound of one streaming attempt up to its first byte.
    pub stream_timeout: Duration,
    /// When it rests after failures.
    pub cooldown: CooldownPolicy,
    /// What is known of it right now; kept over reloads where it is configured.
    pub track: Arc<Track>,
    /// Fields that are the same in the head of every answer of this deployment.
    pub labels: Fields,
    /// The catalog's row for the model, for listings.
    pub row: Option<Map<String, Value>>,
    /// When the provider's quirks matter to a request.
    pub concerns: Concerns,
    /// What signs each request or holds its token, where a plain key is not enough.
    pub credential: Option<Credential>,
    prices: Prices,
    free: bool,
    unpriced_said: AtomicBool,
    /// Credentials that are sent upstream and must not come back to a caller.
    secrets: Vec<SecretString>,
    /// One for each format spoken, the preferred one of each operation first.
    lanes: Vec<Lane>,
}

/// Where and how a deployment is called in one format.
#[derive(Debug)]
pub struct Lane {
    /// The format spoken there.
    pub format: Format,
    /// The model as it is named there.
    pub model: String,
    /// The same as JSON text, ready to be spliced.
    pub model_json: Bytes,
    /// Whether the body names the model; in some formats only the address does.
    pub names_model: bool,
    /// The address; `None` where no connection is needed, see [`crate::made`].
    pub to: Option<Destination>,
    /// The address for streams, where that is another.
    pub stream_to: Option<Destination>,
    /// Where tokens are counted, if the provider counts them.
    pub count_to: Option<Destination>,
    /// Whose variation of the format it is.
    pub host: Host,
    /// All headers of the request, credentials included (marked sensitive).
    pub headers: HeaderMap,
}

impl Deployment {
    /// Compiles an entry whose names hold no `*` any more.
    ///
    /// # Errors
    /// What is wrong with the entry, for the person who wrote it.
    pub fn compile(entry: &DeploymentSettings, all: &Settings, catalog: &Catalog) -> Result<Self, String> {
        let resolved =
            resolve::resolve(&entry.model, entry.provider.as_deref(), entry.api_base.as_deref(), |bare| {
                catalog.provider_of(bare)
            })
            .map_err(|error| error.to_string())?;
        let (provider, model) = (resolved.provider, resolved.model);
        let known = all.providers.get(provider.name);
        let mut address = Address::of(entry, known, provider);
        let around = all.surroundings.as_ref();
        let (signed_in, locked) = match sign_in::prepare(entry, known, provider, &model, around) {
            Ok(signed_in) => (signed_in, None),
            Err(problem) => (None, Some(problem)),
        };
        if let Some(signed_in) = &signed_in {
            // A project's path is part of the base even where another host is named.
            let given = address.base.clone().filter(|_| entry.api_base.is_some());
            let keeps = given
                .filter(|base| !matches!(provider.auth, Auth::SignIn(SignIn::Google)) && !base.is_empty());
            address.base = keeps.or_else(|| signed_in.base.clone()).or(address.base);
        }
        let credential = signed_in.as_ref().map(|signed_in| &signed_in.credential);
        let (lanes, trouble) = lanes(entry, known, provider, &model, &address, credential)?;
        let base_model = base_model(entry);
        let row = catalog.row(provider.name, &model, base_model, None).map(|row| row.fields);
        let concerns = Concerns::of(provider.quirks, base_model.unwrap_or(&model));
        let prices = if provider.addressing == Addressing::BuiltIn {
            Ok(Prices::FREE)
        } else {
            Prices::read(provider.name, &[&entry.prices, &entry.model_info], row.as_ref())
        };
        let prices = prices.map_err(|error| error.to_string())?;
        let routing = &all.routing;
        let timeout = entry.timeout.unwrap_or(routing.timeout);
        let id = id_of(entry);
        let name = format!("{}/{model}", provider.name);
        Ok(Self {
            labels: deliver::labels(&Labelled {
                id: &id,
                name: &name,
                base: address.base.as_deref().and_then(without_query).as_deref(),
            }),
            id,
            group: entry.model_name.clone(),
            exception: provider.exception_name(),
            provider,
            model,
            api_version: versioned(provider, &address),
            trouble: locked.or(trouble),
            defaults: defaults(entry, signed_in.as_ref()),
            overrides: json_fields(&entry.extra_body),
            drop_params: entry.drop_params.unwrap_or(routing.drop_params),
            timeout,
            stream_timeout: entry.stream_timeout.or(routing.stream_timeout).unwrap_or(timeout),
            cooldown: cooldown(entry, &routing.cooldown),
            track: Arc::default(),
            settings: entry.clone(),
            row,
            free: prices.is_free(),
            prices,
            concerns,
            unpriced_said: AtomicBool::new(false),
            secrets: secrets(entry, known, credential),
            credential: credential.filter(|credential| credential.fixed().is_none()).cloned(),
            lanes,
        })
    }

    /// Where a caller who speaks `client` is served: in the same format if it is spoken, else in the preferred
    /// one. A completion that the provider only knows as chat is served as chat.
    #[must_use]
    pub fn lane(&self, client: Format) -> Option<&Lane> {
        let operation = client.operation();
        let first = |operation| self.lanes.iter().find(move |lane| lane.format.operation() == operation);
        let own = || self.lanes.iter().find(|lane| lane.format == client).or_else(|| first(operation));
        match operation {
            Operation::Completion if self.is_chat_model() => first(Operation::Chat).or_else(own),
            Operation::Completion => own().or_else(|| first(Operation::Chat)),
            Operation::Chat | Operation::Embedding | Operation::Rerank => own(),
        }
    }

    /// What a call cost; `None` when no price is known.
    #[must_use]
    pub fn cost(&self, operation: Operation, usage: &Usage, elapsed: Duration, now: u64) -> Option<Cost> {
        let cost = self.prices.cost(operation, usage, elapsed, now).map(|charge| charge.total);
        if cost.is_none() && !self.unpriced_said.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                model = %self.group, upstream = ?format!("{}/{}", self.provider.name, self.model),
                "no price is known for this model: its calls are unpriced. Set input_cost_per_token and \
                 output_cost_per_token in its model_info, or model_info.base_model"
            );
        }
        cost
    }

    /// The most that a call of so many tokens can cost; `None` when no price is known.
    #[must_use]
    pub fn most(&self, operation: Operation, input: u64, output: u64, tier: Tier) -> Option<Cost> {
        self.prices.most(operation, input, output, tier)
    }

    /// What a usual call costs, to compare deployments by; `None` when no price is known.
    #[must_use]
    pub fn usual_price(&self) -> Option<u64> {
        let cost = self.prices.most(Operation::Chat, 1_000, 1_000, Tier::default())?;
        u64::try_from(cost.nano()).ok()
    }

    /// Whether its calls cost nothing.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.free
    }

    /// The model whose rules hold: a deployment's name may say nothing about what runs there.
    #[must_use]
    pub fn rules_model(&self) -> &str {
        base_model(&self.settings).unwrap_or(&self.model)
    }

    /// A fact about the model: from `model_info`, else from the catalog.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&Value> {
        self.settings.model_info.get(name).or_else(|| self.row.as_ref()?.get(name))
    }

    /// What the model is for: `model_info.mode`, else the catalog's.
    #[must_use]
    pub fn mode(&self) -> Option<&str> {
        self.fact("mode")?.as_str()
    }

    /// Whether an upstream repeats a credential of ours in `bytes`.
    #[must_use]
    pub fn betrays(&self, bytes: &[u8]) -> bool {
        self.secrets.iter().any(|secret| memmem::find(bytes, secret.expose_secret().as_bytes()).is_some())
    }

    /// Takes our credentials out of what an upstream says about its failure.
    pub fn hide_secrets(&self, fault: &mut Fault) {
        let texts = [Some(&mut fault.message), fault.code.as_mut(), fault.param.as_mut()];
        for text in texts.into_iter().flatten().filter(|text| self.betrays(text.as_bytes())) {
            for secret in &self.secrets {
                *text = text.replace(secret.expose_secret(), "***");
            }
        }
    }

    /// Vendors' own chat models refuse the legacy endpoint; servers of open models take both.
    fn is_chat_model(&self) -> bool {
        self.provider.chat_models && self.mode().is_none_or(|mode| mode != "completion")
    }
}

/// `model_info.base_model`.
fn base_model(entry: &DeploymentSettings) -> Option<&str> {
    entry.model_info.get("base_model")?.as_str()
}

/// The key in force for an entry: its own, else the environment's.
fn key<'a>(entry: &'a DeploymentSettings, known: Option<&'a ProviderSettings>) -> Option<&'a SecretString> {
    entry.api_key.as_ref().or_else(|| known.and_then(|known| known.api_key.as_ref()))
}

/// The key, token and header values of an entry; values too short to be secrets would mangle innocent words.
fn secrets(
    entry: &DeploymentSettings,
    known: Option<&ProviderSettings>,
    credential: Option<&Credential>,
) -> Vec<SecretString> {
    const SHORTEST: usize = 8;
    let headers = entry.extra_headers.iter().map(|(_, value)| value);
    let prebuilt: Vec<SecretString> = (credential.and_then(Credential::fixed).into_iter().flatten())
        .filter_map(|(_, value)| Some(value.to_str().ok()?.rsplit(' ').next()?.into()))
        .collect();
    let all = key(entry, known).into_iter().chain(&entry.azure_ad_token).chain(headers).chain(&prebuilt);
    let trimmed = all.map(|secret| secret.expose_secret().trim()).filter(|secret| secret.len() >= SHORTEST);
    trimmed.map(SecretString::from).collect()
}

/// The base URL and version in force for an entry.
struct Address {
    base: Option<String>,
    version: Option<String>,
}

impl Address {
    fn of(entry: &DeploymentSettings, known: Option<&ProviderSettings>, provider: &Provider) -> Self {
        let from_environment = || known.and_then(|known| known.api_base.clone());
        Self {
            base: entry.api_base.clone().or_else(from_environment).or_else(|| provider.base(|_| None)),
            version: entry.api_version.clone().or_else(|| known.and_then(|known| known.api_version.clone())),
        }
    }
}

fn versioned(provider: &Provider, address: &Address) -> Option<String> {
    let default = matches!(provider.addressing, Addressing::Azure).then_some(AZURE_API_VERSION);
    address.version.as_deref().or(default).map(str::to_owned)
}

type Lanes = (Vec<Lane>, Option<String>);

fn lanes(
    entry: &DeploymentSettings,
    known: Option<&ProviderSettings>,
    provider: &'static Provider,
    model: &str,
    address: &Address,
    credential: Option<&Credential>,
) -> Result<Lanes, String> {
    if provider.addressing == Addressing::BuiltIn {
        return Ok((provider.ways(model).map(|speaks| Lane::made(speaks.format, model)).collect(), None));
    }
    let Some(base) = &address.base else {
        return Ok((Vec::new(), Some(missing("address", "api_base", provider.base_env, entry))));
    };
    let key = key(entry, known);
    let own_address = provider.base_url == Some(base.as_str()) || provider.base_url.is_none();
    let needed = matches!(provider.key, KeyRule::Required) && own_address;
    let unlocked = !needed || key.is_some() || entry.azure_ad_token.is_some() || credential.is_some();
    let trouble = (!unlocked).then(|| missing("API key", "api_key", provider.key_env, entry));
    // Whoever signs in is told what is missing by the sign-in.
    let trouble = trouble.filter(|_| !matches!(provider.auth, Auth::SignIn(_)));
    let mut lanes = Vec::with_capacity(provider.speaks.len());
    let spoken = |speaks: &&Speaks| !entry.chat_only || speaks.format != Format::OpenAiResponses;
    for speaks in provider.ways(model).filter(spoken) {
        let place = address::address(provider, speaks, Some(base), model, address.version.as_deref())
            .map_err(|error| error.to_string())?;
        let parse = |url: &String| Destination::parse(url).map_err(|problem| format!("api_base: {problem}"));
        lanes.push(Lane {
            to: Some(parse(&place.url)?),
            stream_to: place.stream_url.as_ref().map(parse).transpose()?,
            count_to: place.count_url.as_ref().map(parse).transpose()?,
            headers: request_headers(entry, known, (provider, speaks), key, place.auth, credential)?,
            names_model: speaks.names_model(),
            host: speaks.host,
            ..Lane::made(speaks.format, &place.model)
        });
    }
    Ok((lanes, trouble))
}

impl Lane {
    /// Where a reply is asked for; `None` where it is made in this process.
    #[must_use]
    pub fn address(&self, stream: bool) -> Option<&Destination> {
        self.stream_to.as_ref().filter(|_| stream).or(self.to.as_ref())
    }

    /// Answered in this process.
    #[must_use]
    pub(crate) fn made(format: Format, model: &str) -> Self {
        Self {
            format,
            model: model.to_owned(),
            model_json: envelope::json(model),
            names_model: true,
            to: None,
            stream_to: None,
            count_to: None,
            host: Host::Vendor,
            headers: HeaderMap::new(),
        }
    }
}

fn missing(what: &str, key: &str, variables: &[&str], entry: &DeploymentSettings) -> String {
    let mut text = format!("no {what} is set for {}: set litellm_params.{key}", entry.model);
    if let Some(variable) = variables.first() {
        let _ = write!(text, " or the environment variable {variable}");
    }
    text
}

fn request_headers(
    entry: &DeploymentSettings,
    known: Option<&ProviderSettings>,
    (provider, speaks): (&Provider, &Speaks),
    key: Option<&SecretString>,
    auth: Auth,
    credential: Option<&Credential>,
) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tollgate/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in provider.headers.iter().chain(speaks.headers) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(credential) = credential {
        // What is the same for every request is prebuilt like a key.
        headers.extend(credential.fixed().cloned().unwrap_or_default());
    } else if let Some(token) =
        entry.azure_ad_token.as_ref().filter(|_| !matches!(provider.auth, Auth::SignIn(_)))
    {
        headers.insert(AUTHORIZATION, secret_value(&format!("Bearer {}", token.expose_secret().trim()))?);
    } else if let Some((name, value)) = key.and_then(|key| auth.header(key.expose_secret().trim())) {
        headers.insert(HeaderName::from_static(name), secret_value(&value)?);
    }
    let key = key.filter(|_| credential.is_none());
    if let Some((name, value)) = key.and_then(|key| auth.kind_header(key.expose_secret().trim())) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let organization =
        entry.organization.as_ref().or_else(|| known.and_then(|known| known.organization.as_ref()));
    if let (Some(organization), Some(name)) = (organization, provider.organization) {
        let value =
            HeaderValue::from_str(organization).map_err(|_| "organization: not a header value".to_owned())?;
        headers.insert(name, value);
    }
    for (name, value) in &entry.extra_headers {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("extra_headers: `{name}` is not a header name"))?;
        let value = secret_value(value.expose_secret())
            .map_err(|_| format!("extra_headers: the value of `{name}` is not a header value"))?;
        headers.insert(header, value);
    }
    Ok(headers)
}

fn secret_value(secret: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(secret)
        .map_err(|_| "api_key: holds characters that no HTTP header can carry (a line break?)".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// A header value from any text; what a header cannot carry is replaced.
#[must_use]
pub fn label(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| {
        let plain: String =
            text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
        HeaderValue::from_str(&plain).unwrap_or(HeaderValue::from_static("?"))
    })
}

fn without_query(url: &str) -> Option<String> {
    url.split('?').next().map(str::to_owned)
}

fn json_fields(fields: &Map<String, Value>) -> Vec<(String, Bytes)> {
    fields.iter().map(|(name, value)| (name.clone(), envelope::json(value))).collect()
}

/// Request fields for calls that do not bring them; who pays is said once.
fn defaults(entry: &DeploymentSettings, signed_in: Option<&SignedIn>) -> Vec<(String, Bytes)> {
    let mut fields = json_fields(&entry.defaults);
    let owners = ["project_id", "space_id", "oci_compartment_id", "compartmentId"];
    let said = |owner: &str| entry.defaults.contains_key(owner) || entry.extra_body.contains_key(owner);
    if let Some((name, id)) = signed_in.and_then(|signed_in| signed_in.owner.as_ref())
        && !owners.into_iter().any(said)
    {
        fields.push(((*name).to_owned(), envelope::json(id)));
    }
    fields
}

/// The entry's own rules of resting over the router's.
fn cooldown(entry: &DeploymentSettings, router: &CooldownPolicy) -> CooldownPolicy {
    let info = |name: &str| entry.model_info.get(name);
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let time = info("cooldown_time").and_then(Value::as_f64);
    let own_time = time.and_then(|time| Duration::try_from_secs_f64(time).ok()).or(entry.cooldown_time);
    let pairs = info("allowed_fails_policy").and_then(Value::as_object);
    let pairs =
        pairs.map(|pairs| pairs.iter().filter_map(|(key, value)| Some((key.as_str(), number(value)?))));
    let own = pairs.and_then(|pairs| PerClass::read(pairs, "AllowedFails").ok());
    CooldownPolicy {
        own_time,
        allowed_fails: info("allowed_fails").and_then(number).or(router.allowed_fails),
        allowed_by_class: own.unwrap_or(router.allowed_by_class),
        ..router.clone()
    }
}

/// `model_info.id`, else a SHA-256 over what the entry says, so that an unchanged entry keeps its id.
fn id_of(entry: &DeploymentSettings) -> String {
    if let Some(id) = entry.model_info.get("id").and_then(Value::as_str) {
        return id.to_owned();
    }
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(entry.model_name.as_bytes());
    context.update(&[0]);
    context.update(Value::Object(entry.shown_params.clone()).to_string().as_bytes());
    context.update(&[0]);
    context.update(Value::Object(entry.model_info.clone()).to_string().as_bytes());
    let key = entry.api_key.as_ref().map_or(&[][..], |key| key.expose_secret().as_bytes());
    context.update(&hash(key));
    hex(context.finish().as_ref())
}
