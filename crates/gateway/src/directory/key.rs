//! A key in force. Small: there may be hundreds of thousands.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use policy::access::ModelList;
use policy::roles::RouteList;
use store::entity::{KeyFields, Limits, Object, Record};

use super::account::{Account, AccountKind, terms};
use super::models::ModelAccounts;
use super::network::Network;
use super::who::Who;
use crate::hash::{Hash, hash_of};

/// A key.
pub struct Key {
    /// Its hash.
    pub hash: Hash,
    /// Its limits and what it has used.
    pub account: Arc<Account>,
    /// Whose it is.
    pub user: Option<Box<str>>,
    /// The team that pays.
    pub team: Option<Box<str>>,
    /// The organization above.
    pub organization: Option<Box<str>>,
    /// The cost centre.
    pub project: Option<Box<str>>,
    /// The models it may use; `None`: all.
    pub models: Option<Box<ModelList>>,
    /// Refused for now.
    pub blocked: bool,
    /// Milliseconds of Unix time.
    pub expires_ms: Option<i64>,
    /// What most keys do not have.
    pub extras: Option<Box<Extras>>,
    /// Who it stands for, as of some version of the directory.
    pub(super) who: ArcSwapOption<Who>,
}

/// What most keys do not have.
#[derive(Default)]
pub struct Extras {
    /// Other names for models.
    pub aliases: std::collections::BTreeMap<String, String>,
    /// Routes it may use, as written; empty: all.
    pub routes: Vec<String>,
    /// The same, compiled.
    pub route_list: Option<RouteList>,
    /// Addresses it may be used from; empty: all.
    pub networks: Vec<Network>,
    /// `models` names the team's models among others.
    pub team_models: bool,
    /// Budgets and limits of single models.
    pub model_accounts: ModelAccounts,
    /// Access groups it has.
    pub access_groups: Vec<String>,
    /// Labels of its calls.
    pub tags: Vec<String>,
    /// Request fields that must be there.
    pub enforced_params: Vec<String>,
    /// The budget of each customer it calls for.
    pub customer_budget: Option<String>,
    /// Tokens to expect of an answer when a request sets no limit.
    pub expected_output: Option<u64>,
}

impl Key {
    /// Compiles a row; `before` is the same key as it was, whose meter goes on.
    #[must_use]
    pub fn compile(
        record: &Record<KeyFields>,
        shared: Option<&Limits>,
        before: Option<&Self>,
        now_ms: i64,
    ) -> Option<Self> {
        let hash = hash_of(&record.id)?;
        let fields = &record.fields;
        let alias = fields.key_alias.as_deref();
        let account =
            Account::new(AccountKind::Key, &record.id, alias, terms(&fields.limits, shared, now_ms));
        let account = match before {
            Some(before) => before.account.amended(account),
            None => {
                account.restore(
                    0,
                    record.spend,
                    record.budget_reset_at.and_then(|at| u64::try_from(at).ok()),
                );
                account
            }
        };
        let extras = Extras::of(record, before.and_then(|before| before.extras.as_deref()));
        let boxed = |text: &Option<String>| text.as_deref().map(Box::from);
        Some(Self {
            hash,
            account: Arc::new(account),
            user: boxed(&fields.user_id),
            team: boxed(&fields.team_id),
            organization: boxed(&fields.organization_id),
            project: boxed(&fields.project_id),
            models: (!fields.models.is_empty()).then(|| Box::new(ModelList::new(&fields.models))),
            blocked: fields.blocked,
            expires_ms: fields.expires,
            extras: extras.map(Box::new),
            who: ArcSwapOption::empty(),
        })
    }

    /// What people call it.
    #[must_use]
    pub fn alias(&self) -> Option<&str> {
        self.account.alias.as_deref()
    }

    /// Its hash in hexadecimal, as it is named everywhere else.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.account.id
    }
}

impl Extras {
    fn of(record: &Record<KeyFields>, before: Option<&Self>) -> Option<Self> {
        let fields = &record.fields;
        let extras = Self {
            aliases: fields.aliases.clone(),
            routes: fields.allowed_routes.clone(),
            route_list: (!fields.allowed_routes.is_empty()).then(|| RouteList::new(&fields.allowed_routes)),
            networks: fields.allowed_ips.iter().filter_map(|text| Network::parse(text)).collect(),
            team_models: fields.models.iter().any(|model| model == "all-team-models"),
            model_accounts: ModelAccounts::of(
                AccountKind::KeyModel,
                &record.id,
                &fields.limits,
                &fields.metadata,
                before.map(|before| &before.model_accounts),
            ),
            access_groups: fields.access_group_ids.clone(),
            tags: texts(&fields.metadata, "tags"),
            enforced_params: texts(&fields.metadata, "enforced_params"),
            customer_budget: fields.end_user_budget_id.clone(),
            expected_output: fields
                .metadata
                .get("default_estimated_output_tokens")
                .and_then(serde_json::Value::as_u64),
        };
        let plain = extras.aliases.is_empty()
            && extras.routes.is_empty()
            && extras.networks.is_empty()
            && !extras.team_models
            && extras.model_accounts.is_empty()
            && extras.access_groups.is_empty()
            && extras.tags.is_empty()
            && extras.enforced_params.is_empty()
            && extras.customer_budget.is_none()
            && extras.expected_output.is_none();
        (!plain).then_some(extras)
    }

    /// Whether it may be used from `address`.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(address))
    }
}

/// The texts of a list in `metadata`.
pub(super) fn texts(metadata: &Object, name: &str) -> Vec<String> {
    let list = metadata.get(name).and_then(serde_json::Value::as_array);
    list.into_iter().flatten().filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id()).field("alias", &self.alias()).finish_non_exhaustive()
    }
}
