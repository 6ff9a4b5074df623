//! What the environment knows of each provider: keys, addresses, versions.

use std::collections::BTreeMap;

use gateway::settings::ProviderSettings;
use secrecy::SecretString;
use wire::provider::{self, Provider};

use crate::env::Environment;

/// Settings of every provider that the environment says something about.
pub(crate) fn from_environment(environment: &Environment) -> BTreeMap<String, ProviderSettings> {
    provider::all().iter().filter_map(|row| Some((row.name.to_owned(), of_row(row, environment)?))).collect()
}

fn of_row(row: &Provider, environment: &Environment) -> Option<ProviderSettings> {
    let prefix = row.name.to_ascii_uppercase();
    let own = |suffix: &str| environment.filled(&format!("{prefix}_{suffix}")).map(str::to_owned);
    let settings = ProviderSettings {
        api_key: environment.first_filled(row.key_env).map(|(_, key)| SecretString::from(key)),
        // The row's own address is the gateway's to know, unless a variable is part of it.
        api_base: row
            .base(|name| environment.filled(name).map(str::to_owned))
            .filter(|base| row.base_url != Some(base.as_str())),
        api_version: own("API_VERSION"),
        organization: own("ORGANIZATION"),
    };
    let says_something = settings.api_key.is_some()
        || settings.api_base.is_some()
        || settings.api_version.is_some()
        || settings.organization.is_some();
    says_something.then_some(settings)
}
