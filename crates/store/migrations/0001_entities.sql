-- What operators manage. {int}, {serial} and {strict} are filled in for each engine, see `db/migrate.rs`.
-- Times are milliseconds of Unix time, money is nano-dollars, a `body` is a JSON object.

CREATE TABLE keys ({entity}){strict};
CREATE TABLE retired_keys ({entity}){strict};
CREATE TABLE users ({entity}){strict};
CREATE TABLE teams ({entity}){strict};
CREATE TABLE team_members ({entity}){strict};
CREATE TABLE organizations ({entity}){strict};
CREATE TABLE organization_members ({entity}){strict};
CREATE TABLE projects ({entity}){strict};
CREATE TABLE customers ({entity}){strict};
CREATE TABLE budgets ({entity}){strict};
CREATE TABLE tags ({entity}){strict};
CREATE TABLE models ({entity}){strict};
CREATE TABLE credentials ({entity}){strict};
CREATE TABLE access_groups ({entity}){strict};
CREATE TABLE invitations ({entity}){strict};
CREATE TABLE settings ({entity}){strict};

CREATE INDEX keys_by_alias ON keys (alias);
CREATE INDEX keys_by_user ON keys (user_id);
CREATE INDEX keys_by_team ON keys (team_id);
CREATE INDEX keys_by_organization ON keys (organization_id);
CREATE INDEX keys_by_creation ON keys (created_at);
CREATE INDEX users_by_alias ON users (alias);
CREATE INDEX users_by_organization ON users (organization_id);
CREATE INDEX teams_by_alias ON teams (alias);
CREATE INDEX teams_by_organization ON teams (organization_id);
CREATE INDEX team_members_by_user ON team_members (user_id);
CREATE INDEX team_members_by_team ON team_members (team_id);
CREATE INDEX organization_members_by_user ON organization_members (user_id);
CREATE INDEX organization_members_by_organization ON organization_members (organization_id);
CREATE INDEX projects_by_team ON projects (team_id);
CREATE UNIQUE INDEX credentials_by_alias ON credentials (alias);
CREATE UNIQUE INDEX access_groups_by_alias ON access_groups (alias);

-- What was deleted, as it was.
CREATE TABLE deleted (
    number {serial},
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    spend {int} NOT NULL,
    total_spend {int} NOT NULL,
    created_at {int} NOT NULL,
    deleted_at {int} NOT NULL,
    deleted_by TEXT
){strict};
CREATE INDEX deleted_by_kind ON deleted (kind, deleted_at);

-- What was changed, in the order in which it was committed: what every replica follows.
CREATE TABLE changes (
    number {serial},
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    at {int} NOT NULL
){strict};

-- Who changed what: the audit log.
CREATE TABLE audit (
    number {serial},
    at {int} NOT NULL,
    actor TEXT NOT NULL,
    actor_key TEXT,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    before TEXT,
    after TEXT
){strict};
CREATE INDEX audit_by_object ON audit (kind, id);
