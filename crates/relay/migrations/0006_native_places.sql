-- At which account of the owner's pool stored things lie (files, conversations, what features have made)
-- that requests of 1min.ai's own API (NATIVE) by an access key may name: such a request goes to that
-- account. `owner` is a pseudonym of whoever stored it, `id` the thing's id or path at 1min.ai, `created`
-- is in milliseconds since 1970.
CREATE TABLE native_places (
    owner ascii_text NOT NULL, id TEXT NOT NULL,
    account_name TEXT NOT NULL, created BIGINT NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE INDEX native_places_created ON native_places (created);
