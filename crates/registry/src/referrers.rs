//! Who refers to a manifest (OCI distribution specification, "Listing Referrers").

use access::Permit;
use bytes::Bytes;
use model::{Digest, OnRepository, act};
use serde::Serialize;
use serde_json::value::RawValue;
use store::Tx;
use store::manifest::Referrer;

use crate::protection::readable;
use crate::{Registry, RegistryError};

/// Descriptors in one page at most.
const PAGE: usize = 1000;
/// Rows read at once: each may carry a manifest's whole annotations.
const ROWS: i64 = 16;
/// A page ends behind the descriptor with which it grows larger than this.
const PAGE_BYTES: usize = 1 << 20;

/// A page of referrers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Referrers {
    /// An OCI image index of them, as JSON.
    pub index: Bytes,
    /// There are more: go on behind this one.
    pub next: Option<Digest>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Box<RawValue>>,
}

/// Which referrers are asked for.
struct Question<'a> {
    on: &'a OnRepository,
    subject: &'a Digest,
    artifact_type: Option<&'a str>,
    after: Option<&'a Digest>,
}

impl Registry {
    /// Manifests that name `subject` as theirs, by digest, behind `after`. None, where there is no repository too, is an
    /// empty index.
    pub async fn referrers(
        &self,
        permit: Permit<act::PullRepository>,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
    ) -> Result<Referrers, RegistryError> {
        // No manifest has an empty type, nor one with what no database takes.
        let artifact_type = artifact_type.map(|t| if t.contains('\0') { "" } else { t });
        let question = Question { on: permit.on(), subject, artifact_type, after };
        let (found, more) = self.store.scan(|tx| Box::pin(question.answer(tx))).await?;
        let next = found.last().filter(|_| more).map(|last| last.digest);
        let manifests = found.into_iter().map(descriptor).collect::<Result<_, _>>()?;
        let index = Index { schema_version: 2, media_type: "application/vnd.oci.image.index.v1+json", manifests };
        let index = serde_json::to_vec(&index).map_err(|e| RegistryError::Broken(Box::new(e)))?;
        Ok(Referrers { index: index.into(), next })
    }
}

impl Question<'_> {
    async fn answer(&self, tx: &mut Tx<'_>) -> Result<(Vec<Referrer>, bool), RegistryError> {
        let mut found: Vec<Referrer> = Vec::new();
        let mut bytes = 0;
        let Some(repository) = readable(tx, self.on).await? else {
            return Ok((found, false));
        };
        loop {
            let after = found.last().map(|r| r.digest).or(self.after.copied());
            let rows = store::manifest::referrers(tx, repository, self.subject, self.artifact_type, after.as_ref(), ROWS).await?;
            let ended = i64::try_from(rows.len()).is_ok_and(|n| n < ROWS);
            for row in rows {
                if found.len() == PAGE || bytes > PAGE_BYTES {
                    return Ok((found, true));
                }
                bytes += 256 + row.annotations.as_ref().map_or(0, String::len);
                found.push(row);
            }
            if ended {
                return Ok((found, false));
            }
        }
    }
}

fn descriptor(r: Referrer) -> Result<Descriptor, RegistryError> {
    let annotations = r.annotations.map(RawValue::from_string).transpose().map_err(|e| RegistryError::Broken(Box::new(e)))?;
    Ok(Descriptor {
        media_type: r.media_type.as_str().into(),
        digest: r.digest.to_string(),
        size: r.size,
        artifact_type: r.artifact_type,
        annotations,
    })
}
