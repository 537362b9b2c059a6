-- What keeps images as they are. `locks`: 1 writing, 2 deleting, 4 listing, 8 reading.
ALTER TABLE repository ADD COLUMN locks BIGINT NOT NULL DEFAULT 0;
-- Has a tag or a manifest in it ever been locked? Else nobody has to look.
ALTER TABLE repository ADD COLUMN guarded BIGINT NOT NULL DEFAULT 0;
-- Which of its tags are immutable, and which of those are not; none: no tag.
ALTER TABLE repository ADD COLUMN immutable_tags TEXT;
ALTER TABLE repository ADD COLUMN immutable_except TEXT;
ALTER TABLE tag ADD COLUMN locks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE manifest ADD COLUMN locks BIGINT NOT NULL DEFAULT 0;
-- Are all tags of a repository immutable that is made without saying so?
ALTER TABLE namespace ADD COLUMN default_immutable_tags BIGINT NOT NULL DEFAULT 0;

-- Which tags of which of a namespace's repositories are immutable.
CREATE TABLE immutable_tag_rule (
  id BIGINT PRIMARY KEY,
  namespace_id BIGINT NOT NULL REFERENCES namespace (id),
  repositories TEXT NOT NULL,
  except_repositories TEXT,
  tags TEXT NOT NULL,
  except_tags TEXT,
  enabled BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX immutable_tag_rule_by_namespace ON immutable_tag_rule (namespace_id, created_ms, id);

-- Where a digest is, by repository: a page at a time.
CREATE INDEX blob_link_by_digest_and_repository ON blob_link (digest, repository_id);
DROP INDEX IF EXISTS blob_link_by_digest;
CREATE INDEX manifest_by_digest ON manifest (digest, repository_id);
