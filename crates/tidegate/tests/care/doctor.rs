//! `tidegate doctor`: each fault is found and said with what to do; what is sound is left in peace, and nothing is written.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustix::process::Signal;
use serde_json::Value;

use crate::house::{Inhabited, files, on_files, on_machine, with_key};
use crate::hurt::Hurt;
use crate::support::backing::create_database;
use crate::support::disk::Disk;
use crate::support::node::{Node, Settings};
use crate::support::s3::S3;
use crate::support::{content, digest};

/// What was looked at, and how it was.
struct Examined(Vec<Value>);

impl Examined {
    #[track_caller]
    fn by(settings: &Settings, arguments: &[&str]) -> Self {
        let ran = on_machine(settings, &[&["doctor", "--output", "json"], arguments].concat());
        let this = Self(ran.json().as_array().unwrap().clone());
        let problems = this.0.iter().any(|check| check["status"] == "problem");
        assert_eq!(ran.code, Some(i32::from(problems)), "{ran}");
        for check in &this.0 {
            assert_eq!(check["status"] == "ok", check["advice"].is_null(), "advice where something is wrong: {check}");
        }
        this
    }

    /// There is such a finding.
    #[track_caller]
    fn says(&self, check: &str, status: &str, words: &str) -> &Self {
        let is = |one: &Value| one["check"] == check && one["status"] == status && one["found"].as_str().unwrap().contains(words);
        assert!(self.0.iter().any(is), "no {status} of {check} says {words:?}: {:#?}", self.0);
        self
    }

    /// Nothing is a problem, but for what the machine of a test cannot help.
    #[track_caller]
    fn is_sound(&self, but: &[&str]) -> &Self {
        let known = |one: &Value| but.iter().any(|words| one["found"].as_str().unwrap().contains(words));
        let problems: Vec<_> = self.0.iter().filter(|one| one["status"] == "problem" && !known(one)).collect();
        assert!(problems.is_empty(), "{problems:#?}");
        self
    }
}

/// Every file below a folder with its bytes; without what SQLite opens and closes.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = files(folder).into_iter();
    let lasting = all.filter(|path| !path.to_string_lossy().ends_with("-shm") && !path.to_string_lossy().ends_with("-wal"));
    lasting.map(|path| (path.clone(), std::fs::read(&path).unwrap_or_default())).collect()
}

/// The same, with what a server that has it open has not yet put into the file itself.
fn with_wal(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let lasting = files(folder).into_iter().filter(|path| !path.to_string_lossy().ends_with("-shm"));
    lasting.map(|path| (path.clone(), std::fs::read(&path).unwrap_or_default())).collect()
}

#[test]
fn a_sound_server_is_left_in_peace_running_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    Inhabited::fill(&node);
    let running = Examined::by(&node.settings, &[]);
    running.is_sound(&[]).says("server", "ok", "is ready").says("blobs", "ok", "all 10 blobs").says("master_key", "ok", "opens");
    running.says("nodes", "ok", "1 serve").says("data_folder", "ok", "alone").says("database", "ok", "SQLite").says(
        "clock",
        "ok",
        "the database's",
    );
    let told = on_machine(&node.settings, &["doctor", "--output", "table"]).ok();
    assert!(told.says("0 problems"), "{told}");

    let settings = node.stop();
    let before = snapshot(&settings.data);
    let stopped = Examined::by(&settings, &["--full"]);
    stopped.is_sound(&[]).says("server", "ok", "none runs").says("database", "ok", "finds its file sound");
    assert!(snapshot(&settings.data) == before, "a doctor writes nothing");
}

/// Also of what a running server has open: it is stopped, so that it writes nothing itself meanwhile.
#[test]
fn beside_a_running_server_it_reads_alone() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    Inhabited::fill(&node);
    node.signal(Signal::STOP);
    let (all, before) = (&node.settings.data, with_wal(&node.settings.data));
    assert!(before.keys().any(|path| path.to_string_lossy().ends_with("-wal")), "the server has its database open");
    let found = Examined::by(&node.settings, &["--full"]);
    found.is_sound(&["did not answer"]).says("server", "problem", "did not answer").says("blobs", "ok", "all 10 blobs");
    assert!(with_wal(all) == before, "a doctor writes nothing");
    node.signal(Signal::CONT);
    drop(node.stop());
}

/// A record, a change of a right, or a node's own word: whoever has written them had another clock than this machine.
#[test]
fn a_clock_that_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    Inhabited::fill(&node);
    let settings = node.stop();
    Examined::by(&settings, &[]).is_sound(&[]).says("clock", "ok", "the database's");
    let hurt = Hurt::open(&settings);
    hurt.sql(
        "INSERT INTO node (id, host, listen, version, started_ms, seen_ms, due_ms, clock_ahead_ms, feed_lag_ms, feed_behind, database_ms, \
         failing) SELECT 'n', 'elsewhere', '127.0.0.1:1', '0', 0, at_ms, at_ms + 3600000, -5000, 0, 0, 1, '' FROM change ORDER BY seq DESC \
         LIMIT 1",
        &[],
    );
    Examined::by(&settings, &[]).says("nodes", "warning", "the clock of elsewhere (127.0.0.1:1) differs from the database's by -5000 ms");
    hurt.sql("UPDATE change SET at_ms = at_ms + 3600000 WHERE seq = (SELECT max(seq) FROM change)", &[]);
    Examined::by(&settings, &[]).says("clock", "problem", "ahead of this machine's clock");
}

#[test]
fn content_without_a_row_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    Inhabited::fill(&node);
    let settings = node.stop();
    let one = Hurt::open(&settings).file_of(&digest(&content(1001, 5000)));
    // A name of the same folder, which the key's last digits choose.
    let name = one.file_name().unwrap().to_str().unwrap();
    let stray = one.with_file_name(format!("0123456789abcd{}", &name[14..]));
    std::fs::write(&stray, vec![7; 3 << 20]).unwrap();
    let off = settings.clone().set("TIDEGATE_COLLECTION_ENABLED", "false");
    Examined::by(&off, &[]).says("blobs", "ok", "have their rows, or are new");
    #[expect(clippy::disallowed_methods, reason = "a file is as old as a test says")]
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(240);
    std::fs::File::options().write(true).open(&stray).unwrap().set_modified(old).unwrap();
    Examined::by(&off, &[]).says("blobs", "warning", "of 11 pieces of content 1 have no row (3 MiB)");
    Examined::by(&settings, &[]).says("blobs", "ok", "the next run of the collection takes them");
}

#[test]
#[ignore = "cargo xtask test --only care"]
fn a_disk_without_room_is_said() {
    let disk = Disk::of(64 << 10);
    let node = Node::start(on_files(&disk.at, "one"));
    let settings = node.stop();
    Examined::by(&settings, &[]).says("disk", "problem", "MiB are free for the data folder");
    // Content on a disk of its own, which is fuller than it should be. (Room of a `tmpfs` that nobody uses costs nothing.)
    let other = Disk::of(1 << 20);
    let blobs = settings.set("TIDEGATE_BLOBS", other.at.to_str().unwrap());
    let found = Examined::by(&blobs, &[]);
    found.says("disk", "problem", "for the data folder").says("disk", "warning", "MiB are free for the blobs");
}

#[test]
fn what_is_open_to_others_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    let settings = node.stop();
    for file in ["master.key", "bootstrap.json", "tidegate.db"] {
        std::fs::set_permissions(settings.data.join(file), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    std::fs::set_permissions(&settings.data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let found = Examined::by(&settings, &[]);
    found.says("data_folder", "problem", "master.key is open to others (mode 644)").says("data_folder", "problem", "bootstrap.json");
    found.says("data_folder", "warning", "tidegate.db is open").says("data_folder", "warning", "(mode 755)");
}

#[test]
fn keys_and_content_that_are_not_there_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    Inhabited::fill(&node);
    let settings = node.stop();
    Examined::by(&with_key(settings.clone()), &[]).says("master_key", "problem", "not at hand");

    let lost = digest(&content(1001, 5000));
    std::fs::remove_file(Hurt::open(&settings).file_of(&lost)).unwrap();
    Examined::by(&settings, &[]).says("blobs", "problem", &lost);
    Examined::by(&settings, &["--full"]).says("blobs", "problem", "of all 10 blobs 1 are missing");
    // A sample that is smaller than all is drawn from all of them.
    let sample = on_machine(&settings, &["doctor", "--sample", "5", "--output", "json"]).json();
    assert!(sample.to_string().contains("a sample, drawn at random"), "{sample}");

    std::fs::rename(settings.data.join("master.key"), folder.path().join("away")).unwrap();
    Examined::by(&settings, &[]).says("master_key", "problem", "there is none");
    Examined::by(&on_files(folder.path(), "nothing"), &[])
        .says("data_folder", "problem", "No such file")
        .says("database", "problem", "none yet");
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let settings = on_files(folder.path(), "one");
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:5000\"\n").unwrap();
    on_machine(&settings, &["doctor", "--config", file.to_str().unwrap()]).refused(&["did you mean `listen`"]);
    let open = settings.set("TIDEGATE_LISTEN", "0.0.0.0:5000").set("TIDEGATE_LISTN", "x");
    Examined::by(&open, &[]).says("configuration", "warning", "without TLS").says("configuration", "warning", "TIDEGATE_LISTN");
}

/// Writes a certificate and a key, and the settings that name them.
fn with_certificate(settings: Settings, until: (i32, u8, u8), own_key: bool) -> Settings {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["registry.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    let (cert, file) = (settings.data.with_extension("crt"), settings.data.with_extension("pem"));
    std::fs::write(&cert, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&file, if own_key { key } else { KeyPair::generate().unwrap() }.serialize_pem()).unwrap();
    let settings = settings.set("TIDEGATE_TLS_CERT", cert.to_str().unwrap()).set("TIDEGATE_TLS_KEY", file.to_str().unwrap());
    settings.set("TIDEGATE_EXTERNAL_URL", "https://other.example")
}

#[test]
fn a_certificate_that_will_not_do_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let old = with_certificate(on_files(folder.path(), "old"), (2021, 1, 1), true);
    let found = Examined::by(&old, &[]);
    found.says("certificate", "problem", "ended at 2021-01-01").says("certificate", "problem", "not for other.example");
    let foreign = with_certificate(on_files(folder.path(), "foreign"), (2099, 1, 1), false);
    Examined::by(&foreign, &[]).says("certificate", "problem", "key does not go with the certificate");
}

#[test]
#[ignore = "cargo xtask test --only care"]
fn what_postgres_and_s3_do_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut s3 = S3::start(folder.path());
    let url = create_database("care");
    let mut settings = with_key(on_files(folder.path(), "one")).set("TIDEGATE_DATABASE", &url);
    settings.environment.extend(s3.settings());
    let node = Node::start(settings);
    Inhabited::fill(&node);
    // The stage's PostgreSQL runs without fsync, which a doctor must not like.
    let found = Examined::by(&node.settings, &["--full"]);
    found
        .is_sound(&["fsync is off"])
        .says("database", "problem", "fsync is off")
        .says("blobs", "ok", "all 10 blobs")
        .says("nodes", "ok", "1 serve");
    // It reads alone: where PostgreSQL lets nobody write it finds the same, and the bucket is as it was.
    let before = s3.files();
    let sealed = format!("{url}{}options=-c%20default_transaction_read_only%3Don", if url.contains('?') { '&' } else { '?' });
    let sealed = Examined::by(&node.settings.clone().set("TIDEGATE_DATABASE", &sealed), &["--full"]);
    sealed.is_sound(&["fsync is off", "it takes no changes"]).says("blobs", "ok", "all 10 blobs").says("master_key", "ok", "opens");
    assert_eq!(s3.files(), before);
    let name = url.rsplit_once('/').unwrap().1;
    alter(&url, &format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    Examined::by(&node.settings, &[]).says("database", "problem", "synchronous_commit is off");
    alter(&url, &format!("ALTER DATABASE {name} RESET synchronous_commit"));

    // A node that is killed has not said that it ends; the audit trail of what it did waits for another one.
    let settings = node.kill();
    s3.kill();
    let gone = Examined::by(&settings, &[]);
    gone.says("blobs", "problem", "cannot be listed").says("database", "ok", "PostgreSQL");
    let nowhere = settings.set("TIDEGATE_DATABASE", "postgres://nobody@127.0.0.1:1/nothing");
    Examined::by(&nowhere, &[]).says("database", "problem", "check `database`");
}

fn alter(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
    });
}
