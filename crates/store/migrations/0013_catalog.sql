-- What lists of instances, namespaces, repositories and images show.
ALTER TABLE instance ADD COLUMN updated_ms BIGINT NOT NULL DEFAULT 0;
UPDATE instance SET updated_ms = created_ms;
-- Is a repository public that is made without saying so?
ALTER TABLE namespace ADD COLUMN default_public BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repository ADD COLUMN summary TEXT NOT NULL DEFAULT '';
-- An image's bytes, all that it is made of included, and the digest of its configuration.
ALTER TABLE manifest ADD COLUMN image_size BIGINT NOT NULL DEFAULT 0;
ALTER TABLE manifest ADD COLUMN config BYTEA;
UPDATE manifest SET image_size = size + COALESCE((
  SELECT CAST(SUM(b.size) AS BIGINT) FROM manifest_child c
  JOIN repository r ON r.id = c.repository_id
  JOIN blob b ON b.account_id = r.account_id AND b.digest = c.child
  WHERE c.repository_id = manifest.repository_id AND c.parent = manifest.digest AND c.kind = 'blob'), 0);
UPDATE manifest SET image_size = image_size + COALESCE((
  SELECT CAST(SUM(m.image_size) AS BIGINT) FROM manifest_child c
  JOIN manifest m ON m.repository_id = c.repository_id AND m.digest = c.child
  WHERE c.repository_id = manifest.repository_id AND c.parent = manifest.digest AND c.kind = 'manifest'), 0)
WHERE EXISTS (
  SELECT 1 FROM manifest_child k WHERE k.repository_id = manifest.repository_id AND k.parent = manifest.digest AND k.kind = 'manifest');

-- How many there are, counted as they come and go: what an instance's quotas are compared to.
CREATE TABLE instance_usage (
  instance_id BIGINT PRIMARY KEY REFERENCES instance (id),
  namespaces BIGINT NOT NULL,
  repositories BIGINT NOT NULL
);
INSERT INTO instance_usage (instance_id, namespaces, repositories)
SELECT i.id,
  (SELECT COUNT(*) FROM namespace n WHERE n.instance_id = i.id),
  (SELECT COUNT(*) FROM repository r WHERE r.instance_id = i.id)
FROM instance i;
