-- Access keys, accounts, budgets and the ledger. Times are milliseconds since 1970, credits are
-- thousandths of a credit. Flags are 0 or 1. Lists are JSON arrays; an empty one permits all.

-- What clients are given in place of a 1min.ai key: `sk-relay-` + id + secret. `hash` is the SHA-256
-- of the whole key in hex; `previous_hash` opens until `previous_until` after a rotation.
CREATE TABLE access_keys (
    id ascii_text NOT NULL PRIMARY KEY,
    hash ascii_text NOT NULL,
    previous_hash ascii_text, previous_until BIGINT,
    name TEXT NOT NULL,
    created BIGINT NOT NULL, updated BIGINT NOT NULL, expires BIGINT,
    disabled BIGINT NOT NULL,
    models TEXT NOT NULL, uses TEXT NOT NULL, accounts TEXT NOT NULL,
    rpm BIGINT, parallel BIGINT
);

-- What may be spent in a period. `scope` is the id of a key.
CREATE TABLE budgets (
    scope ascii_text NOT NULL, per ascii_text NOT NULL, credits BIGINT NOT NULL,
    PRIMARY KEY (scope, per)
);

-- What was spent in a period: `day:2026-11-28`, `week:2026-W48`, `month:2026-11`, `total`. `scope` is
-- the id of a key, or `*` for the whole relay. `held` counts holds under way (PostgreSQL only),
-- `forgiven` is what a reset has taken off.
CREATE TABLE budget_counters (
    scope ascii_text NOT NULL, period ascii_text NOT NULL,
    settled BIGINT NOT NULL DEFAULT 0, held BIGINT NOT NULL DEFAULT 0,
    forgiven BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (scope, period)
);

-- Paid calls under way. `counted` ones are part of the counters' `held`; `job` ones outlive the
-- process.
CREATE TABLE holds (
    id ascii_text NOT NULL PRIMARY KEY,
    request ascii_text NOT NULL, key_id ascii_text NOT NULL, account ascii_text NOT NULL,
    api TEXT NOT NULL, model TEXT NOT NULL,
    credits BIGINT NOT NULL, at BIGINT NOT NULL, expires BIGINT NOT NULL,
    counted BIGINT NOT NULL, job BIGINT NOT NULL
);
CREATE INDEX holds_expires ON holds (expires);

-- One row a request. `kind` is `request`, `adjust` (a correction), `outside` (spent at 1min.ai, but
-- not through this relay) or `admin` (a change of keys and budgets, without credits).
CREATE TABLE ledger (
    id ascii_text NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL, kind ascii_text NOT NULL,
    key_id ascii_text NOT NULL, account ascii_text NOT NULL,
    api TEXT NOT NULL, model TEXT NOT NULL, streamed BIGINT NOT NULL,
    outcome TEXT NOT NULL, status BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL, output_tokens BIGINT NOT NULL, tokens_by TEXT NOT NULL,
    credits BIGINT NOT NULL, source ascii_text NOT NULL, calls BIGINT NOT NULL,
    ms BIGINT NOT NULL, first_byte_ms BIGINT,
    note TEXT NOT NULL
);
CREATE INDEX ledger_at ON ledger (at, id);
CREATE INDEX ledger_key ON ledger (key_id, at, id);

-- Sums of the ledger by hour and by day, written in its transactions. `day` is the date in
-- BUDGET_TIMEZONE.
CREATE TABLE usage_hours (
    hour BIGINT NOT NULL, day ascii_text NOT NULL, kind ascii_text NOT NULL,
    key_id ascii_text NOT NULL, account ascii_text NOT NULL,
    api ascii_text NOT NULL, model ascii_text NOT NULL, outcome ascii_text NOT NULL,
    requests BIGINT NOT NULL, failed BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL, output_tokens BIGINT NOT NULL, credits BIGINT NOT NULL,
    PRIMARY KEY (hour, day, kind, key_id, account, api, model, outcome)
);
CREATE TABLE usage_days (
    day ascii_text NOT NULL, kind ascii_text NOT NULL,
    key_id ascii_text NOT NULL, account ascii_text NOT NULL,
    api ascii_text NOT NULL, model ascii_text NOT NULL, outcome ascii_text NOT NULL,
    requests BIGINT NOT NULL, failed BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL, output_tokens BIGINT NOT NULL, credits BIGINT NOT NULL,
    PRIMARY KEY (day, kind, key_id, account, api, model, outcome)
);

-- 1min.ai accounts. `sealed` is the account's key, encrypted under RELAY_SECRET; null for those that
-- the settings name. `credit_limit` and `used_credit` are what 1min.ai said last, at `seen`. `booked`
-- sums the ledger's credits of the account; `base_used` and `base_booked` are where both stood when
-- they were compared last.
CREATE TABLE accounts (
    name ascii_text NOT NULL PRIMARY KEY,
    sealed TEXT, created BIGINT NOT NULL,
    credit_limit BIGINT, used_credit BIGINT, seen BIGINT,
    booked BIGINT NOT NULL DEFAULT 0, base_used BIGINT, base_booked BIGINT
);

-- Counts the changes of access keys, budgets and accounts, so that processes notice them.
CREATE TABLE revisions (name ascii_text NOT NULL PRIMARY KEY, number BIGINT NOT NULL);
INSERT INTO revisions (name, number) VALUES ('access', 1);
