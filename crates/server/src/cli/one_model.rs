//! `--model` and the flags around it: one model served without a file, and overrides for a file's settings.

use std::time::Duration;

use clap::Args;
use gateway::settings::{DeploymentSettings, Settings};
use secrecy::SecretString;
use serde_json::{Map, Value};

const HEADING: &str = "One model";

#[derive(Args, Debug)]
pub(super) struct Flags {
    /// Serve this model, as `provider/model`
    #[arg(short, long, help_heading = HEADING)]
    model: Option<String>,
    /// The name callers use for it
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    alias: Option<String>,
    /// Where its provider is
    #[arg(long = "api_base", value_name = "URL", help_heading = HEADING)]
    api_base: Option<String>,
    /// API version (Azure)
    #[arg(long = "api_version", value_name = "VERSION", help_heading = HEADING)]
    api_version: Option<String>,
    /// Headers to send to it, as a JSON object
    #[arg(long, value_name = "JSON", help_heading = HEADING)]
    headers: Option<String>,
    /// Temperature where a request has none
    #[arg(long, value_name = "NUMBER", help_heading = HEADING)]
    temperature: Option<f64>,
    /// Reply length where a request has none
    #[arg(long = "max_tokens", value_name = "COUNT", help_heading = HEADING)]
    max_tokens: Option<u64>,
    /// Bound of one attempt (also for a file's models)
    #[arg(long = "request_timeout", value_name = "SECONDS", help_heading = HEADING)]
    request_timeout: Option<f64>,
    /// Drop request fields that a provider does not take (also for a file's models)
    #[arg(long = "drop_params", help_heading = HEADING)]
    drop_params: bool,
}

/// What these flags ask for.
#[derive(Debug, Default)]
pub(crate) struct OneModel {
    /// The deployment of `--model`.
    pub(crate) deployment: Option<Box<DeploymentSettings>>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) drop_params: bool,
}

impl OneModel {
    /// Adds the model and overrides what the flags override. The model also answers requests that name none.
    pub(crate) fn amend(&self, settings: &mut Settings) {
        if let Some(deployment) = &self.deployment {
            settings.general.completion_model.get_or_insert_with(|| deployment.model_name.clone());
            settings.deployments.push((**deployment).clone());
        }
        settings.routing.timeout = self.request_timeout.unwrap_or(settings.routing.timeout);
        settings.routing.drop_params |= self.drop_params;
    }
}

impl Flags {
    pub(super) fn name(&self) -> Option<&str> {
        self.alias.as_deref().or(self.model.as_deref())
    }

    /// # Errors
    /// What is wrong with a flag, named.
    pub(super) fn read(self) -> Result<OneModel, String> {
        let request_timeout = self.request_timeout.map(bound).transpose()?;
        let drop_params = self.drop_params;
        let deployment = self.deployment()?.map(Box::new);
        Ok(OneModel { deployment, request_timeout, drop_params })
    }

    fn deployment(self) -> Result<Option<DeploymentSettings>, String> {
        let given = [
            ("--alias", self.alias.is_some()),
            ("--api_base", self.api_base.is_some()),
            ("--api_version", self.api_version.is_some()),
            ("--headers", self.headers.is_some()),
            ("--temperature", self.temperature.is_some()),
            ("--max_tokens", self.max_tokens.is_some()),
        ];
        let Some(model) = self.model else {
            return match given.iter().find(|(_, is_given)| *is_given) {
                Some((flag, _)) => Err(format!("{flag} says something about --model, which is not given")),
                None => Ok(None),
            };
        };
        let mut defaults = Map::new();
        if let Some(temperature) = self.temperature {
            defaults.insert("temperature".to_owned(), Value::from(temperature));
        }
        if let Some(max_tokens) = self.max_tokens {
            defaults.insert("max_tokens".to_owned(), Value::from(max_tokens));
        }
        let mut shown_params = defaults.clone();
        shown_params.insert("model".to_owned(), Value::from(model.clone()));
        if let Some(base) = &self.api_base {
            shown_params.insert("api_base".to_owned(), Value::from(base.clone()));
        }
        Ok(Some(DeploymentSettings {
            model_name: self.alias.unwrap_or_else(|| model.clone()),
            model,
            api_base: self.api_base,
            api_version: self.api_version,
            extra_headers: self.headers.as_deref().map(headers).transpose()?.unwrap_or_default(),
            defaults,
            shown_params,
            ..DeploymentSettings::default()
        }))
    }
}

fn bound(seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|bound| !bound.is_zero() && bound.as_secs() < 315_360_000)
        .ok_or_else(|| "--request_timeout must be a number of seconds above 0".to_owned())
}

fn headers(text: &str) -> Result<Vec<(String, SecretString)>, String> {
    let wrong = || "--headers must be a JSON object of texts, such as '{\"x-team\": \"blue\"}'".to_owned();
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|_| wrong())?;
    object
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(value)
                if http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                    && http::HeaderValue::from_str(&value).is_ok() =>
            {
                Ok((name, SecretString::from(value)))
            }
            _ => Err(wrong()),
        })
        .collect()
}
