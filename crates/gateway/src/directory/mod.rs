//! Who there is: keys, users, teams and the rest as the database says, kept in memory as a whole, so that no call
//! waits for a database and a key that is unknown costs one look-up.
//!
//! It follows the database's list of changes. What accounts have used outlives every change of their terms.

mod account;
mod copy;
mod identity;
mod key;
mod managed;
mod models;
mod network;
mod rows;
mod who;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use policy::access::Asked;
use policy::account::{Budget, Terms};
use store::changes::Change;
use store::db::{Db, DbError};
use store::entity::{CustomerFields, Kind, TagFields, UserFields};
use store::ledger::Charge;
use store::spend::window::Window;

pub use self::account::{Account, AccountKind};
pub use self::copy::{Copy, CopyError};
pub use self::identity::{Identity, Seat};
pub use self::key::{Extras, Key};
pub use self::models::ModelAccounts;
pub use self::network::Network;
pub use self::who::{Held, Level, Who};

use self::rows::{Rows, Seen};
use crate::call::unix_ms;
use crate::hash::Hash;

/// Changes taken over at once.
const MOST_CHANGES: u32 = 500;

/// Everything that is managed and matters to calls.
#[derive(Default)]
pub struct Directory {
    rows: RwLock<Rows>,
    /// Grows with every change; what was resolved from an older one is resolved again.
    version: AtomicU64,
}

/// A key that was shown, and who it stands for.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The key.
    pub key: Arc<Key>,
    /// Who is behind it.
    pub who: Arc<Who>,
}

impl Directory {
    /// Reads everything. Returns the number of the change it is true up to.
    ///
    /// # Errors
    /// The database's.
    pub async fn load(&self, db: &Db) -> Result<i64, DbError> {
        // What changes while rows are read is read once more.
        let number = db.last_change().await?;
        let now = now_ms();
        let mut seen = (self.keys() > 0).then(Seen::default);
        rows::all(db, |page| {
            let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
            for loaded in page {
                seen.iter_mut().for_each(|seen| seen.note(&loaded));
                rows.take(loaded, now);
            }
        })
        .await?;
        if let Some(seen) = seen {
            self.rows.write().unwrap_or_else(PoisonError::into_inner).keep(&seen);
        }
        self.version.fetch_add(1, Ordering::Release);
        Ok(number)
    }

    /// Takes over what was copied when the database last answered. Returns how many keys that are.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub fn load_copy(&self, copy: &Copy) -> Result<usize, CopyError> {
        let loaded = copy.read()?;
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        loaded.into_iter().for_each(|loaded| rows.take(loaded, now_ms()));
        self.version.fetch_add(1, Ordering::Release);
        Ok(rows.keys.len())
    }

    /// Takes over the changes behind `number`. Returns the number of the last one, and all of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn follow(&self, db: &Db, mut number: i64) -> Result<(i64, Vec<Change>), DbError> {
        let mut all = Vec::new();
        loop {
            let changes = db.changes_after(number, MOST_CHANGES).await?;
            let Some(last) = changes.last() else { return Ok((number, all)) };
            number = last.number;
            for change in &changes {
                let loaded = rows::changed(db, change).await?;
                let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
                loaded.into_iter().for_each(|loaded| rows.take(loaded, now_ms()));
            }
            self.version.fetch_add(1, Ordering::Release);
            all.extend(changes);
        }
    }

    /// The key with this hash and who it stands for; `None` when there is none. A key that was replaced works
    /// until it is revoked.
    #[must_use]
    pub fn find(&self, hash: &Hash, now_ms: i64) -> Option<Resolved> {
        let key = {
            let rows = self.rows();
            match rows.keys.get(hash) {
                Some(key) => Arc::clone(key),
                None => {
                    let (active, revoke_at) = rows.retired.get(hash)?;
                    Arc::clone(rows.keys.get(active).filter(|_| now_ms < *revoke_at)?)
                }
            }
        };
        let version = self.version.load(Ordering::Acquire);
        if let Some(who) = key.who.load_full().filter(|who| who.version == version) {
            return Some(Resolved { key, who });
        }
        let who = Arc::new(self.rows().resolve(&key, version, false));
        key.who.store(Some(Arc::clone(&who)));
        Some(Resolved { key, who })
    }

    /// A user that has a row.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<Arc<Held<UserFields>>> {
        self.rows().users.get(id).cloned()
    }

    /// A customer that has a row.
    #[must_use]
    pub fn customer(&self, id: &str) -> Option<Arc<Held<CustomerFields>>> {
        self.rows().customers.get(id).cloned()
    }

    /// A tag that has a row.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<Arc<Held<TagFields>>> {
        self.rows().tags.get(name).cloned()
    }

    /// The account of a managed thing: by the kind of its row, or by its name if it has none.
    #[must_use]
    pub fn account_of(&self, kind: Option<Kind>, id: &str) -> Option<Arc<Account>> {
        let rows = self.rows();
        match kind {
            None => rows.model_account(id),
            Some(kind) => rows.account(kind, id),
        }
    }

    /// Everybody whom a recorded charge is counted against.
    #[must_use]
    pub fn charged(&self, charge: &Charge<'_>) -> Vec<Arc<Account>> {
        let rows = self.rows();
        let member = format!("{}/{}", charge.team, charge.user);
        let mut found: Vec<Arc<Account>> = [
            (Kind::Key, &*charge.caller),
            (Kind::User, &*charge.user),
            (Kind::Team, &*charge.team),
            (Kind::TeamMember, &member),
            (Kind::Organization, &*charge.organization),
            (Kind::Project, &*charge.project),
            (Kind::Customer, &*charge.end_user),
        ]
        .into_iter()
        .filter(|(_, id)| !id.is_empty())
        .filter_map(|(kind, id)| rows.account(kind, id))
        .collect();
        found.extend(charge.tags.iter().filter_map(|tag| rows.account(Kind::Tag, tag)));
        let asked = Asked { model: &charge.model_group, groups: &[], provider: Some(&charge.provider) };
        rows.model_accounts_of(charge, asked, &mut found);
        found
    }

    /// Sets what was spent in a budget that no row keeps.
    pub fn restore(&self, window: &Window) {
        let Some(account) = self.rows().named(&window.account) else { return };
        let of_period = |budget: &Budget| {
            budget.period.map_or_else(|| "ever".to_owned(), |period| period.to_string()) == window.period
        };
        if let Some(index) = account.terms.budgets.iter().position(of_period) {
            account.restore(index, window.spent, window.resets_at.and_then(|at| u64::try_from(at).ok()));
        }
    }

    /// Who an operator is who showed this key.
    #[must_use]
    pub fn identity(&self, resolved: &Resolved) -> Identity {
        let Resolved { key, who } = resolved;
        let user = who.user.as_ref().map(|user| &user.record);
        let mut identity = self.user_identity(key.user.as_deref());
        let own = user.and_then(|user| user.fields.user_role.clone());
        identity.role = own.unwrap_or_else(|| "internal_user".to_owned());
        identity.user_id = key.user.as_deref().map(str::to_owned);
        identity.key = Some(key.id().to_owned());
        identity.key_team = key.team.as_deref().map(str::to_owned);
        identity.routes = key.extras.as_ref().map(|extras| extras.routes.clone()).unwrap_or_default();
        if let Some(models) =
            key.models.as_ref().map(|models| models.entries()).filter(|list| !list.is_empty())
        {
            identity.models = models;
        }
        let own = &key.account.terms;
        let of_user = std::mem::take(&mut identity.terms);
        identity.terms = Terms {
            requests_per_minute: own.requests_per_minute.or(of_user.requests_per_minute),
            tokens_per_minute: own.tokens_per_minute.or(of_user.tokens_per_minute),
            parallel: own.parallel.or(of_user.parallel),
            budgets: own.budgets.iter().chain(&of_user.budgets).cloned().collect(),
        };
        identity
    }

    /// Who a user is, without a key.
    #[must_use]
    pub fn user_identity(&self, user_id: Option<&str>) -> Identity {
        let Some(user_id) = user_id else { return Identity::default() };
        let rows = self.rows();
        let user = rows.users.get(user_id);
        let of_person = |role: &str| role == "admin";
        let teams = rows.teams.values().filter_map(|team| {
            let people = &team.record.fields.members_with_roles;
            let person = people.iter().find(|person| person.user_id.as_deref() == Some(user_id))?;
            Some(Seat {
                team: team.id().to_owned(),
                admin: of_person(&person.role),
                permissions: team.record.fields.team_member_permissions.clone().unwrap_or_default(),
            })
        });
        let members = rows.organization_members.values();
        let organizations = members.filter(|member| member.fields.user_id == user_id).map(|member| {
            let admin = member.fields.user_role.as_deref() == Some("org_admin");
            (member.fields.organization_id.clone(), admin)
        });
        Identity {
            role: user
                .and_then(|user| user.record.fields.user_role.clone())
                .unwrap_or_else(|| "internal_user".to_owned()),
            user_id: Some(user_id.to_owned()),
            teams: teams.collect(),
            organizations: organizations.collect(),
            models: user.map(|user| user.record.fields.models.clone()).unwrap_or_default(),
            terms: user.map(|user| user.account.terms.clone()).unwrap_or_default(),
            ..Identity::default()
        }
    }

    /// How many keys there are.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.rows().keys.len()
    }

    fn rows(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("keys", &self.keys()).finish_non_exhaustive()
    }
}

fn now_ms() -> i64 {
    i64::try_from(unix_ms()).unwrap_or(i64::MAX)
}
