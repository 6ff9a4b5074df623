//! Flags of the LiteLLM proxy that are accepted and have no effect, with the reason for each.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// A flag, whether a value follows it, and why it is ignored.
struct Ignored(&'static str, Takes, &'static str);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
}

use Takes::{Nothing, Value};

const ONE_SERVER: &str = "there is one server, and it is built in";
const NO_RESTARTS: &str = "workers are threads and are not restarted";
const NO_MIGRATIONS: &str = "there is no Prisma schema to set up";
const NO_TLS: &str = "TLS is not served yet; put a TLS proxy in front";
const NO_QUEUE: &str = "there is no queue to test";
const LEGACY: &str = "it does nothing in LiteLLM either";
const NO_DATABASE: &str = "there is no database yet";

const TABLE: &[Ignored] = &[
    Ignored("run_gunicorn", Nothing, ONE_SERVER),
    Ignored("run_hypercorn", Nothing, ONE_SERVER),
    Ignored("run_granian", Nothing, ONE_SERVER),
    Ignored("granian_threads", Value, ONE_SERVER),
    Ignored("ciphers", Value, NO_TLS),
    Ignored("ssl_keyfile_path", Value, NO_TLS),
    Ignored("ssl_certfile_path", Value, NO_TLS),
    Ignored(
        "log_config",
        Value,
        "it is a configuration of Python's logging; use --debug or --detailed_debug",
    ),
    Ignored("keepalive_timeout", Value, "idle connections are kept for as long as the built-in bound says"),
    Ignored("timeout_worker_healthcheck", Value, NO_RESTARTS),
    Ignored("max_requests_before_restart", Value, NO_RESTARTS),
    Ignored("max_requests_before_restart_jitter", Value, NO_RESTARTS),
    Ignored("limit_concurrency", Value, "set `general_settings.global_max_parallel_requests` in the file"),
    Ignored("max_budget", Value, "budgets are not enforced yet"),
    Ignored("add_function_to_prompt", Nothing, "tools are sent as tools"),
    Ignored("test_async", Nothing, NO_QUEUE),
    Ignored("num_requests", Value, NO_QUEUE),
    Ignored("use_queue", Nothing, NO_QUEUE),
    Ignored("setup", Nothing, "start without a file: what the environment has keys for is served"),
    Ignored("skip_server_startup", Nothing, NO_MIGRATIONS),
    Ignored("use_prisma_db_push", Nothing, NO_MIGRATIONS),
    Ignored("use_legacy_migration_resolver", Nothing, NO_MIGRATIONS),
    Ignored("check_migrations_against_existing_data", Nothing, NO_MIGRATIONS),
    Ignored("enforce_prisma_migration_check", Nothing, NO_MIGRATIONS),
    Ignored("use_v2_migration_resolver", Nothing, NO_MIGRATIONS),
    Ignored("iam_token_db_auth", Nothing, NO_DATABASE),
    Ignored("azure_postgresql_auth", Nothing, NO_DATABASE),
    Ignored("telemetry", Value, "nothing is ever sent home"),
    Ignored("local", Nothing, LEGACY),
    Ignored("save", Nothing, LEGACY),
    Ignored("add_key", Value, LEGACY),
    Ignored("reload", Nothing, "a changed configuration file is read again anyway"),
    Ignored("prometheus_metrics_port", Value, "metrics have no port of their own"),
];

/// Adds the flags, hidden from the help text.
pub(super) fn add_to(command: Command) -> Command {
    TABLE.iter().fold(command, |command, &Ignored(flag, takes, _)| {
        let arg = Arg::new(flag).long(flag).hide(true);
        command.arg(match takes {
            Nothing => arg.action(ArgAction::SetTrue),
            Value => arg.num_args(1).action(ArgAction::Append),
        })
    })
}

/// A line for each of the flags that was given.
pub(super) fn warnings(matches: &ArgMatches) -> Vec<String> {
    TABLE
        .iter()
        .filter(|Ignored(flag, _, _)| matches.value_source(flag) == Some(ValueSource::CommandLine))
        .map(|Ignored(flag, _, reason)| format!("--{flag} has no effect: {reason}"))
        .collect()
}
