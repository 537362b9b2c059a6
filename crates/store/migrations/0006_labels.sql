-- Labels: which things belong together. They give no right; `tidegate apply --prune` goes by them. One of the last columns says
-- what carries the label, so that the label goes with it.
CREATE TABLE label (
  account_id BIGINT NOT NULL REFERENCES account (id),
  object_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  principal_id BIGINT REFERENCES principal (id) ON DELETE CASCADE,
  policy_id BIGINT REFERENCES policy (id) ON DELETE CASCADE,
  instance_id BIGINT REFERENCES instance (id) ON DELETE CASCADE,
  namespace_id BIGINT REFERENCES namespace (id) ON DELETE CASCADE,
  provider_id BIGINT REFERENCES oidc_provider (id) ON DELETE CASCADE,
  PRIMARY KEY (object_id, key)
);
CREATE INDEX label_by_key ON label (account_id, object_id, key);
CREATE INDEX label_by_principal ON label (principal_id);
CREATE INDEX label_by_policy ON label (policy_id);
CREATE INDEX label_by_instance ON label (instance_id);
CREATE INDEX label_by_namespace ON label (namespace_id);
CREATE INDEX label_by_provider ON label (provider_id);
