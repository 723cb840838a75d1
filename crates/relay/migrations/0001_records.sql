-- What clients store. `owner` is a pseudonym of the account, `expires` is in milliseconds since 1970
-- (null: never), `data` is the record as JSON.
CREATE TABLE files (
    owner ascii_text NOT NULL, id ascii_text NOT NULL, expires BIGINT, data TEXT NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE TABLE assistants (
    owner ascii_text NOT NULL, id ascii_text NOT NULL, expires BIGINT, data TEXT NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE TABLE responses (
    owner ascii_text NOT NULL, id ascii_text NOT NULL, expires BIGINT, data TEXT NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE TABLE conversations (
    owner ascii_text NOT NULL, id ascii_text NOT NULL, expires BIGINT, data TEXT NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE TABLE image_history (
    owner ascii_text NOT NULL, id ascii_text NOT NULL, expires BIGINT, data TEXT NOT NULL,
    PRIMARY KEY (owner, id)
);
-- Held by the replica that does a job.
CREATE TABLE locks (
    owner ascii_text NOT NULL, id ascii_text NOT NULL, expires BIGINT, data TEXT NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE INDEX responses_expires ON responses (expires);
CREATE INDEX image_history_expires ON image_history (expires);
