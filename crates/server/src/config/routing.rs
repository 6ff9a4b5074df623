//! How calls are sent upstream: `router_settings`, and what of it stands in the other sections.

use std::time::Duration;

use gateway::settings::RoutingSettings;
use policy::route::Strategy;
use policy::route::class::PerClass;
use policy::route::fallback::{Lists, Target};
use serde_json::Value;

use super::fields::Fields;
use super::problem::Problems;
use super::tree::{Entry, Map, Node};

/// `router_settings` win over the same keys in `litellm_settings`.
pub(super) fn read(
    router: Option<&Map>,
    litellm: Option<&Map>,
    general: Option<&Map>,
    problems: &mut Problems,
) -> RoutingSettings {
    let mut routing = RoutingSettings::default();
    if let Some(map) = litellm {
        let mut fields = Fields { map, problems };
        routing.drop_params = fields.flag("drop_params").unwrap_or(false);
        routing.timeout = fields.seconds("request_timeout").unwrap_or(routing.timeout);
        shared(&mut fields, &mut routing);
    }
    if let Some(map) = router {
        let mut fields = Fields { map, problems };
        routing.timeout = fields.seconds("timeout").unwrap_or(routing.timeout);
        routing.stream_timeout = fields.seconds("stream_timeout");
        shared(&mut fields, &mut routing);
        choosing(&mut fields, &mut routing);
        failing(&mut fields, &mut routing);
    }
    if let Some(map) = general {
        let enforced = Fields { map, problems }.flag("enforce_fallback_model_access");
        routing.enforce_fallback_access = enforced.unwrap_or(true);
    }
    routing
}

/// What may stand in both sections.
fn shared(fields: &mut Fields<'_, '_>, routing: &mut RoutingSettings) {
    routing.num_retries = fields.whole("num_retries").unwrap_or(routing.num_retries);
    routing.cooldown.allowed_fails = fields.whole("allowed_fails").or(routing.cooldown.allowed_fails);
    let fallbacks = &mut routing.fallbacks;
    for (key, lists) in [
        ("fallbacks", &mut fallbacks.general),
        ("context_window_fallbacks", &mut fallbacks.context_window),
        ("content_policy_fallbacks", &mut fallbacks.content_policy),
    ] {
        if let Some(list) = fields.list(key) {
            *lists = Lists::new(list.iter().flat_map(|node| groups(node, fields.problems)).collect());
        }
    }
    if let Some(list) = fields.list("default_fallbacks") {
        fallbacks.default = targets(list, fields.problems);
    }
    fallbacks.most_depth = fields.whole("max_fallbacks").unwrap_or(fallbacks.most_depth);
}

/// `{group: [targets]}`.
fn groups(node: &Node, problems: &mut Problems) -> Vec<(String, Vec<Target>)> {
    let Some(map) = node.map() else {
        let help = "write `- my-model: [another-model]`".to_owned();
        problems.error(Some(node.span), "fallbacks are a list of maps", Some(help));
        return Vec::new();
    };
    let mut group = |entry: &Entry| {
        let one = std::slice::from_ref(&entry.value);
        (entry.key.clone(), targets(entry.value.list().unwrap_or(one), problems))
    };
    map.entries.iter().map(&mut group).collect()
}

fn targets(list: &[Node], problems: &mut Problems) -> Vec<Target> {
    let mut target = |node: &Node| {
        let mut overrides = node.map().map(Map::json).unwrap_or_default();
        let group = match overrides.remove("model") {
            Some(Value::String(group)) => Some(group),
            _ => node.letters().map(str::to_owned),
        };
        if group.is_none() {
            let message = "a fallback is the name of a model, or a map with a `model`";
            problems.error(Some(node.span), message, None);
        }
        Some(Target { group: group?, overrides })
    };
    list.iter().filter_map(&mut target).collect()
}

/// How one deployment of several is chosen.
fn choosing(fields: &mut Fields<'_, '_>, routing: &mut RoutingSettings) {
    let rules = &mut routing.rules;
    rules.strategy = strategy(fields).unwrap_or_default();
    if let Some(map) = fields.table("routing_strategy_args") {
        let mut arguments = Fields { map, problems: fields.problems };
        let samples = arguments.whole("max_latency_list_size");
        rules.latency_samples = samples.unwrap_or(rules.latency_samples);
        let (live, buffer) = (arguments.seconds("ttl"), arguments.amount("lowest_latency_buffer"));
        if let Strategy::Latency(latency) = &mut rules.strategy {
            latency.live = live.unwrap_or(latency.live);
            #[expect(clippy::cast_possible_truncation, reason = "a share, of which two digits matter")]
            let buffer = buffer.map(|buffer| buffer as f32);
            latency.buffer = buffer.unwrap_or(latency.buffer);
        }
    }
    rules.pre_call_checks = fields.flag("enable_pre_call_checks").unwrap_or(false);
    rules.tag_filtering = fields.flag("enable_tag_filtering").unwrap_or(false);
    rules.match_any = fields.flag("tag_filtering_match_any").unwrap_or(true);
    for check in fields.texts("optional_pre_call_checks") {
        match check.as_str() {
            "enforce_model_rate_limits" => routing.rules.enforce_limits = true,
            "session_affinity" => routing.session_affinity = true,
            "deployment_affinity" => routing.key_affinity = true,
            // What a response goes on with is always looked for where it is kept.
            "responses_api_deployment_check" => {}
            _ => {
                let span = fields.entry("optional_pre_call_checks").map(|entry| entry.value.span);
                let message = format!("the check `{check}` has no effect yet");
                fields.problems.warn(span, message, None);
            }
        }
    }
    routing.default_max_parallel = fields.whole("default_max_parallel_requests");
}

fn strategy(fields: &mut Fields<'_, '_>) -> Option<Strategy> {
    let name = fields.text("routing_strategy")?;
    let span = fields.entry("routing_strategy").map(|entry| entry.value.span);
    match name.parse() {
        Ok(strategy) => Some(strategy),
        Err(_) if name == "lar1" => {
            let message = "`lar1` has no effect yet: deployments are chosen by `simple-shuffle`";
            fields.problems.warn(span, message, None);
            None
        }
        Err(_) => {
            let known = [
                "simple-shuffle",
                "least-busy",
                "usage-based-routing",
                "usage-based-routing-v2",
                "latency-based-routing",
                "cost-based-routing",
                "adaptive",
            ];
            let nearest = policy::suggest::nearest(&name, known.to_vec());
            let all = || format!("the strategies are {}", known.join(", "));
            let help = nearest.map_or_else(all, |name| format!("did you mean `{name}`?"));
            fields.problems.error(span, "there is no such routing strategy", Some(help));
            None
        }
    }
}

/// What follows from failures.
fn failing(fields: &mut Fields<'_, '_>, routing: &mut RoutingSettings) {
    routing.retry_after = fields.pause("retry_after").unwrap_or(Duration::ZERO);
    routing.retry_policy = policy_of(fields, "retry_policy", "Retries");
    if let Some(map) = fields.table("model_group_retry_policy") {
        for entry in &map.entries {
            let mut of_group = Fields { map, problems: fields.problems };
            let policy = policy_of(&mut of_group, &entry.key, "Retries");
            routing.group_retry_policies.extend(policy.map(|policy| (entry.key.clone(), policy)));
        }
    }
    let cooldown = &mut routing.cooldown;
    cooldown.disabled = fields.flag("disable_cooldowns").unwrap_or(false);
    cooldown.time = fields.pause("cooldown_time").unwrap_or(cooldown.time);
    cooldown.allowed_by_class = policy_of(fields, "allowed_fails_policy", "AllowedFails").unwrap_or_default();
}

/// A number for classes of errors.
fn policy_of(fields: &mut Fields<'_, '_>, key: &str, suffix: &str) -> Option<PerClass> {
    let map = fields.table(key)?;
    let mut numbers = Fields { map, problems: fields.problems };
    let pairs: Vec<(&str, u32)> = map
        .entries
        .iter()
        .filter_map(|entry| Some((entry.key.as_str(), numbers.whole(&entry.key)?)))
        .collect();
    match PerClass::read(pairs, suffix) {
        Ok(policy) => Some(policy),
        Err(unknown) => {
            let span = map.get(&unknown.0).map(|entry| entry.key_span);
            let help = format!("a key is a class and `{suffix}`, such as `TimeoutError{suffix}`");
            fields.problems.error(span, unknown.to_string(), Some(help));
            None
        }
    }
}
