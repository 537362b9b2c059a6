//! The audit trail: what happened, newest first; and the chain that holds it, for whoever exports or verifies it.

use http::StatusCode;
use ipnet::IpNet;
use kit::{Answer, empty, json};
use model::{CredentialId, PrincipalId, Timestamp, act};
use trail::{Filter, Position, Who};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};

pub(super) async fn list_audit_events(call: Call) -> Result<Answer, Problem> {
    let query: api::AuditQuery = call.query()?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let filter = filter(&query, cursor(&asked.after)?.map(|(ms, id)| (Timestamp::from_millis(ms), id)))?;
    let permit = call.admit::<act::ListAuditEvent>(call.account()?).await?;
    let filter = Filter { who: who(&call, query.user).await?, ..filter };
    let listed = call.trail().list(permit, &filter, asked.limit).await?;
    let next = listed.next.map(|(time, id)| format!("{}-{id}", time.millis()));
    Ok(Page { items: listed.events, next }.answer(call.own_path(), call.raw_query()))
}

pub(super) async fn list_audit_records(call: Call) -> Result<Answer, Problem> {
    let query: api::AuditRecordQuery = call.query()?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let after = cursor(&asked.after)?.map_or(Position::START, |(day, seq)| Position { day, seq });
    let since = query.since.unwrap_or(Timestamp::from_millis(i64::MIN));
    let until = query.until.unwrap_or(Timestamp::from_millis(i64::MAX));
    let permit = call.admit::<act::ExportAuditEvent>(call.account()?).await?;
    let records = call.trail().records(permit, after, (since, until), asked.one_more()).await?;
    Ok(call.page(records, &asked, |(at, _)| format!("{}-{}", at.day, at.seq), |(_, record)| record))
}

pub(super) async fn show_audit_trail(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::ListAuditEvent>(call.account()?).await?;
    Ok(json(StatusCode::OK, &call.trail().show(permit).await?))
}

pub(super) async fn rotate_audit_key(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::RotateAuditKey>(call.account()?).await?;
    let keys = call.trail().rotate_key(permit, call.identity().access().audit()).await?;
    Ok(json(StatusCode::OK, &keys))
}

pub(super) async fn show_audit_retention(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::GetAuditRetention>(call.account()?).await?;
    Ok(json(StatusCode::OK, &call.trail().retention(permit).await?))
}

pub(super) async fn set_audit_retention(call: Call) -> Result<Answer, Problem> {
    let wanted: api::SetAuditRetention = call.json()?;
    let permit = call.admit::<act::SetAuditRetention>(call.account()?).await?;
    let kept = call.trail().set_retention(permit, Some(wanted.days), call.identity().access().audit()).await?;
    Ok(json(StatusCode::OK, &kept))
}

pub(super) async fn clear_audit_retention(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::SetAuditRetention>(call.account()?).await?;
    call.trail().set_retention(permit, None, call.identity().access().audit()).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// All of the filter but for whom: names are looked up when it is clear that the caller may ask.
fn filter(query: &api::AuditQuery, before: Option<(Timestamp, i64)>) -> Result<Filter, Problem> {
    if query.outcome.as_deref().is_some_and(|o| !["success", "denied", "failed"].contains(&o)) {
        return Err(Problem::invalid("outcome", "success, denied or failed"));
    }
    let credential = query.credential.as_deref().map(str::parse::<CredentialId>).transpose();
    Ok(Filter {
        who: None,
        action: pattern("action", query.action.clone(), "an action: cr:PullRepository, login, cr:*")?,
        outcome: query.outcome.clone(),
        credential: credential.map_err(|_| Problem::invalid("credential", "a credential's id, as `credential list` prints it"))?,
        resource: pattern("resource", query.resource.clone(), "a resource: repository/local/demo/app, repository/local/*")?,
        address: query.address.as_deref().map(address).transpose()?,
        since: query.since,
        until: query.until,
        before,
    })
}

fn pattern(field: &str, text: Option<String>, wanted: &str) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if text.is_empty() || text.len() > 512 || text.chars().any(char::is_control) => Err(Problem::invalid(field, wanted)),
        text => Ok(text),
    }
}

fn address(text: &str) -> Result<IpNet, Problem> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
    network.ok_or_else(|| Problem::invalid("address", "an address or a network: 192.0.2.1, 2001:db8::/32"))
}

/// A principal by name or id, who may be gone: the trail goes on to name whoever did something.
async fn who(call: &Call, user: Option<String>) -> Result<Option<Who>, Problem> {
    let Some(name) = user else { return Ok(None) };
    let id = call.user(Some(&name)).await?.id.or_else(|| name.parse::<PrincipalId>().ok());
    Ok(Some(Who { id, name }))
}

/// Continue behind this: two numbers.
fn cursor(after: &str) -> Result<Option<(i64, i64)>, Problem> {
    if after.is_empty() {
        return Ok(None);
    }
    let (negative, digits) = after.strip_prefix('-').map_or((false, after), |rest| (true, rest));
    let read = digits.split_once('-').and_then(|(first, second)| {
        let first: i64 = first.parse().ok()?;
        Some((if negative { -first } else { first }, second.parse().ok()?))
    });
    read.map(Some).ok_or_else(|| Problem::invalid("after", "what the Link header of the page before said"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_a_page_wrote() {
        assert_eq!(cursor("5-7").unwrap(), Some((5, 7)));
        assert_eq!(cursor("-5-7").unwrap(), Some((-5, 7)));
        assert_eq!(cursor("").unwrap(), None);
        for bad in ["5", "x-1", "1-x", "-", "--5-7"] {
            assert!(cursor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_read_with_and_without_a_prefix() {
        assert_eq!(address("192.0.2.1").unwrap().to_string(), "192.0.2.1/32");
        assert_eq!(address("2001:db8::/32").unwrap().to_string(), "2001:db8::/32");
        for bad in ["", "192.0.2", "192.0.2.1/33", "host"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
