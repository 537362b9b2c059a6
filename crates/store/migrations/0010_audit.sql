-- How many days an account keeps its audit trail; null: as long as the server's setting says.
ALTER TABLE account ADD COLUMN audit_retention_days BIGINT;
