//! What a record's hash is taken over.

use api::AuditRecord;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use sha2::{Digest as _, Sha256};

/// The version of the chain, hashed with each record.
const VERSION: &str = "tidegate-audit-v1";
/// The hash before the first record.
pub const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The record's hash in hex: SHA-256 over a JSON array without white space, of the version, the hash before, and the
/// record's values in this order, each as the record itself spells it.
pub fn hash(record: &AuditRecord) -> String {
    // Texts, numbers and times always serialise; a hash of nothing would match no record.
    let canonical = serde_json::to_vec(&Canonical(record)).unwrap_or_default();
    hex::encode(Sha256::digest(canonical))
}

struct Canonical<'a>(&'a AuditRecord);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (record, event) = (self.0, &self.0.event);
        let mut array = serializer.serialize_seq(Some(19))?;
        array.serialize_element(VERSION)?;
        array.serialize_element(&record.previous_hash)?;
        array.serialize_element(&record.account_id)?;
        array.serialize_element(&event.sequence)?;
        array.serialize_element(&record.sealed_at)?;
        array.serialize_element(&event.event_id)?;
        array.serialize_element(&event.time)?;
        array.serialize_element(&event.action)?;
        array.serialize_element(&event.outcome)?;
        array.serialize_element(&event.principal)?;
        array.serialize_element(&event.principal_id)?;
        array.serialize_element(&event.credential_id)?;
        array.serialize_element(&event.credential_kind)?;
        array.serialize_element(&event.resource)?;
        array.serialize_element(&event.detail)?;
        array.serialize_element(&event.source_ip)?;
        array.serialize_element(&event.user_agent)?;
        array.serialize_element(&event.request_id)?;
        array.serialize_element(&event.count)?;
        array.end()
    }
}
