-- Secrets of the server itself, sealed under the master key: the pepper of keyed hashes.
CREATE TABLE server_key (name TEXT PRIMARY KEY, sealed BYTEA NOT NULL, created_ms BIGINT NOT NULL);

-- What credentials are made for: a cluster, a pipeline, anything else; `state` is 'present' or 'gone'.
CREATE TABLE integration (
  id BIGINT PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  link TEXT,
  state TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  gone_ms BIGINT
);
CREATE UNIQUE INDEX integration_by_name ON integration (account_id, name);

ALTER TABLE credential ADD COLUMN integration_id BIGINT REFERENCES integration (id);
-- The one that took its place by rotation, while both live.
ALTER TABLE credential ADD COLUMN replaced_by BIGINT;
-- When it was to end, before a rotation brought its end forward.
ALTER TABLE credential ADD COLUMN planned_ms BIGINT;
CREATE INDEX credential_by_integration ON credential (integration_id, id);
CREATE INDEX credential_by_account ON credential (account_id, id);
-- Whose is a found security token?
CREATE INDEX session_by_token ON session (token_hash);
CREATE INDEX credential_by_account_end ON credential (account_id, expires_ms, id);
