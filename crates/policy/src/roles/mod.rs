//! Who may call which management route ([`rule`], [`may`]), and the routes that a key is limited to ([`RouteList`]).
//!
//! Not here: who the actor is and what the object is, which the routes find out; and how much of a thing may be
//! granted, which is [`crate::bounds`]'s.

mod groups;
mod routes;
mod table;
mod template;
mod who;

pub use routes::RouteList;
pub use table::RULES;
use who::Who;

/// A role on the proxy, in a team or in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// May do everything.
    ProxyAdmin,
    /// May read everything, and call no model.
    ProxyAdminViewer,
    /// In an organization: manages it, its teams, users and keys.
    OrgAdmin,
    /// In a team: manages it and its keys.
    TeamAdmin,
    /// In a team: does what the team permits its members.
    TeamMember,
    /// Manages their own keys. Also the role of a key without a user, and that of members of an organization.
    InternalUser,
    /// Reads what is their own.
    InternalViewer,
    /// Calls models.
    Customer,
}

impl Role {
    /// Reads a role on the proxy by LiteLLM's name. `team`, a team that signed in as such, is a [`Role::Customer`]:
    /// both call models and nothing else.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "proxy_admin" => Self::ProxyAdmin,
            "proxy_admin_viewer" => Self::ProxyAdminViewer,
            "org_admin" => Self::OrgAdmin,
            "internal_user" => Self::InternalUser,
            "internal_user_viewer" => Self::InternalViewer,
            "team" | "customer" => Self::Customer,
            _ => return None,
        })
    }
}

/// Membership in a team or an organization.
#[derive(Clone, Copy, Debug)]
pub struct Membership<'a> {
    /// Of the team or organization.
    pub id: &'a str,
    /// In a team [`Role::TeamAdmin`] or [`Role::TeamMember`]; in an organization [`Role::OrgAdmin`] or any other.
    pub role: Role,
    /// The routes that a team permits its members. Empty: [`DEFAULT_PERMISSIONS`].
    pub permissions: &'a [String],
}

/// What members of a team may do when the team does not say.
pub const DEFAULT_PERMISSIONS: &[&str] = &["/key/info", "/key/health"];

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// On the proxy. Roles in teams and organizations count by membership alone.
    pub role: Role,
    /// Whether it is the master key.
    pub master: bool,
    pub user: Option<&'a str>,
    pub teams: &'a [Membership<'a>],
    pub organizations: &'a [Membership<'a>],
    /// The hash of the key that was presented.
    pub key: Option<&'a str>,
    /// The team of that key.
    pub key_team: Option<&'a str>,
}

/// What is asked about: as it is, and, of a new one, as it is to be. A change that moves an object is asked
/// about twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Object<'a> {
    /// The user who owns it; of a user, that user.
    pub owner: Option<&'a str>,
    /// The team it belongs to; of a team, that team.
    pub team: Option<&'a str>,
    /// The organization it belongs to; of an organization, that organization.
    pub organization: Option<&'a str>,
    /// Of a key, its hash.
    pub key: Option<&'a str>,
}

/// A route and who may call it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// In capitals. `GET` stands for all methods that only read.
    pub method: &'static str,
    /// A template: `{name}` is a segment, `{*name}` is anything.
    pub path: &'static str,
    who: Who,
}

impl Rule {
    /// Whether it may be called without a key.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.has(who::ANYONE)
    }

    const fn has(&self, entitlement: Who) -> bool {
        self.who & entitlement != 0
    }

    fn is_reading(&self) -> bool {
        self.method == "GET"
    }
}

/// The rule of a route, or `None` for a route that nobody may call. `path` is without query.
#[must_use]
pub fn rule(method: &str, path: &str) -> Option<&'static Rule> {
    let method = if matches!(method, "HEAD" | "OPTIONS") { "GET" } else { method };
    let path = template::trimmed(path);
    let rules = || RULES.iter().filter(|rule| rule.method == method);
    rules().find(|rule| rule.path == path).or_else(|| {
        rules()
            .filter(|rule| template::is_template(rule.path) && template::matches(rule.path, path))
            .min_by_key(|rule| rule.path.matches('{').count())
    })
}

/// Whether somebody may call a route about something. Of what they may change there, and of what they are shown
/// where it is about many things, this says nothing.
#[must_use]
pub fn may(rule: &Rule, actor: &Actor<'_>, object: &Object<'_>) -> bool {
    if rule.is_public() {
        return true;
    }
    if rule.has(who::MASTER) {
        return actor.master;
    }
    let unchanging = rule.is_reading() || rule.has(who::HARMLESS);
    match actor.role {
        Role::ProxyAdmin => true,
        Role::ProxyAdminViewer if rule.is_reading() => true,
        Role::ProxyAdminViewer | Role::InternalViewer if !unchanging => false,
        Role::Customer => rule.has(who::CALLERS),
        Role::ProxyAdminViewer
        | Role::InternalViewer
        | Role::OrgAdmin
        | Role::TeamAdmin
        | Role::TeamMember
        | Role::InternalUser => entitled(rule, actor, object),
    }
}

fn entitled(rule: &Rule, actor: &Actor<'_>, object: &Object<'_>) -> bool {
    let team = membership(actor.teams, object.team);
    let organization = membership(actor.organizations, object.organization);
    let owner = same(actor.user, object.owner);
    let leads_team = |team: &Membership<'_>| team.role == Role::TeamAdmin;
    let leads_organization = |organization: &Membership<'_>| organization.role == Role::OrgAdmin;

    let table = [
        (who::CALLERS | who::KEYS, true),
        (who::OWNER, owner),
        (
            who::PERSONAL,
            owner && object.team.is_none() && organization.is_some() == object.organization.is_some(),
        ),
        (who::ITSELF, same(actor.key, object.key)),
        (who::TEAM_ADMIN, team.is_some_and(leads_team)),
        (who::TEAM_MEMBER, team.is_some()),
        (who::PERMITTED, team.is_some_and(|team| permits(team, rule))),
        (who::TEAM_KEY, same(actor.key_team, object.team)),
        (who::ORGANIZATION_ADMIN, organization.is_some_and(leads_organization)),
        (who::ORGANIZATION_MEMBER, organization.is_some()),
        (who::SOME_TEAM, actor.teams.iter().any(leads_team)),
        (who::SOME_ORGANIZATION, actor.organizations.iter().any(leads_organization)),
    ];
    table.into_iter().any(|(entitlement, held)| held && rule.has(entitlement))
}

fn membership<'a>(memberships: &'a [Membership<'a>], id: Option<&str>) -> Option<&'a Membership<'a>> {
    memberships.iter().find(|membership| Some(membership.id) == id)
}

fn permits(team: &Membership<'_>, rule: &Rule) -> bool {
    if team.permissions.is_empty() {
        return DEFAULT_PERMISSIONS.contains(&rule.path);
    }
    team.permissions.iter().any(|permission| template::same(permission, rule.path))
}

/// Whether both are known and the same; two unknown ones are not.
fn same(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_some() && one == other
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
