//! Precedence, unknown keys, masking, messages.

use clap::{Args as _, FromArgMatches as _};
use proptest::prelude::*;
use std::io::Write as _;

use super::table::SETTINGS;
use super::*;

/// Loads with a file's text, the environment and flags.
fn load(file: &str, environment: &[(&str, &str)], flags: &[&str]) -> Result<Loaded, String> {
    let mut written = tempfile::NamedTempFile::new().unwrap();
    written.write_all(file.as_bytes()).unwrap();
    let path = written.path().to_str().unwrap();
    let command = SettingArguments::augment_args(clap::Command::new("serve"));
    let matches = command.try_get_matches_from([&["serve", "--config", path], flags].concat()).map_err(|e| e.to_string())?;
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    SettingArguments::from_arg_matches(&matches).unwrap().load(environment).map_err(|e| e.to_string())
}

fn refusal(file: &str, environment: &[(&str, &str)], flags: &[&str]) -> String {
    load(file, environment, flags).err().unwrap()
}

#[test]
fn without_anything_the_defaults_serve() {
    let config = load("", &[], &[]).unwrap().config;
    assert_eq!(config.listen, ["127.0.0.1:5000".parse().unwrap()]);
    assert_eq!(config.blobs, BlobPlace::Directory(PathBuf::from("./tidegate-data/blobs")));
    assert_eq!(config.master_key, MasterKeySource::DataDir(PathBuf::from("./tidegate-data/master.key")));
    assert_eq!((config.database, config.bearer_lifetime), (Database::Sqlite, Duration::from_mins(5)));
}

#[test]
fn flag_over_environment_over_file_over_default() {
    let file = "data_dir = '/file'\nmax_connections = 5\nlisten = ['127.0.0.1:1', '[::1]:2']\n[token]\nbearer_seconds = 60\n";
    let environment = [("TIDEGATE_DATA_DIR", "/env"), ("TIDEGATE_MAX_CONNECTIONS", "6")];
    let loaded = load(file, &environment, &["--data-dir", "/flag"]).unwrap();
    let config = &loaded.config;
    assert_eq!((config.data_dir.to_str().unwrap(), config.max_connections, config.listen.len()), ("/flag", 6, 2));
    assert_eq!((config.bearer_lifetime, config.shutdown), (Duration::from_mins(1), Duration::from_secs(30)));
    let shown = show(&loaded.values);
    let origin = |key: &str| shown.lines().find(|l| l.starts_with(key)).unwrap().split_whitespace().last().unwrap().to_owned();
    assert_eq!((origin("data_dir").as_str(), origin("max_connections").as_str()), ("--data-dir", "TIDEGATE_MAX_CONNECTIONS"));
    assert!(origin("listen").starts_with('/'), "{shown}");
    assert_eq!(origin("shutdown_seconds"), "default");
}

#[test]
fn a_list_may_be_repeated_or_separated_by_commas() {
    let flags = ["--listen", "127.0.0.1:1,127.0.0.1:2", "--listen", "127.0.0.1:3"];
    assert_eq!(load("", &[], &flags).unwrap().config.listen.len(), 3);
    assert_eq!(load("", &[("TIDEGATE_TRUSTED_PROXIES", "10.0.0.0/8, ::1/128")], &[]).unwrap().config.trusted_proxies.len(), 2);
}

#[test]
fn an_unknown_key_is_named_with_its_nearest() {
    assert_eq!(refusal("lisen = 'x'", &[], &[]), "the configuration file has an unknown key `lisen`; did you mean `listen`?");
    let nested = refusal("[tls]\ncertt = 'x'", &[], &[]);
    assert_eq!(nested, "the configuration file has an unknown key `tls.certt`; did you mean `tls.cert`?");
    assert!(refusal("[colour]\nred = 1", &[], &[]).ends_with("`colour`"));
}

#[test]
fn unknown_names_of_the_environment_are_told_and_the_clients_are_not() {
    let environment = [("TIDEGATE_LISTN", "x"), ("TIDEGATE_ENDPOINT", "x"), ("TIDEGATE_TEST_X", "x"), ("HOME", "x")];
    assert_eq!(load("", &environment, &[]).unwrap().unknown_environment, ["TIDEGATE_LISTN"]);
}

#[test]
fn when_content_is_collected_is_said_in_every_layer() {
    let defaults = load("", &[], &[]).unwrap().config.collection;
    let times = |grace, delete_after| registry::Collection { grace, delete_after };
    let whole = CollectionConfig { enabled: true, every: Seconds::hours(6), times: times(Seconds::days(1), Seconds::hours(1)) };
    assert_eq!(defaults, whole);
    let file = "[collection]\nenabled = false\nevery = '2h'\ngrace = '3d'\ndelete_after = '0s'\n";
    let read = load(file, &[], &[]).unwrap().config.collection;
    let of_file = CollectionConfig { enabled: false, every: Seconds::hours(2), times: times(Seconds::days(3), Seconds(0)) };
    assert_eq!(read, of_file);
    let environment = [("TIDEGATE_COLLECTION_EVERY", "90s"), ("TIDEGATE_COLLECTION_ENABLED", "true")];
    let read = load(file, &environment, &["--collection-every", "1s", "--collection-grace", "366d"]).unwrap().config.collection;
    assert_eq!(read, CollectionConfig { enabled: true, every: Seconds(1), times: times(Seconds::days(366), Seconds(0)) });
}

#[test]
fn times_of_collection_that_would_lose_or_flood_are_refused() {
    for (setting, want) in [
        ("every = '0s'", "collection.every"),
        ("every = 'six'", "collection.every"),
        ("grace = '-1s'", "collection.grace"),
        ("grace = '367d'", "collection.grace"),
        ("delete_after = 'never'", "collection.delete_after"),
        ("enabled = 'perhaps'", "collection.enabled"),
        ("pause = '1s'", "unknown key `collection.pause`"),
    ] {
        let refused = refusal(&format!("[collection]\n{setting}\n"), &[], &[]);
        assert!(refused.contains(want), "{setting}: {refused}");
    }
    // Who is sent to object storage has a URL that holds for five minutes.
    let file = |after: &str| format!("blob_redirects = 'public'\nblobs = 's3://bucket/p'\n[collection]\ndelete_after = '{after}'\n");
    assert!(refusal(&file("599s"), &[], &[]).contains("need 10m at least"));
    assert_eq!(load(&file("10m"), &[], &[]).unwrap().config.collection.times.delete_after, Seconds::minutes(10));
}

#[test]
fn named_networks_are_tables_or_texts() {
    let file =
        "[[network]]\nname = 'office'\ncidrs = ['10.1.0.0/16', '2001:db8::/32']\n\n[[network]]\nname = 'lab'\nlisten = '127.0.0.1:5001'\n";
    let text = [("TIDEGATE_NETWORK", "office=10.1.0.0/16 2001:db8::/32, lab=@127.0.0.1:5001")];
    let flags = ["--network", "office=10.1.0.0/16 2001:db8::/32", "--network", "lab=@127.0.0.1:5001"];
    for loaded in [load(file, &[], &[]), load("", &text, &[]), load("", &[], &flags)] {
        let Loaded { config, values, .. } = loaded.unwrap();
        let names: Vec<_> = config.networks.names().map(NetworkName::as_str).collect();
        assert_eq!(names, ["office", "lab"]);
        assert_eq!(config.private_listen, [("127.0.0.1:5001".parse().unwrap(), NetworkName::parse("lab").unwrap())]);
        assert!(show(&values).contains("office=10.1.0.0/16 2001:db8::/32,lab=@127.0.0.1:5001"), "{}", show(&values));
    }
    for (file, want) in [
        ("[[network]]\nname = 'a'\ncidr = ['10.0.0.0/8']", "unknown key `network.cidr`"),
        ("[[network]]\ncidrs = ['10.0.0.0/8']", "`network` takes"),
        ("[network]\nname = 'a'", "`network` takes"),
        ("[[network]]\nname = 'public'\ncidrs = '10.0.0.0/8'", "neither `public` nor `internet`"),
        ("[[network]]\nname = 'a'", "`a` has neither addresses nor a listener"),
        ("[[network]]\nname = 'a'\ncidrs = '10.0.0.1/8'", "did you mean 10.0.0.0/8 or 10.0.0.1?"),
        ("[[network]]\nname = 'a'\nlisten = 'localhost:1'", "expected `@IP:PORT`"),
        ("network = ['a=10.0.0.0/8', 'b=10.0.0.0/8']", "`a` and `b` both have 10.0.0.0/8"),
    ] {
        let message = refusal(file, &[], &[]);
        assert!(message.contains(want), "{file}: {message}");
    }
}

#[test]
fn blobs_may_be_in_object_storage() {
    let file = "blobs = 's3://layers/eu'\nblob_redirects = ['office', 'public']\nnetwork = ['office=10.0.0.0/8']\n\
                [object_storage]\nendpoint = 'https://s3.example:9000'\npath_style = false\ncredentials = 'profile'\nprofile = 'tide'\n";
    let config = load(file, &[], &[]).unwrap().config;
    let BlobPlace::Objects(objects) = &config.blobs else { panic!("{config:?}") };
    assert_eq!((objects.bucket.as_str(), objects.prefix.as_str(), objects.path_style), ("layers", "eu", Some(false)));
    assert_eq!((objects.credentials, objects.profile.as_deref()), (CredentialSource::Profile, Some("tide")));
    assert!(matches!(&config.redirects, Redirects::From { public: true, networks } if networks.len() == 1));
    assert!(matches!(load("blob_redirects = 'on'", &[], &[]).unwrap().config.redirects, Redirects::On));
}

#[test]
fn secrets_are_masked_and_have_no_flag() {
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let environment = [("TIDEGATE_DATABASE", "postgres://u:hunter2@h/d?password=hunter3"), ("TIDEGATE_MASTER_KEY", key)];
    let loaded = load("", &environment, &[]).unwrap();
    let shown = format!("{}{:?}", show(&loaded.values), loaded.config);
    assert!(shown.contains("postgres://***") && !shown.contains("hunter") && !shown.contains(key), "{shown}");
    assert!(refusal("", &[], &["--master-key", key]).contains("unexpected argument"));
}

#[test]
fn what_is_wrong_is_said_with_its_origin() {
    for (file, want) in [
        ("listen = 'localhost:5000'", "`localhost:5000`: expected IP:PORT"),
        ("listen = []", "at least one address is needed"),
        ("max_connections = 0", "0 is not from 1 to 1000000"),
        ("max_connections = [1]", "`max_connections` takes number"),
        ("log.format = 'xml'", "`xml` is none of text, json"),
        ("external_url = 'registry.example'", "`registry.example`: expected `https://HOST`"),
        ("external_url = 'https://registry.example/path'", "expected `https://HOST`"),
        ("tls.cert = 'x'", "set both or none"),
        ("data_dir = ''", "must not be empty"),
        ("blobs = 's4://bucket'", "`s3://BUCKET/PREFIX`"),
        ("blobs = 's3://key:hunter2@bucket'", "no credentials, no port"),
        ("object_storage.endpoint = 'https://u:hunter2@s3.example'", "expected `https://HOST`"),
        ("object_storage.credentials = 'guess'", "`guess` is none of auto, environment"),
        ("blob_redirects = ['office']", "`office` is no named network"),
        ("database = 'mysql://u:hunter2@h'", "expected `sqlite` or `postgres://…`"),
        ("blobs = 'x'\ndatabase = 'hunter2", "the configuration file is not TOML, at line 2"),
    ] {
        let message = refusal(file, &[], &[]);
        assert!(message.contains(want) && !message.contains("hunter2"), "{file}: {message}");
    }
}

/// What stands in the values of secret settings below, and may come out nowhere.
const MARK: &str = "hunter2";

/// A value as somebody may write it, well or not.
fn value(mark: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        Just(format!("'{mark}'")),
        Just(format!("\"postgres://u:{mark}@h/d?password={mark}\"")),
        Just(format!("['{mark}', '127.0.0.1:1', 3]")),
        Just(format!("{{ {mark} = '{mark}' }}")),
        Just(format!("'{mark}")),
        Just(mark.to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        Just("2026-11-23T00:00:00Z".to_owned()),
        Just("true".to_owned()),
        Just("''".to_owned()),
        Just(format!("{}1{}", "[".repeat(200), "]".repeat(200))),
        "[^\n]{0,20}".prop_map(move |text| format!("'{text}'")),
    ]
}

/// A line of a file: a setting, something like one, a table's head, or noise.
fn line() -> impl Strategy<Value = String> {
    let settings = (0..SETTINGS.len()).prop_flat_map(|row| {
        let setting = &SETTINGS[row];
        value(if setting.secret { MARK } else { "x" }).prop_map(move |value| format!("{} = {value}", setting.key))
    });
    prop_oneof![
        8 => settings,
        1 => ("[a-z_.]{1,12}", value("x")).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => "\\[[a-z.]{1,8}\\]",
        1 => "\\PC{0,30}",
    ]
}

proptest! {
    /// Whatever stands in the file is taken, or refused in one line that repeats no secret.
    #[test]
    fn any_file_is_read_or_refused_and_tells_no_secret(lines in prop::collection::vec(line(), 0..6)) {
        match load(&lines.join("\n"), &[], &[]) {
            Ok(loaded) => {
                let shown = format!("{}{:?}", show(&loaded.values), loaded.config);
                prop_assert!(!shown.contains(MARK), "{}", shown);
                prop_assert!(!loaded.config.listen.is_empty());
            }
            Err(message) => prop_assert!(!message.is_empty() && !message.contains(MARK), "{}", message),
        }
    }

    #[test]
    fn any_bytes_are_a_file_or_none(text in "\\PC{0,200}") {
        let _ = load(&text, &[], &[]);
    }
}

#[test]
fn the_page_of_the_documentation_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == configuration_page(), "stale: run `tidegate generate configuration > docs/configuration.md`");
}
