-- Jobs at 1min.ai that outlive a request: videos and the like. Times are milliseconds since 1970,
-- credits thousandths of a credit. `owner` is a pseudonym of whoever asked, `account` of the 1min.ai
-- account that pays, `account_name` what the operator calls it. `state` is `submitting` (on its way to
-- 1min.ai), `working`, `completed` or `failed`. `sealed_key` is the 1min.ai key by which the job is
-- looked at, encrypted under RELAY_SECRET, and null once the job has ended. `assets` is a JSON list of
-- the files that were made. A job is followed by the process that holds its lease.
CREATE TABLE jobs (
    id ascii_text NOT NULL PRIMARY KEY,
    owner ascii_text NOT NULL, account ascii_text NOT NULL, account_name TEXT,
    feature ascii_text NOT NULL, model TEXT NOT NULL,
    prompt TEXT NOT NULL, seconds BIGINT, size TEXT,
    state ascii_text NOT NULL, created BIGINT NOT NULL, finished BIGINT, expires BIGINT,
    upstream_id TEXT, sealed_key TEXT,
    next_look BIGINT NOT NULL, looks BIGINT NOT NULL,
    assets TEXT, error_code TEXT, error_message TEXT, credits BIGINT,
    lease_holder ascii_text, lease_until BIGINT NOT NULL
);
CREATE INDEX jobs_owner ON jobs (owner, id);
CREATE INDEX jobs_next_look ON jobs (next_look) WHERE state IN ('submitting', 'working');
CREATE INDEX jobs_finished ON jobs (finished);
