//! Which Redis server counts.

use std::time::Duration;

use gateway::settings::SharingSettings;
use secrecy::ExposeSecret as _;
use share::Strictness;

use super::super::load;
use crate::env::Environment;

fn sharing(text: &str, pairs: &[(&str, &str)]) -> SharingSettings {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.yaml");
    std::fs::write(&path, format!("model_list: []\n{text}")).unwrap();
    load(&path, &pairs.iter().copied().collect::<Environment>()).unwrap().settings.sharing
}

fn addresses(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let redis = sharing(text, pairs).redis;
    let addresses = redis.into_iter().flat_map(|redis| redis.addresses);
    addresses.map(|address| address.expose_secret().to_owned()).collect()
}

#[test]
fn nobody_is_asked_unless_a_server_is_named() {
    assert!(sharing("", &[]).redis.is_none());
    assert!(sharing("litellm_settings: {cache_params: {type: s3, host: elsewhere}}", &[]).redis.is_none());
    // What Kubernetes sets for any service named `redis`.
    assert!(sharing("", &[("REDIS_PORT", "tcp://10.0.0.7:6379")]).redis.is_none());
}

#[test]
fn the_router_s_server_is_described_in_parts_or_by_its_address() {
    let parts = "router_settings: {redis_host: redis.internal, redis_port: 6380, redis_password: 'a/b@c'}";
    assert_eq!(addresses(parts, &[]), ["redis://:a%2Fb%40c@redis.internal:6380"]);
    let from_outside = "router_settings: {redis_host: os.environ/HERE, redis_port: '6380'}";
    assert_eq!(addresses(from_outside, &[("HERE", "10.0.0.7")]), ["redis://10.0.0.7:6380"]);
    let address = "router_settings: {redis_url: 'rediss://u:p@redis.internal/2'}";
    assert_eq!(addresses(address, &[]), ["rediss://u:p@redis.internal/2"]);
}

#[test]
fn the_nearest_description_counts() {
    let all = "general_settings: {coordination_redis: {host: first, ssl: true, username: u, password: p, db: 3}}\n\
               router_settings: {redis_host: second}\n\
               litellm_settings: {cache_params: {type: redis, host: third, namespace: blue}}";
    assert_eq!(addresses(all, &[("REDIS_URL", "redis://fourth")]), ["rediss://u:p@first:6379/3"]);
    let two = "litellm_settings: {cache_params: {type: redis, host: third, namespace: blue}}";
    assert_eq!(addresses(two, &[("REDIS_URL", "redis://fourth")]), ["redis://third:6379"]);
    assert_eq!(sharing(two, &[]).redis.unwrap().namespace.as_deref(), Some("blue"));
    assert_eq!(addresses("", &[("REDIS_URL", "redis://fourth")]), ["redis://fourth"]);
    let parts =
        [("REDIS_HOST", "fifth"), ("REDIS_PORT", "7"), ("REDIS_USERNAME", "u"), ("REDIS_PASSWORD", "p")];
    assert_eq!(addresses("", &parts), ["redis://u:p@fifth:7"]);
}

#[test]
fn a_cluster_is_its_nodes() {
    let file = "litellm_settings: {cache_params: {type: redis, password: p, redis_startup_nodes: [{host: a, port: 7000}, {host: b}]}}";
    let redis = sharing(file, &[]).redis.unwrap();
    assert!(redis.cluster);
    let shown: Vec<_> = redis.addresses.iter().map(|address| address.expose_secret().to_owned()).collect();
    assert_eq!(shown, ["redis://:p@a:7000", "redis://:p@b:6379"]);
    let nodes = r#"[{"host": "a", "port": "7000"}, {"host": "b", "port": 7001}]"#;
    assert_eq!(addresses("", &[("REDIS_CLUSTER_NODES", nodes)]), ["redis://a:7000", "redis://b:7001"]);
}

#[test]
fn how_strict_and_how_patient() {
    let file = "general_settings: {fail_closed_rate_limit_enforcement: true, sharing_deadline_seconds: 0.02}\n\
                router_settings: {redis_host: a}";
    let sharing = sharing(file, &[]);
    assert_eq!(sharing.strictness, Strictness { limits: true, budgets: false });
    assert_eq!(sharing.deadline, Duration::from_millis(20));
    let redis = sharing.redis.unwrap();
    assert_eq!((redis.deadline, redis.strictness), (sharing.deadline, sharing.strictness));
}
