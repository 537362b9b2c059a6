-- Names with their locks, in order: a page of the catalog looks at many names and at no other column, and reads no row for them.
CREATE INDEX repository_listed ON repository (instance_id, name, locks);
