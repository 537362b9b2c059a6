//! `tidegate apply` and `tidegate export` against a running server.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::house::{House, Ran, Shell};

/// One of everything.
const EVERYTHING: &str = r#"
apiVersion: tidegate/v1
kind: Group
metadata: {name: readers}
spec:
  description: who reads
  members: [alice, bob]
  policies: [pull-demo]
---
apiVersion: tidegate/v1
kind: User
metadata: {name: alice, labels: {team: blue}}
---
apiVersion: tidegate/v1
kind: User
metadata: {name: bob}
spec: {enabled: false, policies: [AcrPull]}
---
apiVersion: tidegate/v1
kind: Policy
metadata: {name: pull-demo}
spec:
  description: reads demo
  document:
    Version: "1"
    Statement:
    - {Effect: Allow, Action: "cr:PullRepository", Resource: "acs:cr:*:*:repository/*/demo/*"}
---
apiVersion: tidegate/v1
kind: ServiceAccount
metadata: {name: ci}
spec: {description: builds, expiresAt: "YEAR-01-01T00:00:00Z", policies: [AcrPush], writeSecretTo: ci.secret,
  federatedCredentials: [{name: main, issuer: "https://gitlab.example.com", audience: here, subject: "project_path:*", enabled: false}]}
---
apiVersion: tidegate/v1
kind: Role
metadata: {name: deployer}
spec:
  trustPolicy: {file: ../trust.json}
  maxSession: 7200
  policies: [pull-demo]
---
apiVersion: tidegate/v1
kind: Repository
metadata: {name: demo/app}
spec: {description: "the app: all of it"}
---
apiVersion: tidegate/v1
kind: Namespace
metadata: {name: demo, instance: local}
spec:
  public: true
  quota: {maxBytes: 1073741824, maxRepositories: 20}
  retention: [{keepNewest: 10, keepTags: "v*", repositories: "app*"}, {untaggedDays: 14}]
  policy: {Version: "1", Statement: [{Effect: Allow, Principal: {RAM: ["*"]}, Action: "cr:PullRepository"}]}
---
apiVersion: tidegate/v1
kind: Instance
metadata: {name: prod}
spec: {hosts: [Prod.example.com], identityTokens: true}
---
apiVersion: tidegate/v1
kind: Namespace
metadata: {name: apps, instance: prod}
---
apiVersion: tidegate/v1
kind: Account
metadata: {name: this}
spec: {alias: acme-registry, auditRetentionDays: 400, guardPolicies: [bounds]}
---
apiVersion: tidegate/v1
kind: Policy
metadata: {name: bounds, labels: {team: blue}}
spec: {document: {Version: "1", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}}
---
apiVersion: tidegate/v1
kind: OidcProvider
metadata: {name: gitlab, labels: {team: blue}}
spec: {issuer: "https://gitlab.example.com", clientIds: [b, a], jwks: '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}', description: builds, enabled: false}
---
apiVersion: tidegate/v1
kind: Endpoint
metadata: {name: public, instance: prod}
spec: {defaultAction: deny, entries: [{cidr: 127.0.0.0/8}, {cidr: 10.1.2.3, comment: office}, {cidr: "2001:db8::/32"}]}
"#;

/// A folder of documents.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    /// `docs/` with one of everything, and beside it the trust policy that it names.
    fn everything(root: &Shell) -> Self {
        let trust = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": ["*"]}}]});
        let folder = Self::with(&[("trust.json", &trust.to_string())]);
        std::fs::create_dir(folder.path("docs")).unwrap();
        let made = root.json(&["instance", "show", "local"])["created_at"].as_str().unwrap().to_owned();
        let year: u32 = made[..4].parse().unwrap();
        folder.write("docs/all.yaml", &EVERYTHING.replace("YEAR", &(year + 2).to_string()));
        folder
    }

    fn docs(&self) -> String {
        self.path("docs").to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }
}

fn apply(shell: &Shell, text: &str, options: &[&str]) -> Ran {
    shell.piped(&[&["apply", "-f", "-", "-o", "json"], options].concat(), text)
}

#[track_caller]
fn applied(shell: &Shell, text: &str, options: &[&str]) -> Vec<Value> {
    let ran = apply(shell, text, options);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// `create User alice done` …
fn lines(changes: &[Value]) -> Vec<String> {
    let word = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    changes.iter().map(|c| ["action", "kind", "name", "status"].map(|key| word(c, key)).join(" ")).collect()
}

fn user(name: &str, spec: &str) -> String {
    format!("---\napiVersion: tidegate/v1\nkind: User\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

#[test]
fn everything_is_made_once_in_an_order_that_works_and_then_nothing_changes() {
    let house = House::start();
    let root = house.root();
    let folder = Folder::everything(&root);
    let docs = folder.docs();
    let planned = root.json(&["apply", "-f", &docs, "--dry-run"]);
    assert_eq!(root.json(&["user", "list"]), json!([]), "a dry run changes nothing");
    let done = root.json(&["apply", "-f", &docs]);
    let without =
        |changes: &Value| lines(changes.as_array().unwrap()).iter().map(|l| l.rsplit_once(' ').unwrap().0.to_owned()).collect::<Vec<_>>();
    assert_eq!(without(&planned), without(&done));
    let secret = std::fs::read_to_string(folder.path("docs/ci.secret")).unwrap();
    assert!(secret.len() > 20 && !done.to_string().contains(&secret));
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&folder.path("docs/ci.secret").metadata().unwrap().permissions()) & 0o777, 0o600);

    assert_eq!(root.json(&["apply", "-f", &docs]), json!([]));
    let table = root.run(&["apply", "-f", &docs, "-o", "table"]);
    assert_eq!((table.code, &*table.out), (Some(0), "Nothing to change.\n"));

    assert_eq!(root.json(&["group", "show", "readers"])["description"], "who reads");
    assert_eq!(root.json(&["user", "show", "bob"])["enabled"], false);
    assert_eq!(root.json(&["namespace", "show", "demo"])["public"], true);
    assert_eq!(root.json(&["role", "show", "deployer"])["max_session"], 7200);
    assert_eq!(root.json(&["instance", "show", "prod"])["hosts"], json!(["prod.example.com"]));
    assert_eq!(root.json(&["service-account", "secret", "list", "ci"]).as_array().unwrap().len(), 1);
    assert_eq!(root.json(&["label", "list", "--key", "team"]).as_array().unwrap().len(), 3);
    assert_eq!(root.json(&["account", "show"])["alias"], "acme-registry");
    assert_eq!(root.json(&["audit", "retention", "show"])["kept_days"], 400);
}

#[test]
fn how_long_the_audit_trail_is_kept_is_said_in_a_document() {
    let house = House::start();
    let root = house.root();
    let account =
        |days: i64| format!("apiVersion: tidegate/v1\nkind: Account\nmetadata: {{name: this}}\nspec: {{auditRetentionDays: {days}}}\n");
    assert_eq!(applied(&root, &account(0), &[]), Vec::<Value>::new(), "the server's setting stands");
    let changed = &applied(&root, &account(365), &[])[0];
    assert_eq!((&changed["action"], &changed["changes"][0]["field"]), (&json!("update"), &json!("auditRetentionDays")));
    assert_eq!(applied(&root, &account(365), &[]), Vec::<Value>::new());
    assert_eq!(applied(&root, &account(0), &[]).len(), 1);
    assert_eq!(root.json(&["audit", "retention", "show"])["days"], json!(null));
    // Less than the server lets an account say.
    let refused = root.piped(&["apply", "-f", "-", "-o", "json"], &account(3));
    assert!(refused.code == Some(1) && (refused.err.clone() + &refused.out).contains("90 to 36500 days"), "{}", refused.err);
}

#[test]
fn what_is_exported_makes_the_same_again_on_an_empty_server() {
    let (one, other) = (House::start(), House::start());
    let (root, second) = (one.root(), other.root());
    let folder = Folder::everything(&root);
    root.json(&["apply", "-f", &folder.docs()]);
    let file = folder.path("export.yaml");
    let path = file.to_str().unwrap();
    assert_eq!(root.run(&["export", "--file", path]).code, Some(0));
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(root.json(&["apply", "-f", path]), json!([]), "{text}");
    let done = second.json(&["apply", "-f", path]);
    assert!(done.as_array().unwrap().iter().all(|c| c["status"] == "done"), "{done}");
    assert_eq!(second.run(&["export"]).out, text);
    // No secret is made that nobody knows.
    assert_eq!(second.json(&["service-account", "secret", "list", "ci"]), json!([]));
    let list = second.json(&["export", "-o", "json", "--kind", "User"]);
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(applied(&second, &list.to_string(), &[]), Vec::<Value>::new());
}

#[test]
fn changes_are_made_and_shown_field_by_field() {
    let house = House::start();
    let root = house.root();
    let folder = Folder::everything(&root);
    root.json(&["apply", "-f", &folder.docs()]);
    let text = "apiVersion: tidegate/v1\nkind: Namespace\nmetadata: {name: demo}\nspec: {public: false, policy: {}}\n---\n\
                apiVersion: tidegate/v1\nkind: Group\nmetadata: {name: readers}\nspec: {members: [bob], policies: []}\n---\n\
                apiVersion: tidegate/v1\nkind: Policy\nmetadata: {name: pull-demo}\nspec:\n  document: {Version: \"1\", Statement: [{Effect: Deny, Action: \"cr:PullRepository\", Resource: \"*\"}]}\n";
    let shown = root.piped(&["apply", "-f", "-", "--dry-run", "-o", "table"], text);
    let wanted = "~ update policy pull-demo\n    document:\n";
    assert!(shown.out.starts_with(wanted), "{}", shown.out);
    assert!(shown.out.contains("~ update namespace local/demo: public true -> false\n~ update group readers: members - alice\n~ update group readers: policies - pull-demo\n"), "{}", shown.out);
    let done = applied(&root, text, &[]);
    assert_eq!(done.len(), 5);
    let change = done.iter().find(|c| c["kind"] == "Namespace").unwrap();
    assert_eq!(change["changes"], json!([{"field": "public", "from": true, "to": false}]));
    assert_eq!(applied(&root, text, &[]), Vec::<Value>::new());
    // Five versions are kept: a sixth makes room for itself.
    for number in 0..7 {
        let text = format!(
            "apiVersion: tidegate/v1\nkind: Policy\nmetadata: {{name: pull-demo}}\nspec:\n  document: {{Version: \"1\", Statement: [{{Effect: Deny, Action: \"cr:PullRepository\", Resource: \"acs:cr:*:*:repository/*/n{number}/*\"}}]}}\n"
        );
        assert_eq!(applied(&root, &text, &[]).len(), 1);
    }
}

#[test]
fn a_quota_is_said_whole_and_taken_away() {
    let house = House::start();
    let root = house.root();
    let demo = |quota: &str| format!("apiVersion: tidegate/v1\nkind: Namespace\nmetadata: {{name: demo}}\nspec: {{{quota}}}\n");
    let all = applied(&root, &demo("quota: {maxBytes: 1000, maxRepositories: 3}"), &[]);
    assert_eq!(all[1]["changes"], json!([{"field": "quota", "from": null, "to": {"maxBytes": 1000, "maxRepositories": 3}}]));
    let quota = root.json(&["quota", "show", "demo"]);
    assert_eq!((&quota["max_bytes"], &quota["max_repositories"]), (&json!(1000), &json!(3)));
    assert_eq!(applied(&root, &demo("quota: {maxRepositories: 3, maxBytes: 1000}"), &[]), Vec::<Value>::new());
    assert_eq!(applied(&root, &demo("public: false"), &[]), Vec::<Value>::new(), "what is left out stays");
    assert_eq!(applied(&root, &demo("quota: {maxRepositories: 3}"), &[]).len(), 1);
    assert_eq!(root.json(&["quota", "show", "demo"])["max_bytes"], Value::Null);
    let list = root.json(&["export", "-o", "json", "--kind", "Namespace"]);
    assert_eq!(list[0]["spec"]["quota"], json!({"maxRepositories": 3}), "{list}");
    assert_eq!(applied(&root, &list.to_string(), &[]), Vec::<Value>::new());
    assert_eq!(applied(&root, &demo("quota: {}"), &[])[0]["changes"][0]["to"], Value::Null);
    assert_eq!(root.json(&["quota", "show", "demo"])["max_repositories"], Value::Null);
}

#[test]
fn only_what_carries_the_label_is_pruned() {
    let house = House::start();
    let root = house.root();
    root.json(&["user", "create", "stranger"]);
    let both = format!("{}{}", user("alice", "{}"), user("bob", "{}"));
    applied(&root, &both, &["--prune", "set=people"]);
    assert_eq!(root.json(&["label", "list", "--key", "set"]).as_array().unwrap().len(), 2);
    assert_eq!(applied(&root, &both, &["--prune", "set=people"]), Vec::<Value>::new());
    // Another set's things are not taken over.
    let taken = apply(&root, &user("bob", "{}"), &["--prune", "set=others"]);
    assert_eq!(taken.code, Some(1));
    assert!(taken.err.contains("belongs to set=people"), "{}", taken.err);
    let planned = applied(&root, &user("alice", "{}"), &["--prune", "set=people", "--dry-run"]);
    assert_eq!(lines(&planned), ["delete User bob planned"]);
    assert_eq!(lines(&applied(&root, &user("alice", "{}"), &["--prune", "set=people"])), ["delete User bob done"]);
    let left = root.json(&["user", "list"]);
    let left: Vec<_> = left.as_array().unwrap().iter().map(|u| u["name"].as_str().unwrap()).collect();
    assert_eq!(left, ["alice", "stranger"]);
    // A thing's labels go with it; the root user carries none.
    assert_eq!(root.json(&["label", "list"]).as_array().unwrap().len(), 1);
    let root_label = root.run(&["label", "set", "user", "root", "set=people"]);
    assert_eq!(root_label.code, Some(1), "{}", root_label.out);
}

#[test]
fn nobody_prunes_themselves_and_many_deletions_are_asked_for_twice() {
    let house = House::start();
    let root = house.root();
    let admin = house.user(&root, "admin");
    root.json(&["policy", "attach", "AdministratorAccess", "--user", "admin"]);
    applied(&root, &user("admin", "{}"), &["--prune", "set=all"]);
    let itself = apply(&admin, &user("alice", "{}"), &["--prune", "set=all"]);
    assert_eq!(itself.code, Some(1));
    assert!(itself.err.contains("is you"), "{}", itself.err);
    assert_eq!(root.run(&["user", "show", "alice"]).code, Some(1), "nothing was done");

    let many: String = (0..11).map(|n| user(&format!("u{n}"), "{}")).collect();
    let many = format!("{many}{}", user("admin", "{}"));
    applied(&admin, &many, &["--prune", "set=all"]);
    let refused = apply(&admin, &user("admin", "{}"), &["--prune", "set=all"]);
    assert!(refused.code == Some(1) && refused.err.contains("--yes"), "{}", refused.err);
    assert_eq!(root.json(&["user", "list"]).as_array().unwrap().len(), 12);
    applied(&admin, &user("admin", "{}"), &["--prune", "set=all", "--yes"]);
    assert_eq!(root.json(&["user", "list"]).as_array().unwrap().len(), 1);
    let empty = apply(&root, "# nothing\n", &["--prune", "set=all"]);
    assert!(empty.code == Some(1) && empty.err.contains("no document"), "{}", empty.err);
}

#[test]
fn it_stops_at_the_first_refusal_and_says_what_was_done() {
    let house = House::start();
    let root = house.root();
    let clerk = house.user(&root, "clerk");
    let allow = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["ram:CreateUser","ram:GetUser","ram:ListPoliciesForUser"],"Resource":"*"}]}"#;
    root.json(&["policy", "create", "clerks", "--document", &house.document(allow)]);
    root.json(&["policy", "attach", "clerks", "--user", "clerk"]);
    let text = format!("{}{}{}", user("alice", "{enabled: false}"), user("bob", "{}"), user("carol", "{}"));
    let ran = apply(&clerk, &text, &[]);
    assert_eq!(ran.code, Some(1));
    let said: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let wanted = ["create User alice done", "update User alice refused", "create User bob not_done", "create User carol not_done"];
    assert_eq!(lines(&said), wanted);
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(error["error"]["code"], "denied");
    assert!(error["error"]["message"].as_str().unwrap().contains("user alice"), "{error}");
    // Whoever may do the rest goes on where it stopped.
    let rest = lines(&applied(&root, &text, &[]));
    assert_eq!(rest, ["update User alice done", "create User bob done", "create User carol done"]);
    // Nobody gives by a document what they do not hold.
    let more = apply(&clerk, &user("clerk", "{policies: [clerks, AdministratorAccess]}"), &[]);
    assert_eq!(more.code, Some(1));
}

#[test]
fn documents_that_are_wrong_change_nothing_and_say_where() {
    let house = House::start();
    let root = house.root();
    let wrong = |text: &str, naming: &str| {
        let ran = apply(&root, &format!("{}{text}", user("alice", "{}")), &[]);
        assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{text}");
        let error: Value = serde_json::from_str(&ran.err).unwrap();
        assert!(error["error"]["message"].as_str().unwrap().contains(naming), "{error}");
    };
    wrong(&user("bob", "{admin: true}"), "-:10: document 2: spec.admin: unknown field `admin`");
    wrong(&user("alice", "{}"), "spoken of twice, first at -:2");
    wrong("---\n&a [*a, *a]\n", "aliases");
    wrong(&format!("---\n{}", "[".repeat(100_000)), "not YAML");
    wrong(&"a: b\n".repeat(300_000), "more than 1048576 bytes");
    wrong("---\napiVersion: tidegate/v1\nkind: Policy\nmetadata: {name: p}\nspec: {document: {file: /nowhere}}\n", "/nowhere");
    wrong(&user("bob", "{passwords: [{kind: signIn, secretRef: {env: NOT_SET}}]}"), "NOT_SET");
    wrong("---\napiVersion: tidegate/v1\nkind: Repository\nmetadata: {name: demo/app, labels: {a: b}}\n", "carries no labels");
    assert_eq!(root.json(&["user", "list"]), json!([]));
}

#[test]
fn passwords_come_by_reference_and_are_set_once() {
    let house = House::start();
    let mut root = house.root();
    root.environment.push(("ALICE".to_owned(), "correct horse 9".to_owned()));
    let folder = Folder::with(&[("secret", "correct horse 8\n")]);
    let text = format!(
        "{{passwords: [{{kind: signIn, secretRef: {{env: ALICE}}}}, {{kind: permanent, secretRef: {{file: {}}}}}]}}",
        path(&folder.path("secret"))
    );
    let first = applied(&root, &user("alice", &text), &[]);
    assert_eq!(first.len(), 3);
    assert!(!json!(first).to_string().contains("correct horse"));
    let kinds = root.json(&["credential", "list", "--user", "alice"]);
    let kinds: Vec<_> = kinds.as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["sign_in_password", "permanent_password"]);
    assert_eq!(applied(&root, &user("alice", &text), &[]), Vec::<Value>::new());
    assert_eq!(applied(&root, &user("alice", &text), &["--set-passwords"]).len(), 2);
    assert!(!root.run(&["export"]).out.contains("correct horse"));
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn two_at_once_end_in_the_same_state_or_one_is_refused() {
    let house = House::start();
    let root = house.root();
    let folder = Folder::everything(&root);
    let text = std::fs::read_to_string(folder.path("docs/all.yaml")).unwrap().replace(", writeSecretTo: ci.secret", "");
    std::fs::write(folder.path("docs/all.yaml"), text).unwrap();
    let docs = folder.docs();
    let ran: Vec<Ran> = std::thread::scope(|scope| {
        let one = || root.run(&["apply", "-f", &docs, "-o", "json"]);
        let both = [scope.spawn(one), scope.spawn(one)];
        both.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for ran in &ran {
        let clear = ran.code == Some(0) || ran.err.contains("already_exists") || ran.err.contains("not_found");
        assert!(clear, "{}\n{}", ran.out, ran.err);
    }
    root.json(&["apply", "-f", &docs]);
    assert_eq!(root.json(&["apply", "-f", &docs]), json!([]));
}
