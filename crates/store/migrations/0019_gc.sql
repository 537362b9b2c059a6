-- Content that nothing names any more, on its way out: it lies under `storage_key` until `deleted_ms`. The row stays for days after
-- that, so that an upload which ends late cannot name what is gone.
CREATE TABLE condemned (
  storage_key BIGINT PRIMARY KEY,
  size BIGINT NOT NULL,
  since_ms BIGINT NOT NULL,
  deleted_ms BIGINT
);
CREATE INDEX condemned_waiting ON condemned (since_ms, storage_key) WHERE deleted_ms IS NULL;
CREATE INDEX condemned_deleted ON condemned (deleted_ms) WHERE deleted_ms IS NOT NULL;

-- Runs of the collection: how far each is (`phase`, then the place in it), what it has done, and what all did up to it.
CREATE TABLE collection_run (
  number BIGINT PRIMARY KEY,
  asked BIGINT NOT NULL,
  started_ms BIGINT NOT NULL,
  ended_ms BIGINT,
  step BIGINT NOT NULL,
  phase TEXT NOT NULL,
  place_id BIGINT NOT NULL,
  place_rest BYTEA NOT NULL,
  links BIGINT NOT NULL,
  blobs BIGINT NOT NULL,
  blob_bytes BIGINT NOT NULL,
  strays BIGINT NOT NULL,
  stray_bytes BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  deleted_bytes BIGINT NOT NULL,
  total_deleted BIGINT NOT NULL,
  total_deleted_bytes BIGINT NOT NULL
);
