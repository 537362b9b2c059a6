-- Accounts that can be suspended; service accounts, groups, roles and admin users beside users; sessions of roles.
ALTER TABLE account ADD COLUMN enabled BIGINT NOT NULL DEFAULT 1;

-- Groups, roles and admin users are rows here too: what is attached to them is found as for anybody. Only login names are shared
-- between kinds (`login_name`); groups and roles have names of their own.
ALTER TABLE principal ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE principal ADD COLUMN expires_ms BIGINT;
-- An admin user's one instance.
ALTER TABLE principal ADD COLUMN instance_id BIGINT;
CREATE UNIQUE INDEX principal_by_kind ON principal (account_id, kind, name);

CREATE TABLE membership (
  group_id BIGINT NOT NULL REFERENCES principal (id),
  member_id BIGINT NOT NULL REFERENCES principal (id),
  joined_ms BIGINT NOT NULL,
  PRIMARY KEY (group_id, member_id)
);
CREATE INDEX membership_by_member ON membership (member_id, group_id);

-- Who may assume a role, as written, and for how long at most.
CREATE TABLE role (
  principal_id BIGINT PRIMARY KEY REFERENCES principal (id),
  trust TEXT NOT NULL,
  max_session_s BIGINT NOT NULL
);

-- A role that is assumed for a while; its key is the credential of kind `session`. It ends with what it was made with:
-- `parent_id` is the credential that assumed the role.
CREATE TABLE session (
  credential_id BIGINT PRIMARY KEY REFERENCES credential (id),
  role_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  source_identity TEXT,
  policy TEXT,
  token_hash BYTEA NOT NULL,
  parent_id BIGINT
);
CREATE INDEX session_by_role ON session (role_id);
CREATE INDEX session_by_parent ON session (parent_id);
CREATE INDEX credential_by_end ON credential (expires_ms);
