-- The audit trail, sealed: what requests write waits in `audit_pending`, without an index but its key; the sealer moves it into
-- `audit_event`, with its place in the account's chain. `day` is the day of sealing, counted from 1970-01-01: it never goes back
-- along a chain, so that the oldest days are the chain's beginning and go as a range of the key.
ALTER TABLE audit_event RENAME TO audit_pending;

CREATE TABLE audit_event (
  account_id BIGINT NOT NULL,
  day BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  sealed_ms BIGINT NOT NULL,
  previous BYTEA NOT NULL,
  hash BYTEA NOT NULL,
  checkpoint TEXT,
  time_ms BIGINT NOT NULL,
  id BIGINT NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  principal_id BIGINT,
  principal TEXT NOT NULL,
  credential_id BIGINT,
  credential_kind TEXT,
  resource TEXT NOT NULL,
  detail TEXT,
  source_ip TEXT NOT NULL,
  user_agent TEXT,
  request_id TEXT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (account_id, day, seq)
);
CREATE INDEX audit_event_by_time ON audit_event (account_id, time_ms, id);
CREATE INDEX audit_event_by_principal ON audit_event (account_id, principal_id, time_ms, id);
CREATE INDEX audit_event_by_name ON audit_event (account_id, principal, time_ms, id);
CREATE INDEX audit_event_by_credential ON audit_event (account_id, credential_id, time_ms, id);

-- Where an account's chain ends (`head`) and, after retention, begins (`begin`): signed.
CREATE TABLE audit_mark (
  account_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  seq BIGINT NOT NULL,
  checkpoint TEXT NOT NULL,
  PRIMARY KEY (account_id, kind)
);

-- Keys that sign the trail: sealed private key, public key as an uncompressed P-256 point.
CREATE TABLE audit_key (
  kid TEXT PRIMARY KEY,
  sealed BYTEA NOT NULL,
  public BYTEA NOT NULL,
  created_ms BIGINT NOT NULL
);

-- How far a sink has taken an account's records.
CREATE TABLE audit_cursor (
  sink TEXT NOT NULL,
  account_id BIGINT NOT NULL,
  day BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (sink, account_id)
);
