//! The audit trail: events, and the chain that holds them.

use api::{AuditEvent, AuditKey, AuditQuery, AuditRecord, AuditRecordQuery, AuditRetention, AuditTrail, SetAuditRetention};
use bytes::Bytes;
use http::Method;

use super::{Tidegate, pairs, with_query};
use crate::ClientError;

/// The audit trail.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a>(pub(super) &'a Tidegate);

impl<'a> Audit<'a> {
    /// Events, newest first, at most `most`.
    pub async fn list(&self, query: &AuditQuery, most: usize) -> Result<Vec<AuditEvent>, ClientError> {
        self.0.list("/audit-events", query, Some(most)).await
    }

    /// Where the trail begins and ends, and the keys that sign it.
    pub async fn trail(&self) -> Result<AuditTrail, ClientError> {
        self.0.get("/audit-trail").await
    }

    /// Begins a new key that signs the trail. Answers all.
    pub async fn rotate_key(&self) -> Result<Vec<AuditKey>, ClientError> {
        self.0.call(Method::POST, "/audit-keys", Bytes::new()).await
    }

    /// How long the trail is kept.
    pub async fn retention(&self) -> Result<AuditRetention, ClientError> {
        self.0.get("/audit-retention").await
    }

    /// Keeps the trail for so many days; none: as long as the server's setting says.
    pub async fn set_retention(&self, days: Option<i64>) -> Result<AuditRetention, ClientError> {
        if let Some(days) = days {
            return self.0.send(Method::PUT, "/audit-retention", &SetAuditRetention { days }).await;
        }
        let () = self.0.delete("/audit-retention").await?;
        self.retention().await
    }

    /// Sealed records in the order of the chain, page by page.
    pub fn records(&self, query: &AuditRecordQuery) -> Records<'a> {
        Records { client: self.0, path: with_query("/audit-records", &pairs(query)), again: false, reached: 0 }
    }
}

/// Sealed records, page by page. What is sealed meanwhile can be read on.
#[derive(Debug)]
pub struct Records<'a> {
    client: &'a Tidegate,
    path: String,
    /// The page at `path` was read before, and was the last one then.
    again: bool,
    reached: i64,
}

impl Records<'_> {
    /// The next records; none: there are no more at the moment.
    pub async fn next(&mut self) -> Result<Vec<AuditRecord>, ClientError> {
        loop {
            let (mut records, next) = self.client.page::<AuditRecord>(&self.path).await?;
            if self.again {
                records.retain(|record| record.sequence() > self.reached);
            }
            self.reached = records.iter().map(AuditRecord::sequence).max().unwrap_or_default().max(self.reached);
            self.again = next.is_none();
            if let Some(next) = next {
                self.path = next;
            }
            if self.again || !records.is_empty() {
                return Ok(records);
            }
        }
    }
}
