//! Where replicas count together: Redis as LiteLLM's settings name it, and what happens while it is away.
//!
//! The first of these that names a server counts: `general_settings.coordination_redis`, `router_settings.redis_*`,
//! `litellm_settings.cache_params` of a Redis type, the variables `REDIS_*`.

use gateway::settings::SharingSettings;
use secrecy::{ExposeSecret as _, SecretString};
use share::Strictness;
use share::redis::RedisOptions;

use super::fields::Fields;
use super::problem::Problems;
use super::tree::Map;
use crate::env::Environment;

const PORT: u16 = 6379;

/// A server as it is described in parts.
#[derive(Default)]
struct Parts {
    url: Option<SecretString>,
    host: Option<String>,
    port: Option<u16>,
    username: Option<String>,
    password: Option<SecretString>,
    database: Option<u32>,
    tls: bool,
    /// Of a cluster.
    nodes: Vec<(String, u16)>,
    namespace: Option<String>,
}

pub(super) fn read(
    router: Option<&Map>,
    litellm: Option<&Map>,
    general: Option<&Map>,
    environment: &Environment,
    problems: &mut Problems,
) -> SharingSettings {
    let mut sharing = SharingSettings::default();
    if let Some(map) = general {
        let mut fields = Fields { map, problems };
        sharing.strictness = Strictness {
            limits: fields.flag("fail_closed_rate_limit_enforcement").unwrap_or(false),
            budgets: fields.flag("fail_closed_budget_enforcement").unwrap_or(false),
        };
        if let Some(deadline) = fields.seconds("sharing_deadline_seconds") {
            sharing.deadline = deadline;
        }
    }
    let coordination = general.and_then(|map| Fields { map, problems }.table("coordination_redis"));
    let cache = litellm.and_then(|map| Fields { map, problems }.table("cache_params")).filter(|map| {
        let kind = map.get("type").and_then(|entry| entry.value.letters());
        kind.is_none_or(|kind| kind.starts_with("redis"))
    });
    let described = [(coordination, ""), (router, "redis_"), (cache, "")];
    let found = described.into_iter().find_map(|(map, prefix)| parts(map?, prefix, problems).options());
    let options = found.or_else(|| variables(environment, problems).options());
    sharing.redis = options.map(|redis| RedisOptions {
        deadline: sharing.deadline,
        strictness: sharing.strictness,
        ..redis
    });
    sharing
}

fn parts(map: &Map, prefix: &str, problems: &mut Problems) -> Parts {
    let mut fields = Fields { map, problems };
    let named = |key: &str| format!("{prefix}{key}");
    let nodes: Vec<_> = fields
        .list("redis_startup_nodes")
        .unwrap_or_default()
        .iter()
        .filter_map(super::tree::Node::map)
        .collect();
    let mut parts = Parts {
        url: fields.secret(&named("url")),
        host: fields.text(&named("host")),
        port: fields.whole(&named("port")),
        username: fields.text(&named("username")),
        password: fields.secret(&named("password")),
        database: fields.whole(&named("db")),
        tls: fields.flag(&named("ssl")).unwrap_or(false),
        nodes: Vec::new(),
        namespace: fields.text("namespace"),
    };
    for map in nodes {
        let mut fields = Fields { map, problems: fields.problems };
        let port = fields.whole("port").unwrap_or(PORT);
        parts.nodes.extend(fields.text("host").map(|host| (host, port)));
    }
    parts
}

fn variables(environment: &Environment, problems: &mut Problems) -> Parts {
    let text = |name: &str| environment.filled(name).map(str::to_owned);
    let secret = |name: &str| text(name).map(SecretString::from);
    Parts {
        url: secret("REDIS_URL"),
        host: text("REDIS_HOST"),
        // Kubernetes sets REDIS_PORT to an address where there is a service of that name.
        port: text("REDIS_PORT").and_then(|port| port.parse().ok()),
        username: text("REDIS_USERNAME"),
        password: secret("REDIS_PASSWORD"),
        database: text("REDIS_DB").and_then(|number| number.parse().ok()),
        tls: environment.is_on("REDIS_SSL"),
        nodes: text("REDIS_CLUSTER_NODES").map(|nodes| cluster(&nodes, problems)).unwrap_or_default(),
        namespace: text("REDIS_NAMESPACE"),
    }
}

/// `[{"host": "…", "port": 7000}, …]`
fn cluster(nodes: &str, problems: &mut Problems) -> Vec<(String, u16)> {
    let nodes = serde_json::from_str::<serde_json::Value>(nodes).ok();
    let read = |node: &serde_json::Value| {
        let port = node["port"].as_u64().or_else(|| node["port"].as_str()?.parse().ok());
        Some((node["host"].as_str()?.to_owned(), u16::try_from(port?).ok()?))
    };
    let read =
        nodes.as_ref().and_then(|nodes| nodes.as_array()?.iter().map(read).collect::<Option<Vec<_>>>());
    read.unwrap_or_else(|| {
        let help = "write `[{\"host\": \"redis-1\", \"port\": 6379}]`".to_owned();
        problems.error(None, "the variable REDIS_CLUSTER_NODES is not a list of hosts and ports", Some(help));
        Vec::new()
    })
}

impl Parts {
    fn options(self) -> Option<RedisOptions> {
        let cluster = !self.nodes.is_empty();
        let addresses = if cluster {
            self.nodes.iter().map(|(host, port)| self.address(host, *port)).collect()
        } else {
            match &self.url {
                Some(url) => vec![url.clone()],
                None => vec![self.address(self.host.as_deref()?, self.port.unwrap_or(PORT))],
            }
        };
        Some(RedisOptions { addresses, cluster, namespace: self.namespace, ..RedisOptions::default() })
    }

    fn address(&self, host: &str, port: u16) -> SecretString {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let user = self.username.as_deref().map(encoded).unwrap_or_default();
        let who = match &self.password {
            Some(password) => format!("{user}:{}@", encoded(password.expose_secret())),
            None => String::new(),
        };
        // A bare IPv6 address.
        let host =
            if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let database = self.database.map(|number| format!("/{number}")).unwrap_or_default();
        SecretString::from(format!("{scheme}://{who}{host}:{port}{database}"))
    }
}

/// As it stands in an address, where passwords hold what they like.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
#[path = "sharing_tests.rs"]
mod tests;
