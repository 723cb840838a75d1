-- `error_kind` is what kind of failure ended a job, as the log names it, `error_param` the parameter at fault.
ALTER TABLE jobs ADD COLUMN error_kind ascii_text;
ALTER TABLE jobs ADD COLUMN error_param TEXT;
