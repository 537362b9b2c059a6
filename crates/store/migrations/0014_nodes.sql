-- Who serves this database: each node says every few seconds that it is there. Times but `started_ms` are the database's own.
CREATE TABLE node (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  listen TEXT NOT NULL,
  version TEXT NOT NULL,
  started_ms BIGINT NOT NULL,
  seen_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  clock_ahead_ms BIGINT NOT NULL,
  feed_lag_ms BIGINT NOT NULL,
  feed_behind BIGINT NOT NULL,
  database_ms BIGINT NOT NULL,
  failing TEXT NOT NULL
);
