//! Nodes over one database and one place for content, where what nothing needs goes at once.

use std::path::PathBuf;

use serde_json::Value;

use crate::check::Seen;
use crate::support::api::root;
use crate::support::backing::create_database;
use crate::support::node::{Node, Settings};
use crate::support::program::{Program, Ran};
use crate::support::s3::S3;
use crate::support::{MASTER_KEY, tidegate};

pub(crate) struct House {
    pub(crate) nodes: Vec<Node>,
    /// Root, by Basic.
    pub(crate) by: String,
    pub(crate) database: store::Database,
    /// Below which all content lies, and nothing else.
    pub(crate) content: PathBuf,
    /// What each node was started with besides its address and folder.
    environment: Vec<(String, String)>,
    s3: Option<S3>,
    pub(crate) folder: tempfile::TempDir,
}

/// Without any grace, and with a run each second besides those that are asked for.
const AT_ONCE: [(&str, &str); 3] =
    [("TIDEGATE_COLLECTION_EVERY", "1s"), ("TIDEGATE_COLLECTION_GRACE", "0s"), ("TIDEGATE_COLLECTION_DELETE_AFTER", "0s")];

impl House {
    /// One node over SQLite and a folder.
    pub(crate) fn over_files(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (content, database) = (folder.path().join("node0/blobs"), store::Database::Directory(folder.path().join("node0")));
        Self::start(1, database, content, None, Vec::new(), more, folder)
    }

    /// So many nodes over a PostgreSQL database of their own and an S3 server of their own.
    pub(crate) fn over_postgres_and_s3(nodes: usize, more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, s3) = (create_database("collection"), S3::start(folder.path()));
        let mut environment = s3.settings();
        let prefix = environment.iter().find(|(name, _)| name == "TIDEGATE_BLOBS").unwrap().1.rsplit_once('/').unwrap().1.to_owned();
        environment.push(("TIDEGATE_DATABASE".to_owned(), url.clone()));
        environment.push(("TIDEGATE_MASTER_KEY".to_owned(), MASTER_KEY.to_owned()));
        let content = folder.path().join("s3/tidegate").join(prefix);
        let database = store::Database::Postgres(store::PostgresSettings::new(url));
        Self::start(nodes, database, content, Some(s3), environment, more, folder)
    }

    fn start(
        nodes: usize,
        database: store::Database,
        content: PathBuf,
        s3: Option<S3>,
        mut environment: Vec<(String, String)>,
        more: &[(&str, &str)],
        folder: tempfile::TempDir,
    ) -> Self {
        environment.extend(AT_ONCE.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let start = |number| {
            let settings = Settings::in_folder(folder.path(), &format!("node{number}"));
            Node::start(environment.iter().fold(settings, |settings, (name, value)| settings.set(name, value)))
        };
        let nodes: Vec<Node> = (0..nodes).map(start).collect();
        let by = root(&nodes[0]);
        Self { nodes, by, database, content, environment, s3, folder }
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.address().to_owned()).collect()
    }

    /// `tidegate gc …` on the machine of a node.
    pub(crate) fn gc(&self, node: usize, arguments: &[&str]) -> Ran {
        self.gc_in(&format!("node{node}"), arguments)
    }

    /// The same with a data folder where no server may be.
    pub(crate) fn gc_in(&self, data: &str, arguments: &[&str]) -> Ran {
        let program = Program::new(tidegate(), &self.folder.path().join("operator"));
        let program = self.environment.iter().fold(program, |program, (name, value)| program.with(name, value));
        let data = self.folder.path().join(data);
        program.with("TIDEGATE_DATA_DIR", data.to_str().unwrap()).run(&[&["gc"], arguments, &["-o", "json"]].concat())
    }

    /// A whole run; what has gone.
    #[track_caller]
    pub(crate) fn collect(&self, node: usize) -> Value {
        self.gc(node, &["run"]).ok().json()
    }

    /// Ends the nodes, and looks at what they leave.
    pub(crate) fn end(&mut self) -> Seen {
        for node in self.nodes.drain(..) {
            node.stop();
        }
        self.look()
    }

    /// What is in the database and the storage; over SQLite, while no node runs.
    pub(crate) fn look(&self) -> Seen {
        Seen::read(&self.database, &self.content)
    }

    /// Changes the database by hand, while no node runs.
    pub(crate) fn change(&self, sql: &'static str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let changed: Result<u64, store::StoreError> = runtime.block_on(async {
            let store = store::Store::open(&self.database).await?;
            store.write(|tx| Box::pin(async move { tx.execute(sql, &[]).await })).await
        });
        assert!(changed.unwrap() > 0, "{sql}");
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in &self.nodes {
                let log = node.log();
                let said: Vec<&str> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
                println!("--- what {} warned of\n{}", node.address(), said[said.len().saturating_sub(20)..].join("\n"));
            }
        }
        // Gone last: the nodes speak to it.
        self.nodes.clear();
        self.s3 = None;
    }
}
