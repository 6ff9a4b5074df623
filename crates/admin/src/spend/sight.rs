//! Whose spend somebody sees.

use gateway::directory::Identity;
use store::db::Db;
use store::entity::{Filter, KeyFields};

use crate::access::Refused;

/// Whose rows of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Everybody's.
    All,
    /// A user's, who asks.
    User(String),
    /// Those of the key that was shown.
    Key(String),
    /// A team's, which the user who asks leads.
    Team(String),
}

/// May read everything.
pub(crate) fn sees_all(who: &Identity) -> bool {
    who.is_admin() || who.role == "proxy_admin_viewer"
}

/// Leads this team.
pub(crate) fn leads(who: &Identity, team: &str) -> bool {
    who.teams.iter().any(|seat| seat.admin && seat.team == team)
}

impl Sight {
    /// What somebody sees who asks about `team`, if about any.
    pub(crate) fn of(who: &Identity, team: Option<&str>) -> Self {
        match (team, &who.user_id, &who.key) {
            _ if sees_all(who) => Self::All,
            (Some(team), ..) if leads(who, team) => Self::Team(team.to_owned()),
            (_, Some(user), _) => Self::User(user.clone()),
            (_, None, key) => Self::Key(key.clone().unwrap_or_default()),
        }
    }

    /// Whether a row is in it.
    pub(crate) fn has(&self, log: &store::spend::log::SpendLog) -> bool {
        match self {
            Self::All => true,
            Self::User(user) => log.user_id.as_ref() == Some(user),
            Self::Key(key) => log.api_key == *key,
            Self::Team(team) => log.team_id.as_ref() == Some(team),
        }
    }
}

/// The keys that are somebody's own, by their hashes; `None` when they see all.
///
/// # Errors
/// The database's.
pub(crate) async fn own_keys(db: &Db, who: &Identity) -> Result<Option<Vec<String>>, Refused> {
    if sees_all(who) {
        return Ok(None);
    }
    let mut keys: Vec<String> = who.key.iter().cloned().collect();
    if let Some(user) = &who.user_id {
        let rows = db.find::<KeyFields>(&Filter { user_id: Some(user), ..Filter::default() }).await?;
        keys.extend(rows.into_iter().map(|row| row.id));
    }
    keys.sort();
    keys.dedup();
    Ok(Some(keys))
}
