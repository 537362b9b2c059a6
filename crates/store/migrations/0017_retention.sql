-- What a namespace keeps: rules as JSON, and when they were acted on last.
CREATE TABLE retention (
  namespace_id BIGINT PRIMARY KEY,
  rules TEXT NOT NULL,
  changed_ms BIGINT NOT NULL,
  ran_ms BIGINT NOT NULL
);
CREATE INDEX retention_by_run ON retention (ran_ms);

-- When a manifest was pulled last, to the hour.
CREATE TABLE manifest_pull (
  repository_id BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  pulled_ms BIGINT NOT NULL,
  PRIMARY KEY (repository_id, digest)
);
