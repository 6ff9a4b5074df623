//! The process: command line, configuration, workers, reload, shutdown. Reads as a checklist in [`serve`].
//!
//! Not here: what happens to a call (gateway), management routes (admin).

mod books;
mod catalog;
mod check;
mod cli;
mod client;
mod config;
mod discover;
mod door;
mod env;
mod kept;
mod load;
mod plain;
mod reload;
mod serve;
mod workers;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use cli::{Action, Verbosity};
use env::Environment;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut environment = Environment::of_process();
    if let Err(error) = environment.read_dotenv(Path::new(".")) {
        say(&format!("warning: .env was not read: {error}\n"));
    }
    let action = match cli::parse(std::env::args_os(), &environment) {
        Ok(action) => action,
        Err(error) => {
            // Help and version arrive as errors too; clap knows where each is printed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let verbosity = if let Action::Serve(options) = &action { options.verbosity } else { Verbosity::Normal };
    log_to_stderr(verbosity, &environment);
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        say("error: TLS cannot be set up\n");
        return ExitCode::FAILURE;
    }
    match run(action, environment) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action, environment: Environment) -> anyhow::Result<ExitCode> {
    match action {
        Action::Version => {
            print(concat!("Tollgate ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(ExitCode::SUCCESS)
        }
        Action::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut cli::command(), "tollgate", &mut script);
            print(&String::from_utf8_lossy(&script));
            Ok(ExitCode::SUCCESS)
        }
        Action::Check { file, format } => {
            let checked = check::check(&file, format, &environment, std::io::stdout().is_terminal());
            print(&checked.text);
            Ok(ExitCode::from(checked.exit_code()))
        }
        Action::Test(gateway) => client::test(&gateway),
        Action::Health(gateway) => client::health(&gateway),
        Action::Serve(options) => serve::serve(options, environment),
    }
}

/// Writes to standard output; a reader that went away (`| head`) is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Writes to standard error.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Logs go to standard error, as text or, with `JSON_LOGS`, one JSON object a line.
fn log_to_stderr(verbosity: Verbosity, environment: &Environment) {
    let default = match verbosity {
        Verbosity::Normal => "info",
        Verbosity::Debug => "info,gateway=debug,tollgate_gateway=debug,tollgate=debug",
        Verbosity::Detailed => "debug",
    };
    let asked = environment.filled("TOLLGATE_LOG").or_else(|| environment.filled("LITELLM_LOG"));
    let filter = EnvFilter::try_new(asked.unwrap_or(default)).unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if environment.is_on("JSON_LOGS") {
        log.json().init();
    } else {
        log.with_target(false).with_ansi(std::io::stderr().is_terminal()).init();
    }
}
