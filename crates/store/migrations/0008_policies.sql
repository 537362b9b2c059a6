-- Who else may use a namespace or a repository (one of the two): at most one policy each.
CREATE TABLE resource_policy (
  instance_id BIGINT NOT NULL REFERENCES instance (id),
  namespace_id BIGINT REFERENCES namespace (id),
  repository_id BIGINT REFERENCES repository (id),
  document TEXT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE INDEX resource_policy_by_instance ON resource_policy (instance_id);
CREATE UNIQUE INDEX resource_policy_by_namespace ON resource_policy (namespace_id);
CREATE UNIQUE INDEX resource_policy_by_repository ON resource_policy (repository_id);

-- What bounds everybody in an account but its root user. `policy_id` is none for a built-in policy.
CREATE TABLE guard (
  account_id BIGINT NOT NULL REFERENCES account (id),
  policy_name TEXT NOT NULL,
  policy_id BIGINT REFERENCES policy (id),
  attached_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, policy_name)
);
CREATE INDEX guard_by_policy ON guard (policy_id);
