//! What a configuration says, checked and typed, before it is compiled into a snapshot.
//!
//! The server crate makes a [`Settings`] from files, flags and the environment; nothing here knows YAML.
//! Environment references are already resolved, secrets are a type that does not print.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use policy::period::Calendar;
use policy::route::Rules;
use policy::route::class::PerClass;
use policy::route::cooldown::CooldownPolicy;
use policy::route::fallback::Fallbacks;
use secrecy::SecretString;
use serde_json::{Map, Value};
use share::Strictness;
use share::redis::RedisOptions;

use crate::credential::Surroundings;
use crate::media::MediaPolicy;
use crate::tracks::Tracks;

/// Everything the gateway needs to know to serve.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The configured endpoints, in file order. Entries that share `model_name` form a group.
    pub deployments: Vec<DeploymentSettings>,
    /// `router_settings.model_group_alias` and `litellm_settings.model_alias_map`.
    pub aliases: BTreeMap<String, AliasSettings>,
    /// Credentials and addresses that the environment gives providers, by provider name.
    pub providers: BTreeMap<String, ProviderSettings>,
    /// Process-wide settings.
    pub general: GeneralSettings,
    /// Defaults for sending upstream.
    pub routing: RoutingSettings,
    /// How replicas count limits together.
    pub sharing: SharingSettings,
    /// What credentials that must be fetched are got with; nothing is fetched without.
    pub surroundings: Option<Surroundings>,
    /// What is known of deployments; the same over all reloads of a process.
    pub tracks: Arc<Tracks>,
}

/// One entry of `model_list`.
#[derive(Clone, Debug, Default)]
pub struct DeploymentSettings {
    /// The public name; may hold `*`.
    pub model_name: String,
    /// `litellm_params.model`: `provider/model`, may hold `*`.
    pub model: String,
    /// `litellm_params.custom_llm_provider`: overrides the provider prefix.
    pub provider: Option<String>,
    /// `litellm_params.api_key`.
    pub api_key: Option<SecretString>,
    /// `litellm_params.api_base` or `base_url`.
    pub api_base: Option<String>,
    /// `litellm_params.api_version` (Azure).
    pub api_version: Option<String>,
    /// `litellm_params.azure_ad_token`: sent as a bearer token instead of a key.
    pub azure_ad_token: Option<SecretString>,
    /// What it takes to get a credential that is not a plain key.
    pub credential: CredentialSettings,
    /// `litellm_params.organization` (OpenAI).
    pub organization: Option<String>,
    /// `litellm_params.extra_headers` and `headers`.
    pub extra_headers: Vec<(String, SecretString)>,
    /// `litellm_params.extra_body`: merged over the request's top-level fields.
    pub extra_body: Map<String, Value>,
    /// Request fields used where the client sends none (`temperature`, `max_tokens`, …, and every key of
    /// `litellm_params` that is not one of LiteLLM's own).
    pub defaults: Map<String, Value>,
    /// `timeout` or `request_timeout`: bound of one attempt.
    pub timeout: Option<Duration>,
    /// `stream_timeout`: bound of one streaming attempt up to its first byte.
    pub stream_timeout: Option<Duration>,
    /// `num_retries` for this deployment.
    pub num_retries: Option<u32>,
    /// `weight` for the choice among the group.
    pub weight: Option<f64>,
    /// `rpm`: weight when no `weight` is set.
    pub rpm: Option<u64>,
    /// `tpm`: weight when neither is set.
    pub tpm: Option<u64>,
    /// `order`: lower ones are tried first.
    pub order: Option<u32>,
    /// `max_parallel_requests`: calls in flight at most.
    pub max_parallel: Option<u32>,
    /// `cooldown_time`: how long it rests after failures.
    pub cooldown_time: Option<Duration>,
    /// `tags`: which calls it serves.
    pub tags: Vec<String>,
    /// `region_name`.
    pub region: Option<String>,
    /// `drop_params` for this deployment.
    pub drop_params: Option<bool>,
    /// `additional_drop_params`: fields removed whatever the provider takes; below the top as `tools[*].strict`.
    pub additional_drop_params: Vec<String>,
    /// `allowed_openai_params`: fields sent whatever the provider table says.
    pub allowed_openai_params: Vec<String>,
    /// `use_chat_completions_api`: the Responses API is not spoken to this server though its provider has it.
    pub chat_only: bool,
    /// `mock_response`: answer this text instead of calling anyone.
    pub mock_response: Option<String>,
    /// Price fields found in `litellm_params`, as written. They win over `model_info` and the catalog.
    pub prices: Map<String, Value>,
    /// `model_info`, as written (id, mode, base_model, prices, limits, anything else).
    pub model_info: Map<String, Value>,
    /// `litellm_params` as written and without secrets, for `/model/info`.
    pub shown_params: Map<String, Value>,
}

/// The keys of `litellm_params` that say how a credential is got. Which of them counts is the provider's
/// matter. What is absent here is looked up in the environment by [`crate::credential`].
#[derive(Clone, Debug, Default)]
pub struct CredentialSettings {
    /// `aws_*`.
    pub aws: AwsSettings,
    /// `vertex_*`.
    pub google: GoogleSettings,
    /// Microsoft Entra.
    pub azure: AzureSettings,
    /// watsonx.
    pub ibm: IbmSettings,
    /// `oci_*`.
    pub oracle: OracleSettings,
}

/// How requests to AWS are signed.
#[derive(Clone, Debug, Default)]
pub struct AwsSettings {
    /// `api_key`: a Bedrock key, sent as a bearer token instead of a signature.
    pub bearer: Option<SecretString>,
    /// `aws_access_key_id`.
    pub access_key_id: Option<SecretString>,
    /// `aws_secret_access_key`.
    pub secret_access_key: Option<SecretString>,
    /// `aws_session_token`.
    pub session_token: Option<SecretString>,
    /// `aws_region_name`.
    pub region: Option<String>,
    /// `aws_profile_name`.
    pub profile: Option<String>,
    /// `aws_role_name`: the ARN of a role to assume.
    pub role: Option<String>,
    /// `aws_session_name`.
    pub session_name: Option<String>,
    /// `aws_external_id`.
    pub external_id: Option<SecretString>,
    /// `aws_web_identity_token`: an `oidc/…` reference, a file's path or the token itself.
    pub web_identity_token: Option<SecretString>,
    /// `aws_sts_endpoint`.
    pub sts_endpoint: Option<String>,
    /// `aws_bedrock_runtime_endpoint`: where models are called, instead of Amazon's address of the region.
    pub runtime_endpoint: Option<String>,
}

/// How requests to Google Cloud are authorized, and for which project.
#[derive(Clone, Debug, Default)]
pub struct GoogleSettings {
    /// `vertex_credentials`: the path of a JSON file, or its text (a mapping in YAML is written as JSON).
    pub credentials: Option<SecretString>,
    /// `vertex_project`.
    pub project: Option<String>,
    /// `vertex_location`.
    pub location: Option<String>,
    /// Instead of `https://www.googleapis.com/auth/cloud-platform`.
    pub scopes: Vec<String>,
}

/// How requests to Azure are authorized without an API key.
#[derive(Clone, Debug, Default)]
pub struct AzureSettings {
    /// `azure_ad_token`: the token itself or an `oidc/…` reference that is exchanged for one.
    pub token: Option<SecretString>,
    /// `tenant_id`.
    pub tenant_id: Option<String>,
    /// `client_id`.
    pub client_id: Option<String>,
    /// `client_secret`.
    pub client_secret: Option<SecretString>,
    /// `client_certificate_path`: a PEM file with the certificate and its private key.
    pub certificate_path: Option<String>,
    /// `azure_username`.
    pub username: Option<String>,
    /// `azure_password`.
    pub password: Option<SecretString>,
    /// `azure_scope`.
    pub scope: Option<String>,
    /// `litellm_settings.enable_azure_ad_token_refresh`: what the machine itself offers may be used
    /// (workload identity, managed identity).
    pub ambient: bool,
}

/// How requests to watsonx are authorized, and who pays.
#[derive(Clone, Debug, Default)]
pub struct IbmSettings {
    /// `api_key`: exchanged for a token.
    pub api_key: Option<SecretString>,
    /// `token`: sent as it is.
    pub token: Option<SecretString>,
    /// `zen_api_key`: of Cloud Pak for Data, sent as it is.
    pub zen_api_key: Option<SecretString>,
    /// `watsonx_region_name`: whose address is called where no base URL is named.
    pub region: Option<String>,
    /// `watsonx_project`, where no request field `project_id` says it.
    pub project: Option<String>,
    /// `deployment_space_id`, where no request field `space_id` says it.
    pub space: Option<String>,
}

/// How requests to Oracle Cloud are signed, and who pays.
#[derive(Clone, Debug, Default)]
pub struct OracleSettings {
    /// `oci_user`: an OCID.
    pub user: Option<String>,
    /// `oci_tenancy`: an OCID.
    pub tenancy: Option<String>,
    /// `oci_fingerprint`: of the key.
    pub fingerprint: Option<String>,
    /// `oci_key`: the private RSA key, in PEM form.
    pub key: Option<SecretString>,
    /// `oci_key_file`: where the same stands.
    pub key_file: Option<String>,
    /// `oci_region`.
    pub region: Option<String>,
}

/// Another name for a model group.
#[derive(Clone, Debug, Default)]
pub struct AliasSettings {
    /// The group meant.
    pub target: String,
    /// Not listed by `/v1/models`.
    pub hidden: bool,
}

/// What the environment knows of a provider.
#[derive(Clone, Debug, Default)]
pub struct ProviderSettings {
    /// The first set of the provider's key variables.
    pub api_key: Option<SecretString>,
    /// The first set of the provider's base-URL variables.
    pub api_base: Option<String>,
    /// `AZURE_API_VERSION` and the like.
    pub api_version: Option<String>,
    /// `OPENAI_ORGANIZATION` and the like.
    pub organization: Option<String>,
}

/// Process-wide settings.
#[derive(Clone, Debug)]
pub struct GeneralSettings {
    /// `general_settings.master_key` or `LITELLM_MASTER_KEY`.
    pub master_key: Option<SecretString>,
    /// `general_settings.litellm_key_header_name`.
    pub key_header: Option<String>,
    /// `general_settings.strict` (ours): a well-known master key on a reachable address is an error.
    pub strict: bool,
    /// `general_settings.completion_model`: used when a chat or completion request names no model.
    pub completion_model: Option<String>,
    /// `general_settings.embedding_model`: the same for embeddings.
    pub embedding_model: Option<String>,
    /// `general_settings.max_request_size_mb`, in bytes.
    pub max_request_bytes: usize,
    /// `general_settings.max_response_size_mb`, in bytes: bound of a whole upstream reply.
    pub max_response_bytes: usize,
    /// `general_settings.global_max_parallel_requests`.
    pub max_parallel_requests: Option<u32>,
    /// `general_settings.always_include_stream_usage`.
    pub always_include_stream_usage: bool,
    /// `general_settings.include_call_id_in_error_body`.
    pub call_id_in_errors: bool,
    /// `litellm_settings.anthropic_sse_ping_interval_seconds`: silence after which a stream in Anthropic's format
    /// says `ping`. `None`: never.
    pub anthropic_ping: Option<Duration>,
    /// `litellm_settings.sse_keepalive_ping_interval_seconds`: the same for other streams, as an SSE comment.
    pub keepalive: Option<Duration>,
    /// `general_settings.database_url` or `DATABASE_URL`: a PostgreSQL server; a file otherwise.
    pub database_url: Option<SecretString>,
    /// `general_settings.database_connection_pool_limit`.
    pub database_connections: u32,
    /// `litellm_settings.default_key_generate_params`: what a new key has where nothing is asked for.
    pub key_defaults: Map<String, Value>,
    /// `litellm_settings.upperbound_key_generate_params`: the most that may be asked for.
    pub key_upperbounds: Map<String, Value>,
    /// `general_settings.disable_custom_api_keys`: the text of a key is always made here.
    pub custom_keys_disabled: bool,
    /// `TOLLGATE_SALT_KEY` or `LITELLM_SALT_KEY`: secrets in the database are sealed with it, else with the master key.
    pub salt_key: Option<SecretString>,
    /// `general_settings.store_model_in_db` or `STORE_MODEL_IN_DB`: models and settings may be changed at run time.
    pub store_models: bool,
    /// Who may open the dashboard, and for how long.
    pub dashboard: DashboardSettings,
    /// `litellm_settings.timezone` and `budget_reset_time`: when budgets begin anew.
    pub calendar: Calendar,
    /// `general_settings.maximum_spend_logs_retention_period`: the age at which rows of the log are deleted.
    pub logs_kept: Option<Duration>,
    /// `general_settings.maximum_spend_logs_retention_interval`: how often old rows are looked for.
    pub logs_looked_at: Duration,
    /// `dangerously_allow_mock_testing_request_params`: everybody may ask for invented answers and failures.
    pub mock_testing: bool,
    /// What is fetched for upstreams that take no addresses; `general_settings.media_allowed_hosts` (ours).
    pub media: MediaPolicy,
}

impl Default for GeneralSettings {
    fn default() -> Self {
        Self {
            master_key: None,
            key_header: None,
            strict: false,
            completion_model: None,
            embedding_model: None,
            max_request_bytes: 100 << 20,
            max_response_bytes: 100 << 20,
            max_parallel_requests: None,
            always_include_stream_usage: false,
            call_id_in_errors: false,
            anthropic_ping: Some(Duration::from_secs(15)),
            keepalive: None,
            key_defaults: Map::new(),
            key_upperbounds: Map::new(),
            custom_keys_disabled: false,
            database_url: None,
            database_connections: 10,
            salt_key: None,
            store_models: false,
            dashboard: DashboardSettings::default(),
            calendar: Calendar::default(),
            logs_kept: None,
            logs_looked_at: Duration::from_hours(24),
            mock_testing: false,
            media: MediaPolicy::default(),
        }
    }
}

/// The administrator's way into the dashboard. Users come in with passwords of their own.
#[derive(Clone, Debug)]
pub struct DashboardSettings {
    /// `UI_USERNAME`.
    pub username: String,
    /// `UI_PASSWORD`, else the master key.
    pub password: Option<SecretString>,
    /// `LITELLM_UI_SESSION_DURATION`: how long a login holds.
    pub session: Duration,
    /// `DISABLE_ADMIN_UI`.
    pub disabled: bool,
    /// `PROXY_BASE_URL`.
    pub base_url: Option<String>,
    /// `SERVER_ROOT_PATH`.
    pub root_path: String,
}

impl Default for DashboardSettings {
    fn default() -> Self {
        Self {
            username: "admin".to_owned(),
            password: None,
            session: Duration::from_hours(24),
            disabled: false,
            base_url: None,
            root_path: String::new(),
        }
    }
}

/// How replicas count limits together: through Redis where one is named, else in slices that a PostgreSQL server hands
/// out, else each for itself.
#[derive(Clone, Debug)]
pub struct SharingSettings {
    /// `coordination_redis`, `router_settings.redis_*`, `cache_params` or the variables `REDIS_*`.
    pub redis: Option<RedisOptions>,
    /// `general_settings.sharing_deadline_seconds` (ours): what a call waits for the others at most.
    pub deadline: Duration,
    /// `general_settings.fail_closed_rate_limit_enforcement` and `fail_closed_budget_enforcement`.
    pub strictness: Strictness,
}

impl Default for SharingSettings {
    fn default() -> Self {
        Self { redis: None, deadline: Duration::from_millis(50), strictness: Strictness::default() }
    }
}

/// How calls are sent upstream.
#[derive(Clone, Debug)]
pub struct RoutingSettings {
    /// `num_retries`: tries after the first.
    pub num_retries: u32,
    /// `timeout` / `request_timeout`: bound of one attempt.
    pub timeout: Duration,
    /// `stream_timeout`: bound of one streaming attempt up to its first byte.
    pub stream_timeout: Option<Duration>,
    /// `litellm_settings.drop_params`.
    pub drop_params: bool,
    /// How a deployment is chosen.
    pub rules: Rules,
    /// `retry_policy`.
    pub retry_policy: Option<PerClass>,
    /// `model_group_retry_policy`, by group.
    pub group_retry_policies: BTreeMap<String, PerClass>,
    /// `retry_after`: pauses between tries are at least this long.
    pub retry_after: Duration,
    /// When a deployment rests.
    pub cooldown: CooldownPolicy,
    /// Where a call goes when a group has failed.
    pub fallbacks: Fallbacks,
    /// `general_settings.enforce_fallback_model_access`: a fallback must be the caller's to use.
    pub enforce_fallback_access: bool,
    /// `default_max_parallel_requests`.
    pub default_max_parallel: Option<u32>,
    /// `session_affinity` of `optional_pre_call_checks`: a session stays at its deployment.
    pub session_affinity: bool,
    /// `deployment_affinity` of `optional_pre_call_checks`: a key stays at its deployment.
    pub key_affinity: bool,
}

impl Default for RoutingSettings {
    fn default() -> Self {
        Self {
            num_retries: 2,
            timeout: Duration::from_secs(6000),
            stream_timeout: None,
            drop_params: false,
            rules: Rules::default(),
            retry_policy: None,
            group_retry_policies: BTreeMap::new(),
            retry_after: Duration::ZERO,
            cooldown: CooldownPolicy::default(),
            fallbacks: Fallbacks::default(),
            enforce_fallback_access: true,
            default_max_parallel: None,
            session_affinity: false,
            key_affinity: false,
        }
    }
}

impl RoutingSettings {
    /// Whether choosing looks at a call's tags or session.
    #[must_use]
    pub const fn reads_labels(&self) -> bool {
        self.rules.tag_filtering || self.session_affinity
    }
}
