//! The certificate that clients are shown: until when, for which names, with its key and whoever signed it.

use model::{Clock as _, Timestamp};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::time::Time;

use super::Check;
use crate::config::{Config, TlsFiles};
use crate::server::{Tls, certificates};
use crate::system::SystemClock;

const NAME: &str = "certificate";
/// Days before its end from which a certificate is warned of: what renews itself has done so by then.
const SOON: i64 = 21;
const DAY_MS: i64 = 86_400_000;

/// Looks at the files of TLS. `hosts` are the instances' own names.
pub(super) fn examine(config: &Config, hosts: &[String]) -> Vec<Check> {
    let Some(files) = &config.tls else {
        return vec![Check::ok(NAME, "none: this server does not speak TLS itself")];
    };
    if let Err(refusal) = Tls::read(files.clone()) {
        return vec![Check::problem(NAME, refusal.to_string(), "give a certificate and its own key, both as PEM")];
    }
    let external = config.external_url.as_deref().and_then(host_of);
    match read(files) {
        Ok(chain) => look_at(&chain, SystemClock.now(), external, hosts),
        Err(problem) => vec![Check::problem(NAME, problem, "give a certificate as PEM, the server's own first")],
    }
}

fn read(files: &TlsFiles) -> Result<Vec<CertificateDer<'static>>, String> {
    certificates(&files.cert).map_err(|refusal| refusal.to_string())
}

/// The host of a URL, without its port.
fn host_of(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split('/').next()?;
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    }
}

fn look_at(chain: &[CertificateDer<'_>], now: Timestamp, external: Option<&str>, hosts: &[String]) -> Vec<Check> {
    let parsed: Result<Vec<Certificate>, _> = chain.iter().map(|one| Certificate::from_der(one)).collect();
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return vec![Check::problem(NAME, format!("a certificate cannot be read: {error}"), "give a sound one")],
    };
    let mut checks = Vec::new();
    for (place, one) in parsed.iter().enumerate() {
        checks.extend(period(one, place == 0, now));
    }
    checks.extend(order(&parsed));
    if let Some(own) = chain.first() {
        checks.extend(names(own, external, hosts));
    }
    checks
}

/// From when and until when.
fn period(one: &Certificate, own: bool, now: Timestamp) -> Option<Check> {
    let validity = &one.tbs_certificate.validity;
    let (begins, ends) = (moment(validity.not_before), moment(validity.not_after));
    let who = if own { "the certificate".to_owned() } else { format!("the certificate of {}", one.tbs_certificate.subject) };
    let days = ends.millis_since(now) / DAY_MS;
    let advice = "renew it, put it in place and send the server SIGHUP";
    if ends < now {
        return Some(Check::problem(NAME, format!("{who} ended at {ends}"), advice));
    }
    if begins > now {
        return Some(Check::problem(NAME, format!("{who} begins at {begins} only"), "wait, or look at this machine's clock"));
    }
    if days < SOON {
        return Some(Check::warning(NAME, format!("{who} ends in {days} days, at {ends}"), advice));
    }
    own.then(|| Check::ok(NAME, format!("{who} is good until {ends}, in {days} days")))
}

fn moment(time: Time) -> Timestamp {
    Timestamp::from_seconds(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
}

/// Each is signed by the next.
fn order(chain: &[Certificate]) -> Option<Check> {
    for pair in chain.windows(2) {
        let [one, next] = pair else { continue };
        if one.tbs_certificate.issuer != next.tbs_certificate.subject {
            let (subject, issuer) = (&one.tbs_certificate.subject, &one.tbs_certificate.issuer);
            return Some(Check::problem(
                NAME,
                format!("after the certificate of {subject} that of its issuer should follow, {issuer}"),
                "put the server's own certificate first, then each one that signed the one before",
            ));
        }
    }
    let [only] = chain else { return None };
    (only.tbs_certificate.issuer == only.tbs_certificate.subject).then(|| {
        let advice = "give clients its certificate as an authority, or take one from an authority that they know";
        Check::warning(NAME, "it is signed by itself: no client trusts it that was not told to", advice)
    })
}

/// For the names that clients come by.
fn names(own: &CertificateDer<'_>, external: Option<&str>, hosts: &[String]) -> Vec<Check> {
    let Ok(parsed) = ParsedCertificate::try_from(own) else {
        return vec![Check::problem(NAME, "clients cannot read it", "take one with subject alternative names")];
    };
    let is_for = |host: &str| ServerName::try_from(host).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok());
    let mut checks = Vec::new();
    if let Some(host) = external.filter(|host| !is_for(host)) {
        let found = format!("it is not for {host}, which is the host of external_url");
        checks.push(Check::problem(NAME, found, "take one with that name among its subject alternative names"));
    }
    let others: Vec<&str> = hosts.iter().map(String::as_str).filter(|host| !is_for(host)).collect();
    if let Some(first) = others.first() {
        let found = format!("it is not for {first} and {} more host names of instances", others.len() - 1);
        let advice = "take one with all of their names (a wildcard is for one label), unless a proxy speaks TLS for them";
        checks.push(Check::warning(
            NAME,
            if others.len() == 1 { format!("it is not for {first}, an instance's host name") } else { found },
            advice,
        ));
    }
    checks
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

    use super::*;
    use crate::doctor::Status;

    /// 2026-06-15.
    const NOW: Timestamp = Timestamp::from_millis(1_781_481_600_000);

    fn params(names: &[&str], until: (i32, u8, u8)) -> CertificateParams {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        params
    }

    fn own(names: &[&str], until: (i32, u8, u8)) -> CertificateDer<'static> {
        params(names, until).self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    fn said(chain: &[CertificateDer<'_>], external: Option<&str>, hosts: &[&str]) -> Vec<(Status, String)> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        look_at(chain, NOW, external, &hosts).into_iter().map(|check| (check.status, check.found)).collect()
    }

    #[track_caller]
    fn says(checks: &[(Status, String)], status: Status, words: &str) {
        assert!(checks.iter().any(|(is, found)| *is == status && found.contains(words)), "{status:?} {words}: {checks:?}");
    }

    #[test]
    fn its_end_is_said_before_it_comes() {
        says(&said(&[own(&["a.example"], (2026, 12, 31))], None, &[]), Status::Ok, "is good until 2026-12-31");
        says(&said(&[own(&["a.example"], (2026, 7, 1))], None, &[]), Status::Warning, "ends in 16 days");
        says(&said(&[own(&["a.example"], (2026, 6, 1))], None, &[]), Status::Problem, "ended at 2026-06-01");
        let mut later = params(&["a.example"], (2027, 1, 1));
        later.not_before = date_time_ymd(2026, 7, 1);
        let later = later.self_signed(&KeyPair::generate().unwrap()).unwrap();
        says(&said(&[later.der().clone()], None, &[]), Status::Problem, "begins at");
    }

    #[test]
    fn it_is_for_the_names_that_clients_come_by() {
        let chain = [own(&["registry.example", "*.team.example"], (2026, 12, 31))];
        let right = said(&chain, Some("registry.example"), &["a.team.example"]);
        assert!(!right.iter().any(|(_, found)| found.contains("not for")), "{right:?}");
        says(&said(&chain, Some("other.example"), &[]), Status::Problem, "not for other.example");
        says(&said(&chain, None, &["a.b.team.example"]), Status::Warning, "not for a.b.team.example");
    }

    #[test]
    fn whoever_signed_it_follows() {
        let mut authority = params(&[], (2030, 1, 1));
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "an authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let signed = params(&["a.example"], (2026, 12, 31)).signed_by(&KeyPair::generate().unwrap(), &authority).unwrap();
        let right = said(&[signed.der().clone(), authority.der().clone()], None, &[]);
        assert!(right.iter().all(|(status, _)| *status == Status::Ok), "{right:?}");
        let stranger = own(&["b.example"], (2030, 1, 1));
        let chain = [signed.der().clone(), own(&["c.example"], (2030, 1, 1))];
        says(&said(&chain, None, &[]), Status::Problem, "should follow");
        says(&said(&[stranger], None, &[]), Status::Warning, "signed by itself");
    }

    #[test]
    fn the_host_of_a_url() {
        for (url, host) in [("https://a.example:5000", "a.example"), ("https://[::1]:5000/x", "::1"), ("https://10.0.0.1", "10.0.0.1")] {
            assert_eq!(host_of(url), Some(host));
        }
    }
}
