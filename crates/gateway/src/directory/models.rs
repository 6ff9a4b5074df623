//! Budgets and limits of single models: an account for each name, pattern or access group that has some.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::access::{Asked, ModelList};
use policy::account::{Budget, Terms};
use store::entity::{Limits, Object};

use super::account::{Account, AccountKind, period};

/// The accounts of single models that one key, team or organization has.
#[derive(Debug, Default)]
pub struct ModelAccounts {
    accounts: Vec<(ModelList, Arc<Account>)>,
}

impl ModelAccounts {
    /// Compiles them; meters of `before` go on. Limits stand in fields of their own or, as LiteLLM keeps them, in
    /// `metadata`.
    #[must_use]
    pub fn of(
        kind: AccountKind,
        owner: &str,
        limits: &Limits,
        metadata: &Object,
        before: Option<&Self>,
    ) -> Self {
        let mut terms: BTreeMap<&str, Terms> = BTreeMap::new();
        for (model, budget) in &limits.model_max_budget {
            let entry = terms.entry(model).or_default();
            entry.requests_per_minute = budget.rpm_limit;
            entry.tokens_per_minute = budget.tpm_limit;
            let duration = budget.budget_duration.as_deref();
            entry.budgets =
                [Budget { limit: budget.max_budget, soft: None, period: duration.and_then(period) }].into();
        }
        let of_metadata = |name: &str| metadata.get(name).and_then(serde_json::Value::as_object);
        let numbers = |object: Option<&'_ Object>| -> Vec<(String, u64)> {
            object
                .into_iter()
                .flatten()
                .filter_map(|(model, limit)| Some((model.clone(), limit.as_u64()?)))
                .collect()
        };
        let (rpm, tpm) = (numbers(of_metadata("model_rpm_limit")), numbers(of_metadata("model_tpm_limit")));
        for (model, limit) in
            limits.model_rpm_limit.iter().chain(rpm.iter().map(|(model, limit)| (model, limit)))
        {
            terms.entry(model).or_default().requests_per_minute = Some(*limit);
        }
        for (model, limit) in
            limits.model_tpm_limit.iter().chain(tpm.iter().map(|(model, limit)| (model, limit)))
        {
            terms.entry(model).or_default().tokens_per_minute = Some(*limit);
        }
        let accounts = terms.into_iter().map(|(model, terms)| {
            let account = Account::new(kind, &format!("{owner}:{model}"), None, terms);
            let account = match before.and_then(|before| before.find(&account.id)) {
                Some(before) => before.amended(account),
                None => account,
            };
            (ModelList::new(&[model]), Arc::new(account))
        });
        Self { accounts: accounts.collect() }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Those that a call for `asked` is charged to.
    pub fn of_model<'a>(&'a self, asked: Asked<'a>) -> impl Iterator<Item = &'a Arc<Account>> {
        self.accounts.iter().filter(move |(list, _)| list.allows(asked)).map(|(_, account)| account)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.iter().map(|(_, account)| account)
    }

    fn find(&self, id: &str) -> Option<&Arc<Account>> {
        self.all().find(|account| &*account.id == id)
    }
}
