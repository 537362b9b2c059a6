//! The audit trail.

use kit::Answer;
use model::{CredentialId, PrincipalId, Timestamp, act};
use store::audit::{Event, Query, Who};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes;

pub(super) async fn list_audit_events(call: Call) -> Result<Answer, Problem> {
    let query: api::AuditQuery = call.query()?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let before = cursor(&asked.after)?;
    if query.outcome.as_deref().is_some_and(|o| !["success", "denied", "failed"].contains(&o)) {
        return Err(Problem::invalid("outcome", "success, denied or failed"));
    }
    if query.action.as_deref().is_some_and(|a| a.len() > 128 || a.chars().any(char::is_control)) {
        return Err(Problem::invalid("action", "an action: cr:PullRepository, login"));
    }
    let permit = call.admit::<act::ListAuditEvent>(call.account()?).await?;
    let credential = query.credential.as_deref().map(str::parse::<CredentialId>).transpose();
    let wanted = Query {
        who: who(&call, query.user).await?,
        action: query.action,
        outcome: query.outcome,
        credential: credential.map_err(|_| Problem::invalid("credential", "a credential's id, as `credential list` prints it"))?,
        since: query.since,
        before,
        limit: asked.one_more(),
    };
    let events = call.identity().list_audit_events(permit, &wanted).await?;
    let page = Page::of(events, &asked, |e: &Event| format!("{}-{}", e.time.millis(), e.id));
    let page = Page { items: page.items.iter().map(shapes::audit_event).collect(), next: page.next };
    Ok(page.answer(call.own_path(), call.raw_query()))
}

/// A user by name or id, who may be gone: the trail goes on to name whoever did something.
async fn who(call: &Call, user: Option<String>) -> Result<Option<Who>, Problem> {
    let Some(name) = user else { return Ok(None) };
    let id = call.user(Some(&name)).await?.id.or_else(|| name.parse::<PrincipalId>().ok());
    Ok(Some(Who { id, name }))
}

/// Continue behind this event: its time and its number.
fn cursor(after: &str) -> Result<Option<(Timestamp, i64)>, Problem> {
    if after.is_empty() {
        return Ok(None);
    }
    let read = after.split_once('-').and_then(|(ms, id)| Some((Timestamp::from_millis(ms.parse().ok()?), id.parse().ok()?)));
    read.map(Some).ok_or_else(|| Problem::invalid("after", "what the Link header of the page before said"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_a_page_wrote() {
        assert_eq!(cursor("5-7").unwrap(), Some((Timestamp::from_millis(5), 7)));
        assert_eq!(cursor("").unwrap(), None);
        for bad in ["5", "x-1", "1-x", "-"] {
            assert!(cursor(bad).is_err(), "{bad}");
        }
    }
}
