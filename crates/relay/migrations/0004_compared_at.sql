-- When the used credits and the ledger of an account were compared last, in milliseconds since 1970.
ALTER TABLE accounts ADD COLUMN base_at BIGINT;
