//! The audit trail, as something to read.

use access::Permit;
use model::act;
use store::audit::{Event, Query};

use crate::{Identity, IdentityError};

impl Identity {
    /// Events of the account, newest first. What was noted within the last second may not be there yet.
    pub async fn list_audit_events(&self, permit: Permit<act::ListAuditEvent>, query: &Query) -> Result<Vec<Event>, IdentityError> {
        let account = permit.on().0;
        Ok(self.read(|tx| Box::pin(store::audit::list(tx, account, query))).await?)
    }
}
