-- Nonces of signed API requests, by the hash of their text: each counts once for a key, until its request is too old to be sent again.
CREATE TABLE nonce (
  credential_id BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (credential_id, hash)
);
CREATE INDEX nonce_by_end ON nonce (until_ms);
