-- What lists, searches and jobs find by an index, however much there is.
CREATE INDEX account_by_age ON account (created_ms, id);
CREATE INDEX principal_by_account ON principal (account_id, id);
CREATE INDEX principal_of_kind ON principal (account_id, kind, id);

-- Members of a group in the order of their names: a copy, that follows a change of name.
ALTER TABLE membership ADD COLUMN member_name TEXT NOT NULL DEFAULT '';
UPDATE membership SET member_name = (SELECT p.name FROM principal p WHERE p.id = membership.member_id);
CREATE INDEX membership_by_name ON membership (group_id, member_name, member_id);

CREATE INDEX label_by_name ON label (account_id, key, object_id);
CREATE INDEX label_by_value ON label (account_id, key, value, object_id);

-- How many credentials an integration has, and when one of them was last used.
CREATE INDEX credential_by_use ON credential (integration_id, last_used_ms) WHERE integration_id IS NOT NULL;
CREATE INDEX session_by_end ON credential (expires_ms) WHERE kind = 'session';
