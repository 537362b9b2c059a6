-- Network rules. An instance without a row here is as a new one: its public endpoint lets everybody in.
CREATE TABLE endpoint (
  instance_id BIGINT PRIMARY KEY REFERENCES instance (id),
  public_enabled BIGINT NOT NULL,
  -- Whom the public endpoint lets in: everybody, or the entries alone.
  lets_everybody_in BIGINT NOT NULL
);
CREATE TABLE endpoint_entry (
  instance_id BIGINT NOT NULL REFERENCES instance (id),
  cidr TEXT NOT NULL,
  comment TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  created_by_name TEXT NOT NULL,
  PRIMARY KEY (instance_id, cidr)
);
-- The private endpoints: which named networks of the configuration reach the instance.
CREATE TABLE endpoint_network (
  instance_id BIGINT NOT NULL REFERENCES instance (id),
  network TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  created_by_name TEXT NOT NULL,
  PRIMARY KEY (instance_id, network)
);
