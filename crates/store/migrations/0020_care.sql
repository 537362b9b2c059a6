-- Who needs deleted content to stay for a while: a backup that still copies it. While one of these stands, collection deletes
-- nothing from the storage of blobs.
CREATE TABLE hold (name TEXT PRIMARY KEY, until_ms BIGINT NOT NULL);
