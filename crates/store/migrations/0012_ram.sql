-- What is said of a user beside the description, and when anybody was changed; none: not since they were made.
ALTER TABLE principal ADD COLUMN display_name TEXT NOT NULL DEFAULT '';
ALTER TABLE principal ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE principal ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE principal ADD COLUMN updated_ms BIGINT;

-- Names whose owner is gone while a trust policy or the policy of a namespace or repository still named them. `kind` is as in
-- such documents: user, group, role, service-account, oidc-provider.
CREATE TABLE freed_name (
  account_id BIGINT NOT NULL REFERENCES account (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  freed_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, kind, name)
);

CREATE INDEX attachment_by_name ON attachment (policy_name, principal_id);
