//! The command line: Tollgate's own, and every flag of the LiteLLM proxy in its spelling.
//!
//! Parsing ends in an [`Action`]; nothing is done here. Variables (`PORT`, `CONFIG_FILE_PATH`, …) are taken
//! from the [`Environment`] that is handed in, flags win over them.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use secrecy::SecretString;

use crate::env::Environment;

pub(crate) mod ignored;
mod one_model;
#[cfg(test)]
#[path = "cli/cli_tests.rs"]
mod tests;

pub(crate) use one_model::OneModel;

const HOST: &str = "0.0.0.0";
const PORT: u16 = 4000;

const EXAMPLES: &str = "\x1b[1;4mExamples:\x1b[0m
  tollgate                                 serve what the environment has keys for
  tollgate --config config.yaml            serve a configuration file
  tollgate -m ollama/llama3 --port 8000    serve one model
  tollgate check config.yaml               say what is wrong with a file

Flags of the LiteLLM proxy that are not listed are accepted; a warning says why they have no effect.";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Action {
    Serve(ServeOptions),
    /// Read a configuration, say what is wrong with it, and end.
    Check {
        file: PathBuf,
        format: CheckFormat,
    },
    /// Print a completion script.
    Completions {
        shell: Shell,
    },
    /// Send a test chat request to a running gateway.
    Test(RunningGateway),
    /// Ask a running gateway for `/health` and print it.
    Health(RunningGateway),
    Version,
}

/// How to serve.
#[derive(Debug)]
pub(crate) struct ServeOptions {
    pub(crate) config: Option<PathBuf>,
    /// A name or an address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Worker threads; `None`: as many as there are processors.
    pub(crate) workers: Option<NonZeroUsize>,
    pub(crate) verbosity: Verbosity,
    pub(crate) overrides: OneModel,
    /// A line for each flag that was given and has no effect.
    pub(crate) warnings: Vec<String>,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    Normal,
    /// `--debug`
    Debug,
    /// `--detailed_debug`
    Detailed,
}

/// A gateway to talk to as a client.
#[derive(Debug)]
pub(crate) struct RunningGateway {
    /// Without a slash at the end.
    pub(crate) base_url: String,
    /// `LITELLM_MASTER_KEY`, when it is set.
    pub(crate) key: Option<SecretString>,
    /// `--model`, when it was given.
    pub(crate) model: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    Text,
    Json,
}

/// One binary between your applications and every model provider: OpenAI's API in, any provider out, with
/// LiteLLM's configuration files.
#[derive(Debug, Parser)]
#[command(name = "tollgate", after_help = EXAMPLES, disable_version_flag = true, args_conflicts_with_subcommands = true)]
#[command(
    override_usage = "tollgate [OPTIONS]\n       tollgate check FILE\n       tollgate completions SHELL"
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say everything that is wrong with a configuration file, without serving it
    Check {
        /// The file
        file: PathBuf,
        /// How to say it
        #[arg(long, value_enum, default_value = "text")]
        format: CheckFormat,
    },
    /// Print a completion script for a shell
    Completions { shell: Shell },
}

#[derive(Args, Debug)]
struct Serve {
    /// Configuration file (LiteLLM's YAML) [env: CONFIG_FILE_PATH]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on [env: HOST] [default: 0.0.0.0]
    #[arg(long, value_name = "ADDRESS", help_heading = "Listening")]
    host: Option<String>,
    /// Port to listen on [env: PORT] [default: 4000]
    #[arg(short, long, help_heading = "Listening")]
    port: Option<u16>,
    /// Worker threads [env: NUM_WORKERS] [default: one a processor]
    #[arg(long = "num_workers", value_name = "COUNT", help_heading = "Listening")]
    num_workers: Option<usize>,
    #[command(flatten)]
    model: one_model::Flags,
    /// Log what happens to each call [env: DEBUG]
    #[arg(long, help_heading = "Logging")]
    debug: bool,
    /// Log everything [env: DETAILED_DEBUG]
    #[arg(long = "detailed_debug", help_heading = "Logging")]
    detailed_debug: bool,
    /// Send a test chat request; URL is that of the gateway when it is not on this machine
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "", help_heading = "Asking a running gateway")]
    test: Option<String>,
    /// Print the health of every deployment
    #[arg(long, help_heading = "Asking a running gateway")]
    health: bool,
    #[arg(long = "validate_config", hide = true, requires = "config")]
    validate_config: bool,
    /// Print the version
    #[arg(short = 'v', short_alias = 'V', long)]
    version: bool,
}

/// Reads the command line; the first argument is the program's name.
///
/// # Errors
/// clap's error, which is also how `--help` arrives. It knows how to print itself and its exit code.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<Action, clap::Error> {
    let mut matches = command().try_get_matches_from(underscored(arguments))?;
    let warnings = ignored::warnings(&matches);
    let CommandLine { command: asked, serve } = CommandLine::from_arg_matches_mut(&mut matches)?;
    match asked {
        Some(Command::Check { file, format }) => return Ok(Action::Check { file, format }),
        Some(Command::Completions { shell }) => return Ok(Action::Completions { shell }),
        None if serve.version => return Ok(Action::Version),
        None => {}
    }
    serve
        .into_action(environment, warnings)
        .map_err(|message| command().error(ErrorKind::ValueValidation, message))
}

/// `--api-base` as `--api_base`: LiteLLM writes underscores, everybody's fingers write dashes.
fn underscored(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    for argument in arguments.iter_mut().take_while(|argument| *argument != "--") {
        let Some((name, value)) = argument.to_str().and_then(|text| text.strip_prefix("--")).map(|flag| {
            let end = flag.find('=').unwrap_or(flag.len());
            flag.split_at(end)
        }) else {
            continue;
        };
        *argument = format!("--{}{value}", name.replace('-', "_")).into();
    }
    arguments
}

/// The whole command line, for parsing and for completion scripts.
pub(crate) fn command() -> clap::Command {
    ignored::add_to(CommandLine::command())
}

impl Serve {
    fn into_action(self, environment: &Environment, warnings: Vec<String>) -> Result<Action, String> {
        let filled = |name: &str| environment.filled(name).map(str::to_owned);
        let config = self.config.or_else(|| filled("CONFIG_FILE_PATH").map(PathBuf::from));
        if let Some(file) = config.clone().filter(|_| self.validate_config) {
            return Ok(Action::Check { file, format: CheckFormat::Text });
        }
        let host = self.host.or_else(|| filled("HOST")).unwrap_or_else(|| HOST.to_owned());
        let port = match self.port {
            Some(port) => port,
            None => number(environment, "PORT")?.unwrap_or(PORT),
        };
        if self.test.is_some() || self.health {
            let given = self.test.as_deref().filter(|url| !url.is_empty()).map(str::to_owned);
            let base_url = given.unwrap_or_else(|| format!("http://{}:{port}", reachable(&host)));
            let gateway = RunningGateway {
                base_url: base_url.trim_end_matches('/').to_owned(),
                key: filled("LITELLM_MASTER_KEY").map(SecretString::from),
                model: self.model.name().map(str::to_owned),
            };
            return Ok(if self.test.is_some() { Action::Test(gateway) } else { Action::Health(gateway) });
        }
        let workers = match self.num_workers {
            Some(count) => Some(count),
            None => number(environment, "NUM_WORKERS")?,
        };
        let verbosity = if self.detailed_debug || environment.is_on("DETAILED_DEBUG") {
            Verbosity::Detailed
        } else if self.debug || environment.is_on("DEBUG") {
            Verbosity::Debug
        } else {
            Verbosity::Normal
        };
        let workers = workers.and_then(NonZeroUsize::new);
        let overrides = self.model.read()?;
        Ok(Action::Serve(ServeOptions { config, host, port, workers, verbosity, overrides, warnings }))
    }
}

fn number<N: std::str::FromStr>(environment: &Environment, name: &str) -> Result<Option<N>, String> {
    let Some(value) = environment.filled(name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| format!("the variable {name} is not a number in range"))
}

/// An address to connect to for one that is listened on.
fn reachable(host: &str) -> String {
    match host {
        "0.0.0.0" | "" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        host => host.to_owned(),
    }
}
