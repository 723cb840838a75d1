-- Records at 1min.ai that requests to its own API (NATIVE) have made: who may ask for them. `owner` is
-- a pseudonym of whoever asked, `account_name` what the operator calls the 1min.ai account that paid
-- (null: the caller's own). `hold` is the id of the hold that is settled when the result is there.
-- `created` is in milliseconds since 1970.
CREATE TABLE native_records (
    uuid ascii_text NOT NULL PRIMARY KEY,
    owner ascii_text NOT NULL, account_name TEXT,
    feature TEXT NOT NULL, model TEXT NOT NULL, hold ascii_text, created BIGINT NOT NULL
);
CREATE INDEX native_records_created ON native_records (created);
