//! The settings as values: from this one table come the keys of the file, the names of the environment, the flags, the
//! defaults, `docs/configuration.md` and `tidegate config show`. To add a setting: a row here, a field in `Config`.

/// How a setting is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// One value.
    One,
    /// A list: an array in the file, separated by commas elsewhere.
    Many,
    /// A list of tables in the file (`[[network]]`), of texts separated by commas elsewhere.
    Tables,
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its key in the file; a dot is a table.
    pub(crate) key: &'static str,
    pub(crate) shape: Shape,
    /// What it takes, in a word or two.
    pub(crate) takes: &'static str,
    /// As one would write it; empty: not set.
    pub(crate) default: &'static str,
    /// Is it masked where settings are shown, and without a flag?
    pub(crate) secret: bool,
    pub(crate) help: &'static str,
}

impl Setting {
    /// May it have several values?
    pub(crate) const fn is_list(&self) -> bool {
        matches!(self.shape, Shape::Many | Shape::Tables)
    }

    /// `tls.cert` is `TIDEGATE_TLS_CERT`.
    pub(crate) fn environment(&self) -> String {
        format!("TIDEGATE_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }

    /// `tls.cert` is `--tls-cert`. A secret has no flag: every process of the machine can read the command line.
    pub(crate) fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.key.replace(['.', '_'], "-"))
    }
}

/// The row of a key.
pub(crate) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.key == key)
}

const fn one(key: &'static str, takes: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { key, shape: Shape::One, takes, default, secret: false, help }
}

const fn many(key: &'static str, takes: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { key, shape: Shape::Many, takes, default, secret: false, help }
}

const fn tables(key: &'static str, takes: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { key, shape: Shape::Tables, takes, default, secret: false, help }
}

const fn secret(key: &'static str, takes: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { key, shape: Shape::One, takes, default, secret: true, help }
}

/// All settings, in the order in which they are shown.
pub(crate) const SETTINGS: &[Setting] = &[
    one("data_dir", "path", "./tidegate-data", "Folder of everything that is kept on this machine"),
    many("listen", "IP:PORT", "127.0.0.1:5000", "Addresses to listen on"),
    one(
        "external_url",
        "`https://HOST`",
        "",
        "What clients call this server, for realms and Locations; not set: the host that each request names",
    ),
    one("tls.cert", "path", "", "Certificate chain in PEM; with `tls.key`, every address of `listen` speaks TLS. Read again on SIGHUP"),
    one("tls.key", "path", "", "Private key of `tls.cert` in PEM"),
    one(
        "admin_listen",
        "IP:PORT",
        "",
        "A further address, without TLS and without authentication, for `/metrics`, `/healthz` and `/readyz`; keep it private",
    ),
    secret("database", "`sqlite` or `postgres://…`", "sqlite", "A file in the data folder, or a database that several nodes may share"),
    one(
        "migrations",
        "`start` or `manual`",
        "start",
        "Whether a start brings the schema of the database up to date, or is refused until `tidegate migrate` has done so",
    ),
    one("postgres.connections", "number", "16", "Connections to PostgreSQL at a time, 1 to 1000, on each node; up to six besides"),
    one("postgres.acquire_seconds", "seconds", "5", "How long a request waits for one of them, 1 to 60; then the answer is 503"),
    one("postgres.statement_seconds", "seconds", "10", "How long one statement may take, 1 to 600; then the answer is 503"),
    one(
        "postgres.ca_file",
        "path",
        "",
        "Authorities in PEM that PostgreSQL's certificate is checked against, instead of the public ones; `sslmode=require` in the URL",
    ),
    one(
        "blobs",
        "path or `s3://BUCKET/PREFIX`",
        "",
        "Folder of the content, or object storage (`gs://`, `az://`: untested); not set: `blobs` in the data folder",
    ),
    many(
        "blob_redirects",
        "`off`, `on`, or names of networks",
        "off",
        "Who is sent to object storage for large blobs, by a URL that holds for five minutes: nobody, everybody, or requests from \
         these named networks (`public`: from none)",
    ),
    one("object_storage.endpoint", "`https://HOST`", "", "Where object storage is; not set: where the vendor's is"),
    one("object_storage.region", "region", "", "Not set: `AWS_REGION`, the profile's, or `us-east-1` with an endpoint"),
    one(
        "object_storage.path_style",
        "`auto`, `true`, `false`",
        "auto",
        "Whether the bucket is in the path, not in the host name; `auto`: with an endpoint",
    ),
    one(
        "object_storage.credentials",
        "source",
        "auto",
        "`environment`, `web-identity`, `profile`, `container`, `instance`; `auto`: the first of these that there is, but `instance`",
    ),
    one("object_storage.profile", "name", "", "Profile of the shared credentials file; not set: `AWS_PROFILE`, or `default`"),
    one(
        "object_storage.ca_file",
        "path",
        "",
        "Authorities in PEM that the storage's certificate is checked against, instead of the public ones",
    ),
    one(
        "master_key_file",
        "path",
        "",
        "File with the key that seals stored secrets, 64 hex digits; not set: `master.key` in the data folder, made on first start",
    ),
    secret("master_key", "64 hex digits", "", "The same key as a value; overrules the command and the file"),
    many(
        "master_key_command",
        "program, arguments",
        "",
        "Prints the same key: run once at start, without a shell, for at most 30 seconds; overrules the file",
    ),
    one(
        "old_master_key_file",
        "path",
        "",
        "The master key before, while it is changed: it opens what it sealed, which is sealed anew; not set: `master.key.old` in the data folder, if it is there",
    ),
    secret("old_master_key", "64 hex digits", "", "The same as a value"),
    many("old_master_key_command", "program, arguments", "", "Prints the same"),
    one("next_master_key_file", "path", "", "The master key to come: for nodes that run beside others which have it already"),
    secret("next_master_key", "64 hex digits", "", "The same as a value"),
    many("next_master_key_command", "program, arguments", "", "Prints the same"),
    many("services", "host names", "", "Further names that clients may give as `service` when they ask for a token"),
    one("collection.enabled", "`true` or `false`", "true", "Whether content that nothing needs any more is collected by itself"),
    one("collection.every", "time", "6h", "How often a collection begins"),
    one(
        "collection.grace",
        "time",
        "24h",
        "How long a blob stays that no manifest names, after it was pushed, mounted or last named: longer than any push takes",
    ),
    one(
        "collection.delete_after",
        "time",
        "1h",
        "How long collected content stays in the storage: pulls that have begun end in that time; with `blob_redirects`, 10m at least",
    ),
    one("limits.namespaces", "number", "10000", "The most namespaces in one instance"),
    one("limits.repositories", "number", "100000", "The most repositories in one instance"),
    one(
        "limits.requests_per_second_per_caller",
        "number",
        "",
        "Requests that one user, service account or role may make in a second, on each node, and ten times as many at once; more wait up \
         to 8 seconds, then they are 429 with `Retry-After`; not set: any number",
    ),
    one(
        "limits.requests_per_second_per_address",
        "number",
        "",
        "The same for one address (IPv6: a /64), before anybody logs in; whole offices and clusters may share one; not set: any number",
    ),
    one("token.bearer_seconds", "seconds", "300", "How long a bearer token lives, 60 to 3600"),
    one(
        "audit.retention",
        "days",
        "",
        "How long audit records are kept in accounts that say nothing: `400d`; whole days go, oldest first; not set: for ever",
    ),
    one("audit.retention_min", "days", "", "What an account may say at the least; not set: `audit.retention`, or 90 days"),
    one("audit.retention_max", "days", "", "What an account may say at the most; not set: 36500 days"),
    one(
        "audit.sink.url",
        "`https://HOST/PATH`",
        "",
        "Where audit records are delivered to, by POST, in order and never lost; not set: nowhere",
    ),
    one("audit.sink.format", "`jsonl` or `cloudevents`", "jsonl", "JSON lines, or batches of CloudEvents 1.0"),
    one("audit.sink.token_file", "path", "", "File with a token for `audit.sink.url`, sent as `Authorization: Bearer`; read at start"),
    secret("audit.sink.token", "token", "", "The same token as a value; overrules the file"),
    one("audit.sink.ca_file", "path", "", "Authorities in PEM that the sink's certificate is checked against, instead of the public ones"),
    one("audit.sink.internal", "`true` or `false`", "false", "Whether the sink may be at an internal address, and then without TLS"),
    one("log.format", "`text` or `json`", "text", "How log lines look; they go to standard error"),
    one("log.level", "level", "info", "`error`, `warn`, `info`, `debug` or `trace`"),
    one(
        "log.requests",
        "`all`, `errors`, `off`",
        "all",
        "Which requests get a line in the log; a line costs about 4 µs of CPU as `text`, 9 µs as `json`",
    ),
    many("trusted_proxies", "CIDRs", "", "Proxies whose word about the client's address and TLS is believed"),
    one(
        "forwarded_header",
        "header",
        "x-forwarded",
        "What the trusted proxies set: `x-forwarded` (`X-Forwarded-For`, `X-Forwarded-Proto`) or `forwarded` (RFC 7239)",
    ),
    tables(
        "network",
        "`NAME=CIDR … @IP:PORT …`",
        "",
        "A named network that instances may have a private endpoint for: its addresses, or a listener of its own, or both (then those \
         addresses alone may come by it). In the file a table: `[[network]]` with `name`, `cidrs`, `listen`",
    ),
    many(
        "alibaba.suffixes",
        "domains",
        "",
        "Domains below which hosts are named as Alibaba Cloud names them: `INSTANCE-registry.REGION.SUFFIX` and \
         `INSTANCE-registry-vpc.REGION.SUFFIX` mean that instance, `cr.REGION.SUFFIX` that product's API alone",
    ),
    one(
        "alibaba.requests_per_second",
        "number",
        "200",
        "Requests that one access key may make in a second at the Alibaba Cloud APIs, on each node",
    ),
    one("max_connections", "number", "8192", "Connections at a time; further ones wait to be accepted"),
    one(
        "drain_seconds",
        "seconds",
        "0",
        "How long after SIGTERM everything is still answered while `/readyz` says 503: behind a load balancer three of its looks at it",
    ),
    one("shutdown_seconds", "seconds", "30", "How long requests under way may take after SIGTERM, and after `drain_seconds`"),
];

/// Names of the environment that are the client's own or the tests'.
pub(crate) fn is_reserved(name: &str) -> bool {
    const CLIENT: [&str; 6] = [
        "TIDEGATE_CONFIG",
        "TIDEGATE_ENDPOINT",
        "TIDEGATE_ACCESS_KEY_ID",
        "TIDEGATE_ACCESS_KEY_SECRET",
        "TIDEGATE_SECURITY_TOKEN",
        "TIDEGATE_PROFILE",
    ];
    CLIENT.contains(&name) || name.starts_with("TIDEGATE_TEST_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_key() {
        let cert = find("tls.cert").unwrap();
        assert_eq!((cert.environment().as_str(), cert.flag().as_deref()), ("TIDEGATE_TLS_CERT", Some("tls-cert")));
        assert_eq!(find("master_key").unwrap().flag(), None);
    }

    #[test]
    fn no_two_settings_share_a_name() {
        let names: std::collections::BTreeSet<_> = SETTINGS.iter().map(Setting::environment).collect();
        assert_eq!(names.len(), SETTINGS.len());
        assert!(!names.iter().any(|n| is_reserved(n)));
    }
}
