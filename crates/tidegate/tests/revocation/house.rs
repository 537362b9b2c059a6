//! Two nodes on one PostgreSQL, the second behind a wire that can be cut.

use crate::support::backing::create_database;
use crate::support::node::{Node, Settings};
use crate::support::wire::Wire;

/// Two nodes that share a database, a master key and a folder of blobs, and nothing else.
pub(crate) struct Pair {
    /// Where things are changed. It did the first start.
    pub(crate) first: Node,
    /// Where the change must arrive.
    pub(crate) second: Node,
    /// Between the second node and its database.
    pub(crate) wire: Wire,
    _folder: tempfile::TempDir,
}

impl Pair {
    pub(crate) fn start(name: &str) -> Self {
        Self::start_with(name, |_, settings| settings)
    }

    /// With further settings for each node: `first` and `second`.
    pub(crate) fn start_with(name: &str, settle: impl Fn(&str, Settings) -> Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = create_database(name);
        let (wire, through) = Wire::before(&url);
        let shared = |node: &str, url: &str| {
            let settings = Settings::in_folder(folder.path(), node).set("TIDEGATE_DATABASE", url);
            let settings = settings.set("TIDEGATE_NETWORK", crate::network::HOME);
            let blobs = folder.path().join("blobs");
            let settings = settings.set("TIDEGATE_MASTER_KEY", crate::support::MASTER_KEY).set("TIDEGATE_BLOBS", blobs.to_str().unwrap());
            settle(node, settings)
        };
        let first = Node::start(shared("first", &url));
        let second = Node::start(shared("second", &through));
        assert!(!second.settings.data.join("bootstrap.json").exists(), "a node that joins creates nothing");
        Self { first, second, wire, _folder: folder }
    }
}
