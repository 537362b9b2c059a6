//! Three equal nodes, each behind a wire of its own to the database, and a proxy before them.

use serde_json::Value;

use crate::support::MASTER_KEY;
use crate::support::api::{Api, root};
use crate::support::backing::create_database;
use crate::support::http::{Answer, Ask, Connection};
use crate::support::node::{Node, Settings};
use crate::support::proxy::Proxy;
use crate::support::s3::S3;
use crate::support::wire::Wire;

pub(crate) struct Trio {
    /// Gone first, so that no request goes to a node that ends.
    pub(crate) proxy: Proxy,
    /// The first did the first start.
    pub(crate) nodes: Vec<Node>,
    /// Between each node and the database.
    pub(crate) wires: Vec<Wire>,
    /// Root, by Basic.
    pub(crate) root: String,
    pub(crate) s3: S3,
    pub(crate) folder: tempfile::TempDir,
}

impl Trio {
    pub(crate) fn start(name: &str) -> Self {
        Self::start_called(name, None)
    }

    /// The same, where clients call them so; else as the proxy is called.
    pub(crate) fn start_called(name: &str, called: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, s3, mut proxy) = (create_database(name), S3::start(folder.path()), Proxy::listen());
        let blobs = s3.settings();
        let (mut nodes, mut wires) = (Vec::new(), Vec::new());
        for number in 0..3 {
            let (wire, through) = Wire::before(&url);
            let mut settings = Settings::in_folder(folder.path(), &format!("node{number}")).set("TIDEGATE_DATABASE", &through);
            settings.environment.extend(blobs.clone());
            let settings = settings.set("TIDEGATE_MASTER_KEY", MASTER_KEY);
            let called = called.unwrap_or(&proxy.address);
            nodes.push(Node::start(settings.set("TIDEGATE_EXTERNAL_URL", &format!("http://{called}"))));
            wires.push(wire);
        }
        let addresses: Vec<String> = nodes.iter().map(|node| node.address().to_owned()).collect();
        proxy.serve(&addresses, false);
        let root = root(&nodes[0]);
        Self { proxy, nodes, wires, root, s3, folder }
    }

    /// One request at one node, which is called as the proxy is.
    pub(crate) fn send(&self, node: usize, ask: Ask) -> Answer {
        self.try_send(node, ask).unwrap()
    }

    /// The same; none when nobody answers.
    pub(crate) fn try_send(&self, node: usize, ask: Ask) -> Option<Answer> {
        self.nodes[node].try_send(&ask.header("host", &self.proxy.address))
    }

    /// One request at the proxy.
    pub(crate) fn ask(&self, ask: &Ask) -> Answer {
        Connection::once(&self.proxy.address, ask).unwrap()
    }

    /// The management API at one node, as root. (The first one's bootstrap file has the key.)
    pub(crate) fn api(&self, node: usize) -> Api<'_> {
        Api::root_at(&self.nodes[0], &self.nodes[node])
    }

    /// A user who may pull, under a policy of the same name.
    pub(crate) fn create_user(&self, name: &str) {
        let api = self.api(0);
        api.create_user(name);
        api.create_policy(name, &["cr:PullRepository"]);
        api.attach(name, name);
    }

    /// A bearer token for pulling in `demo/app`, which every node takes.
    pub(crate) fn token(&self, node: usize, authorization: &str) -> String {
        let target = format!("/token?service={}&scope=repository:demo/app:pull", self.proxy.address);
        let answer = self.send(node, Ask::get(&target).with(authorization)).expect(200);
        crate::support::http::bearer(answer.json()["token"].as_str().unwrap())
    }

    /// `tidegate nodes` by one of them: what it says of each, by where that one listens.
    pub(crate) fn listed(&self, by: usize) -> Vec<Value> {
        self.api(by).call("GET", "/nodes", &Value::Null).as_array().unwrap().clone()
    }

    /// What a node says of another.
    pub(crate) fn said(&self, by: usize, of: usize) -> Option<Value> {
        let address = self.nodes[of].address();
        self.listed(by).into_iter().find(|node| node["listen"][0] == address)
    }

    /// `kill -9`, and the same node again.
    pub(crate) fn kill_and_restart(&mut self, node: usize, pause: std::time::Duration) {
        let killed = self.nodes.remove(node);
        let settings = killed.kill();
        std::thread::sleep(pause);
        self.nodes.insert(node, Node::start(settings));
    }
}
