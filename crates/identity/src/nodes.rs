//! The nodes that serve one database, for whoever runs the server.

use access::{Operator, Permit};
use model::{Seconds, Timestamp, act};
use store::node::{self, Node};
use store::{StoreError, lease};

use crate::{Identity, IdentityError};

/// So long after a node should have been heard of it counts as gone.
const GRACE: Seconds = Seconds(10);

/// A node, and what the others know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenNode {
    /// What it said last, and when.
    pub node: Node,
    /// Has it been heard of when it should have been?
    pub alive: bool,
    /// Is it the one that answers this?
    pub answering: bool,
    /// What it does for all nodes at the moment.
    pub leases: Vec<String>,
}

/// Has a node been heard of when it should have been? `now` by the database's clock.
pub fn is_alive(node: &Node, now: Timestamp) -> bool {
    node.due.plus(GRACE) >= now
}

impl Identity {
    /// The nodes of the server. They are of no account: the first account's business alone.
    pub async fn list_nodes(&self, _permit: Permit<act::ListNodes>) -> Result<Vec<SeenNode>, IdentityError> {
        Ok(self.seen_nodes().await?)
    }

    /// The same, for whoever holds the server's configuration.
    pub async fn list_nodes_as_operator(&self, _by: Operator) -> Result<Vec<SeenNode>, IdentityError> {
        Ok(self.seen_nodes().await?)
    }

    async fn seen_nodes(&self) -> Result<Vec<SeenNode>, StoreError> {
        let read = self.read(|tx| {
            Box::pin(async move {
                let now = node::clock(tx).await?;
                Ok((now, node::all(tx).await?, lease::held(tx, now).await?))
            })
        });
        let (now, nodes, leases) = read.await?;
        let seen = |node: Node| SeenNode {
            alive: is_alive(&node, now),
            answering: *node.beat.id == *self.node,
            leases: leases.iter().filter(|(holder, _)| *holder == node.beat.id).map(|(_, name)| name.clone()).collect(),
            node,
        };
        Ok(nodes.into_iter().map(seen).collect())
    }
}
