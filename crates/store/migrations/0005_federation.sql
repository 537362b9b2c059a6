-- Workload identity: issuers that an account trusts, and whom of theirs a service account trusts.
CREATE TABLE oidc_provider (
  id BIGINT PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  issuer TEXT NOT NULL,
  -- A JSON list.
  client_ids TEXT NOT NULL,
  -- Pinned keys; none: by discovery.
  jwks TEXT,
  -- The issuer's own certificate authority, PEM.
  ca TEXT,
  allow_internal BIGINT NOT NULL,
  description TEXT NOT NULL,
  enabled BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  created_by_name TEXT NOT NULL
);
CREATE UNIQUE INDEX oidc_provider_by_name ON oidc_provider (account_id, name);
CREATE UNIQUE INDEX oidc_provider_by_issuer ON oidc_provider (account_id, issuer);

-- What holds only as long as an OIDC provider does: a federated credential, a role's session that a token of the issuer began.
ALTER TABLE credential ADD COLUMN provider_id BIGINT;
CREATE INDEX credential_by_provider ON credential (provider_id);

-- Beside its row in `credential`, with which it goes.
CREATE TABLE federated_credential (
  credential_id BIGINT PRIMARY KEY REFERENCES credential (id) ON DELETE CASCADE,
  provider_id BIGINT NOT NULL,
  principal_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  audience TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- 1: the subject has no wildcard.
  exact BIGINT NOT NULL,
  -- Further claims: a JSON object of lists.
  claims TEXT NOT NULL
);
CREATE UNIQUE INDEX federated_credential_by_name ON federated_credential (principal_id, name);
CREATE INDEX federated_credential_by_subject ON federated_credential (provider_id, exact, subject);
