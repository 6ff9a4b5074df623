-- What calls cost. A missing text in a key of sums is the empty text, so that it can be part of that key.

-- One row a call.
CREATE TABLE spend_logs (
    request_id TEXT NOT NULL PRIMARY KEY,
    started_at {int} NOT NULL,
    ended_at {int} NOT NULL,
    first_token_at {int},
    call_type TEXT NOT NULL,
    api_key TEXT NOT NULL,
    key_alias TEXT,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    project_id TEXT,
    end_user TEXT,
    model TEXT NOT NULL,
    model_group TEXT NOT NULL,
    model_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    api_base TEXT,
    spend {int} NOT NULL,
    pricing TEXT NOT NULL,
    input_tokens {int} NOT NULL,
    output_tokens {int} NOT NULL,
    cache_read_tokens {int} NOT NULL,
    cache_write_tokens {int} NOT NULL,
    counts TEXT,
    failed {int} NOT NULL,
    ending TEXT NOT NULL,
    status_code {int} NOT NULL,
    error_class TEXT,
    error_message TEXT,
    stream {int} NOT NULL,
    cache_hit {int},
    retries {int} NOT NULL,
    tags TEXT,
    session_id TEXT,
    requester_ip TEXT,
    response_id TEXT
){strict};
CREATE INDEX spend_logs_by_time ON spend_logs (started_at, request_id);
CREATE INDEX spend_logs_by_key ON spend_logs (api_key, started_at, request_id);
CREATE INDEX spend_logs_by_user ON spend_logs (user_id, started_at, request_id) WHERE user_id IS NOT NULL;
CREATE INDEX spend_logs_by_team ON spend_logs (team_id, started_at, request_id) WHERE team_id IS NOT NULL;
CREATE INDEX spend_logs_by_end_user ON spend_logs (end_user, started_at, request_id) WHERE end_user IS NOT NULL;
CREATE INDEX spend_logs_by_model ON spend_logs (model_group, started_at, request_id);
CREATE INDEX spend_logs_by_session ON spend_logs (session_id, started_at, request_id) WHERE session_id IS NOT NULL;
CREATE INDEX spend_logs_by_response ON spend_logs (response_id) WHERE response_id IS NOT NULL;
CREATE INDEX spend_logs_failed ON spend_logs (started_at, request_id) WHERE failed = 1;

-- What was said, apart from what it cost: large, optional, and forgotten sooner.
CREATE TABLE transcripts (
    request_id TEXT NOT NULL PRIMARY KEY,
    at {int} NOT NULL,
    messages TEXT NOT NULL,
    response TEXT NOT NULL,
    request TEXT NOT NULL
){strict};
CREATE INDEX transcripts_by_time ON transcripts (at);

-- Sums of a day in UTC: of everything (kind `global`), and of each user, team, ….
CREATE TABLE daily_spend (
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    api_key TEXT NOT NULL,
    model TEXT NOT NULL,
    model_group TEXT NOT NULL,
    provider TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    spend {int} NOT NULL,
    input_tokens {int} NOT NULL,
    output_tokens {int} NOT NULL,
    cache_read_tokens {int} NOT NULL,
    cache_write_tokens {int} NOT NULL,
    requests {int} NOT NULL,
    successful {int} NOT NULL,
    failed {int} NOT NULL,
    cache_hits {int} NOT NULL,
    unpriced {int} NOT NULL,
    duration_ms {int} NOT NULL,
    PRIMARY KEY (kind, entity_id, day, api_key, model, model_group, provider, endpoint)
){strict};
CREATE INDEX daily_spend_by_day ON daily_spend (kind, day);
CREATE INDEX daily_spend_by_key ON daily_spend (api_key, day);

-- Spent in the running period of budgets that are no row of their own.
CREATE TABLE budget_windows (
    account TEXT NOT NULL,
    period TEXT NOT NULL,
    spent {int} NOT NULL,
    resets_at {int} NOT NULL,
    PRIMARY KEY (account, period)
){strict};

-- How far each ledger is applied.
CREATE TABLE ledger_receipts (
    ledger TEXT NOT NULL PRIMARY KEY,
    segment {int} NOT NULL,
    place {int} NOT NULL,
    at {int} NOT NULL
){strict};

-- What replicas tell each other of their charges. Short-lived.
CREATE TABLE spend_feed (
    number {serial},
    replica TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    cost {int} NOT NULL,
    ended_at {int} NOT NULL,
    at {int} NOT NULL
){strict};
CREATE INDEX spend_feed_by_time ON spend_feed (at);
