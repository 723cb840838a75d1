-- `error_kind` is what kind of failure ended a job, as the log names it, `error_param` the parameter at
-- fault. A request that is sent again joins the job of the one before: `request` is a hash of its
-- `Idempotency-Key` and its content, null without such a key and once the job has failed; `content` is a hash
-- of the content alone, for clients that tell which attempt a request is, until the answer was given.
ALTER TABLE jobs ADD COLUMN error_kind ascii_text;
ALTER TABLE jobs ADD COLUMN error_param TEXT;
ALTER TABLE jobs ADD COLUMN request ascii_text;
ALTER TABLE jobs ADD COLUMN content ascii_text;
CREATE UNIQUE INDEX jobs_request ON jobs (owner, request);
CREATE INDEX jobs_content ON jobs (owner, content);
