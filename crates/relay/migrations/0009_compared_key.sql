-- `base_key` is a digest of the key of 1min.ai's by which the account was compared: another key has other numbers.
ALTER TABLE accounts ADD COLUMN base_key TEXT;
