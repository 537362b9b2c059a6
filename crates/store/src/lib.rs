//! SQL over SQLite or PostgreSQL: units of work, migrations, one module a noun.
