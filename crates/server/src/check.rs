//! `tollgate check FILE`: every problem of a configuration, and what it would serve.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use gateway::credential::Surroundings;
use gateway::settings::{DeploymentSettings, Settings};
use gateway::snapshot::{Flaw, Snapshot};
use gateway::transport::Tls;
use policy::catalog::Catalog;
use serde_json::json;
use wire::provider::{self, resolve::resolve};

use crate::cli::CheckFormat;
use crate::config::problem::{Problem, Severity, render_all};
use crate::config::{self, Loaded};
use crate::env::Environment;

/// What a check found, ready to be printed.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Ends with a line end.
    pub(crate) text: String,
    /// Whether the file would be served: no error, warnings or not.
    pub(crate) passed: bool,
}

impl Checked {
    /// 0 where the file would be served, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        u8::from(!self.passed)
    }
}

/// Checks a file. `color` is for text on a terminal.
pub(crate) fn check(file: &Path, format: CheckFormat, environment: &Environment, color: bool) -> Checked {
    let (problems, loaded) = match config::load(file, environment) {
        Ok(mut loaded) => {
            let mut problems = std::mem::take(&mut loaded.notices);
            // Sign-ins are looked at as they would be; nothing is fetched.
            let tls = Tls::new().ok();
            loaded.settings.surroundings = tls.map(|tls| Surroundings::new(environment.variables(), &tls));
            problems.extend(compiled(&mut loaded));
            let usable = problems.iter().all(|problem| problem.severity == Severity::Warning);
            (problems, usable.then_some(loaded))
        }
        Err(report) => (report.problems, None),
    };
    let text = match format {
        CheckFormat::Text => as_text(file, &problems, loaded.as_ref(), color),
        CheckFormat::Json => as_json(file, &problems, loaded.as_ref()),
    };
    Checked { text, passed: loaded.is_some() }
}

/// What compiling the settings has to say, which knows the catalog of models; at the entries it is about.
/// Entries that the gateway would leave out are taken from the settings.
fn compiled(loaded: &mut Loaded) -> Vec<Problem> {
    let problem = |severity, message, place| Problem { severity, message, help: None, place, repeats: 0 };
    let catalog = match Catalog::bundled() {
        Ok(catalog) => Arc::new(catalog),
        Err(error) => return vec![problem(Severity::Error, format!("the model catalog: {error}"), None)],
    };
    match Snapshot::prepare(loaded.settings.clone(), catalog) {
        Err(message) => vec![problem(Severity::Error, message, None)],
        Ok((_, flaws)) => {
            let left_out: Vec<usize> =
                flaws.iter().filter(|flaw| flaw.left_out).map(|flaw| flaw.entry).collect();
            let mut entry = 0..;
            loaded
                .settings
                .deployments
                .retain(|_| entry.next().is_none_or(|entry| !left_out.contains(&entry)));
            let said = |flaw: Flaw| {
                let verdict = if flaw.left_out { "is left out" } else { "cannot be called yet" };
                let message = format!("`{}` {verdict}: {}", flaw.model_name, flaw.message);
                problem(Severity::Warning, message, loaded.places.get(flaw.entry).cloned())
            };
            flaws.into_iter().map(said).collect()
        }
    }
}

fn as_text(file: &Path, problems: &[Problem], loaded: Option<&Loaded>, color: bool) -> String {
    let mut text = render_all(problems, color);
    if !text.is_empty() {
        text.push('\n');
    }
    if let Some(loaded) = loaded {
        text.push_str(&table(&rows(&loaded.settings)));
    }
    let (errors, warnings) = counts(problems);
    let verdict = if loaded.is_some() { "ok" } else { "not usable" };
    let models = loaded.map_or_else(String::new, |loaded| {
        let deployments = loaded.settings.deployments.len();
        let names: BTreeSet<&str> = names(&loaded.settings).collect();
        format!("{}, {}; ", counted(names.len(), "model"), counted(deployments, "deployment"))
    });
    let found = format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
    _ = writeln!(text, "{}: {verdict}: {models}{found}", file.display());
    text
}

fn as_json(file: &Path, problems: &[Problem], loaded: Option<&Loaded>) -> String {
    let (errors, warnings) = counts(problems);
    let models: Vec<_> = loaded
        .map(|loaded| rows(&loaded.settings))
        .unwrap_or_default()
        .into_iter()
        .map(|[name, model, address]| json!({"model_name": name, "model": model, "address": address}))
        .collect();
    let value = json!({
        "file": file.display().to_string(),
        "ok": loaded.is_some(),
        "errors": errors,
        "warnings": warnings,
        "files": loaded.map(|loaded| loaded.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>()),
        "models": models,
        "problems": problems.iter().map(Problem::json).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn names(settings: &Settings) -> impl Iterator<Item = &str> {
    settings.deployments.iter().map(|deployment| deployment.model_name.as_str())
}

/// Public name, provider and model, address; one row a deployment.
fn rows(settings: &Settings) -> Vec<[String; 3]> {
    settings.deployments.iter().map(|deployment| row(deployment, settings)).collect()
}

fn row(deployment: &DeploymentSettings, settings: &Settings) -> [String; 3] {
    let provider = deployment.provider.as_deref();
    let resolved = resolve(&deployment.model, provider, deployment.api_base.as_deref(), |_| None).ok();
    let known = resolved.as_ref().and_then(|resolved| settings.providers.get(resolved.provider.name));
    let address = match &resolved {
        Some(resolved) if resolved.provider.addressing == provider::Addressing::BuiltIn => {
            "built in".to_owned()
        }
        Some(resolved) => [
            deployment.api_base.as_deref(),
            known.and_then(|known| known.api_base.as_deref()),
            resolved.provider.base_url,
        ]
        .into_iter()
        .flatten()
        .next()
        .map_or_else(|| "no address: set `api_base`".to_owned(), without_credentials),
        None => "decided by the model's name".to_owned(),
    };
    let model = match (resolved, deployment.mock_response.is_some()) {
        (_, true) => format!("{} (mock_response)", deployment.model),
        (Some(resolved), false) => format!("{}/{}", resolved.provider.name, resolved.model),
        (None, false) => deployment.model.clone(),
    };
    [deployment.model_name.clone(), model, address].map(|cell| cell.replace(char::is_control, "?"))
}

/// An address without the user and password it may hold, and without its query.
fn without_credentials(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let authority = rest.find('/').unwrap_or(rest.len());
    let host = rest[..authority].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &rest[host..])
}

fn table(rows: &[[String; 3]]) -> String {
    let mut text = String::new();
    if rows.is_empty() {
        return text;
    }
    let heading = ["model", "served by", "at"].map(str::to_owned);
    let all = || std::iter::once(&heading).chain(rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    for [name, model, address] in all() {
        _ = writeln!(text, "  {name:first$}  {model:second$}  {address}");
    }
    text.push('\n');
    text
}

fn counts(problems: &[Problem]) -> (usize, usize) {
    let of = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    (of(Severity::Error), of(Severity::Warning))
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
