//! Virtual keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind, Object};

/// A virtual key. Its id is the SHA-256 of its text; the text itself is kept nowhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyFields {
    /// `sk-...` and its last four characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// What people call it. No two keys share one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_alias: Option<String>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The team that pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// The organization above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The cost centre inside the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The agent that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Models, patterns and access groups; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Other names for models, for this key only.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, String>,
    /// Free settings, kept as sent.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub config: Object,
    /// What an administrator grants beside models.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub permissions: Object,
    /// Free, and the home of tags, guardrails and the other per-key switches.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub metadata: Object,
    /// Refused for now.
    pub blocked: bool,
    /// Milliseconds of Unix time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// Cache controls that requests may use; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_cache_controls: Vec<String>,
    /// Routes, prefixes and groups of routes; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_routes: Vec<String>,
    /// Addresses and networks it may be used from; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_ips: Vec<String>,
    /// `llm_api`, `management`, `read_only` or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// A shared budget it is under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_id: Option<String>,
    /// The budget of each customer that it calls for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_user_budget_id: Option<String>,
    /// Models to use when the budget of one is spent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub budget_fallbacks: BTreeMap<String, Vec<String>>,
    /// Access groups whose models it may use too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_group_ids: Vec<String>,
    /// Routing that differs for this key.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub router_settings: Object,
    /// Which tools, stores and agents it may reach.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub object_permission: Object,
    /// Slowed down instead of refused when its budget is spent.
    pub throttle_on_budget_exceeded: bool,
    /// Replaced by itself.
    pub auto_rotate: bool,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_interval: Option<String>,
    /// How often it was replaced.
    pub rotation_count: u64,
    /// Milliseconds of Unix time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_rotation_at: Option<i64>,
    /// When it is due, in milliseconds of Unix time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_rotation_at: Option<i64>,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for KeyFields {
    const KIND: Kind = Kind::Key;

    fn columns(&self) -> Columns<'_> {
        Columns {
            alias: self.key_alias.as_deref(),
            user_id: self.user_id.as_deref(),
            team_id: self.team_id.as_deref(),
            organization_id: self.organization_id.as_deref(),
            budget_id: self.budget_id.as_deref(),
            blocked: self.blocked,
            expires_at: self.expires,
        }
    }
}

/// A key's old text, which still works for a while. Its id is the old hash.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetiredKeyFields {
    /// The hash of the key that replaced it.
    pub active: String,
    /// Milliseconds of Unix time.
    pub revoke_at: i64,
}

impl Entity for RetiredKeyFields {
    const KIND: Kind = Kind::RetiredKey;

    fn columns(&self) -> Columns<'_> {
        Columns { expires_at: Some(self.revoke_at), ..Columns::default() }
    }
}
