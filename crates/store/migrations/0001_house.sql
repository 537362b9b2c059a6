-- The house: who there is, what they hold, what they may, what they keep, what they did.
-- One text for SQLite and PostgreSQL: BIGINT, BYTEA and TEXT only. Times are epoch milliseconds (`_ms`), flags 0 or 1.

CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL);

-- The change feed: everything that can end or change a right, in commit order.
CREATE TABLE change (seq BIGINT PRIMARY KEY, at_ms BIGINT NOT NULL, kind TEXT NOT NULL, subject BIGINT NOT NULL);

-- One node at a time does a job, by name.
CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until_ms BIGINT NOT NULL);

CREATE TABLE account (
  id BIGINT PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  alias TEXT UNIQUE,
  created_ms BIGINT NOT NULL
);

CREATE TABLE principal (
  id BIGINT PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  account_id BIGINT NOT NULL REFERENCES account (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);

CREATE INDEX principal_by_name ON principal (account_id, name);

-- One login-name space an account: users, service accounts, instances (whose name is their admin user's).
CREATE TABLE login_name (
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  owner_kind TEXT NOT NULL,
  owner_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, name)
);
CREATE INDEX login_name_by_owner ON login_name (owner_id);

CREATE TABLE instance (
  id BIGINT PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  region TEXT NOT NULL,
  is_default BIGINT NOT NULL,
  auto_create_namespace BIGINT NOT NULL,
  identity_tokens BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX instance_by_name ON instance (account_id, name);
CREATE TABLE instance_host (
  host TEXT PRIMARY KEY,
  instance_id BIGINT NOT NULL REFERENCES instance (id)
);
CREATE INDEX instance_host_by_instance ON instance_host (instance_id);

-- Everything that can be presented and is stored: passwords, access credentials, access keys; later secrets of service
-- accounts and the admin user. `slot` keeps what a principal has one of; `hash` finds generated secrets.
CREATE TABLE credential (
  id BIGINT PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  principal_id BIGINT NOT NULL REFERENCES principal (id),
  kind TEXT NOT NULL,
  slot TEXT,
  instance_id BIGINT,
  description TEXT NOT NULL,
  hash BYTEA,
  password TEXT,
  access_key_id TEXT,
  sealed BYTEA,
  enabled BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  created_by_name TEXT NOT NULL,
  expires_ms BIGINT,
  last_used_ms BIGINT,
  last_used_from TEXT
);
CREATE UNIQUE INDEX credential_by_hash ON credential (hash);
CREATE UNIQUE INDEX credential_by_access_key ON credential (access_key_id);
CREATE UNIQUE INDEX credential_by_slot ON credential (principal_id, slot);
CREATE INDEX credential_by_principal ON credential (principal_id, created_ms, id);

CREATE TABLE policy (
  id BIGINT PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  default_version BIGINT NOT NULL,
  last_version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX policy_by_name ON policy (account_id, name);
CREATE TABLE policy_version (
  policy_id BIGINT NOT NULL REFERENCES policy (id),
  version BIGINT NOT NULL,
  document TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (policy_id, version)
);
-- `policy_id` is none for a built-in policy, which is known by name.
CREATE TABLE attachment (
  principal_id BIGINT NOT NULL REFERENCES principal (id),
  policy_name TEXT NOT NULL,
  policy_id BIGINT REFERENCES policy (id),
  attached_ms BIGINT NOT NULL,
  PRIMARY KEY (principal_id, policy_name)
);
CREATE INDEX attachment_by_policy ON attachment (policy_id);

-- Token signing keys: sealed private key, public key as an uncompressed P-256 point.
CREATE TABLE signing_key (
  kid TEXT PRIMARY KEY,
  sealed BYTEA NOT NULL,
  public BYTEA NOT NULL,
  created_ms BIGINT NOT NULL,
  signs_from_ms BIGINT NOT NULL,
  retires_ms BIGINT
);

CREATE TABLE namespace (
  id BIGINT PRIMARY KEY,
  instance_id BIGINT NOT NULL REFERENCES instance (id),
  name TEXT NOT NULL,
  is_public BIGINT NOT NULL,
  auto_create_repository BIGINT NOT NULL,
  sparse_indexes BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX namespace_by_name ON namespace (instance_id, name);

CREATE TABLE repository (
  id BIGINT PRIMARY KEY,
  account_id BIGINT NOT NULL,
  instance_id BIGINT NOT NULL REFERENCES instance (id),
  namespace_id BIGINT NOT NULL REFERENCES namespace (id),
  name TEXT NOT NULL,
  is_public BIGINT NOT NULL,
  description TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX repository_by_name ON repository (instance_id, name);
CREATE INDEX repository_by_namespace ON repository (namespace_id, name);

-- Content an account holds, by digest; where it lies, by key. A repository sees it through a link alone.
CREATE TABLE blob (
  account_id BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  storage_key BIGINT NOT NULL,
  size BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, digest)
);
CREATE INDEX blob_by_key ON blob (storage_key);
CREATE TABLE blob_link (
  repository_id BIGINT NOT NULL REFERENCES repository (id),
  digest BYTEA NOT NULL,
  touched_ms BIGINT NOT NULL,
  PRIMARY KEY (repository_id, digest)
);
CREATE INDEX blob_link_by_digest ON blob_link (digest);

CREATE TABLE upload (
  id BIGINT PRIMARY KEY,
  repository_id BIGINT NOT NULL REFERENCES repository (id),
  principal_id BIGINT,
  state BYTEA NOT NULL,
  started_ms BIGINT NOT NULL,
  touched_ms BIGINT NOT NULL
);
CREATE INDEX upload_by_repository ON upload (repository_id);
CREATE INDEX upload_by_time ON upload (touched_ms);

CREATE TABLE manifest (
  repository_id BIGINT NOT NULL REFERENCES repository (id),
  digest BYTEA NOT NULL,
  media_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  artifact_type TEXT,
  subject BYTEA,
  annotations TEXT,
  pushed_ms BIGINT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (repository_id, digest)
);
CREATE INDEX manifest_by_subject ON manifest (repository_id, subject, digest);
-- What a manifest refers to: `kind` is 'blob' or 'manifest'.
CREATE TABLE manifest_child (
  repository_id BIGINT NOT NULL,
  parent BYTEA NOT NULL,
  child BYTEA NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (repository_id, parent, child)
);
CREATE INDEX manifest_child_by_child ON manifest_child (repository_id, child);

CREATE TABLE tag (
  repository_id BIGINT NOT NULL REFERENCES repository (id),
  name TEXT NOT NULL,
  digest BYTEA NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (repository_id, name)
);
CREATE INDEX tag_by_digest ON tag (repository_id, digest);

-- Who did what: `id` orders events of one moment. `outcome` is 'success', 'denied' or 'failed'.
CREATE TABLE audit_event (
  account_id BIGINT NOT NULL,
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
  PRIMARY KEY (account_id, time_ms, id)
);
