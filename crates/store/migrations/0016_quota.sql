-- What a namespace may hold; none: as much as there is.
ALTER TABLE namespace ADD COLUMN max_bytes BIGINT;
ALTER TABLE namespace ADD COLUMN max_repositories BIGINT;

-- A blob counts once in a namespace, however many of its repositories link it.
CREATE TABLE namespace_blob (
  namespace_id BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  size BIGINT NOT NULL,
  links BIGINT NOT NULL,
  PRIMARY KEY (namespace_id, digest)
);
INSERT INTO namespace_blob (namespace_id, digest, size, links)
SELECT r.namespace_id, l.digest, MAX(b.size), COUNT(*) FROM repository r
JOIN blob_link l ON l.repository_id = r.id
JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest
GROUP BY r.namespace_id, l.digest;

-- What a namespace holds is the sum over its shards, so that pushes beside each other seldom change the same row.
CREATE TABLE namespace_usage (
  namespace_id BIGINT NOT NULL,
  shard BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  repositories BIGINT NOT NULL,
  PRIMARY KEY (namespace_id, shard)
);
INSERT INTO namespace_usage (namespace_id, shard, bytes, repositories)
SELECT n.id, 0,
  COALESCE((SELECT CAST(SUM(b.size) AS BIGINT) FROM namespace_blob b WHERE b.namespace_id = n.id), 0)
  + COALESCE((SELECT CAST(SUM(m.size) AS BIGINT) FROM repository r JOIN manifest m ON m.repository_id = r.id WHERE r.namespace_id = n.id), 0),
  (SELECT COUNT(*) FROM repository r WHERE r.namespace_id = n.id)
FROM namespace n;
