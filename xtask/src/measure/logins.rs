//! Tokens for generated secrets, and what a flood of wrong passwords does to everybody else.

use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Repeats;
use super::figures::{middle, most_memory, print, processor_seconds};
use super::http::{Connection, Crowd};
use super::tidegate::{Manager, Tidegate};

/// Fresh logins with a right password in each part of a round. Every user logs in once: a second time would be remembered.
const LOGINS: usize = 8;
/// Names that the flood guesses at.
const NAMES: u64 = 1000;
const FLOOD: usize = 64;
/// How long the flood has run before anybody else is measured.
const HEAD_START: Duration = Duration::from_millis(200);

/// What is measured with: a running server, a generated secret, people with passwords who have not logged in yet.
struct Scene<'a> {
    tidegate: &'a Tidegate,
    secret: String,
    fresh: Vec<String>,
    secs: Duration,
}

#[derive(Default)]
struct Seen {
    quiet_grants: Vec<f64>,
    flooded_grants: Vec<f64>,
    quiet_logins: Vec<f64>,
    flooded_logins: Vec<f64>,
    flood: Vec<f64>,
    cost: Vec<f64>,
}

pub(super) fn run(tidegate: &Tidegate, options: &Repeats) -> Result<()> {
    let mut scene = Scene::prepare(tidegate, options)?;
    let (seen, most) = most_memory(tidegate.pid(), || {
        let mut seen = Seen::default();
        for round in 0..options.rounds {
            scene.quiet(&mut seen)?;
            // Another network each time: the one before is locked out for minutes.
            scene.flooded(&mut seen, Ipv4Addr::new(127, 0, round + 1, 1))?;
        }
        Ok(seen)
    })?;
    seen.print();
    print("logins_anonymous_memory", "MiB", &[most]);
    Ok(())
}

impl Scene<'_> {
    fn prepare<'a>(tidegate: &'a Tidegate, options: &Repeats) -> Result<Scene<'a>> {
        let mut manager = Manager::log_in(tidegate)?;
        manager.create_user("robot")?;
        let secret = basic("robot", &manager.create_credential("robot")?);
        let mut fresh = Vec::new();
        for number in 0..2 * LOGINS * usize::from(options.rounds) {
            let (name, password) = (format!("person-{number}"), format!("right-Password-{number}"));
            manager.create_user(&name)?;
            manager.set_password(&name, &password)?;
            fresh.push(basic(&name, &password));
        }
        Ok(Scene { tidegate, secret, fresh, secs: Duration::from_secs(options.secs.into()) })
    }

    fn quiet(&mut self, seen: &mut Seen) -> Result<()> {
        seen.quiet_logins.push(self.logins()?);
        let used = processor_seconds(self.tidegate.pid())?;
        let rate = self.grants()?;
        seen.cost.push((processor_seconds(self.tidegate.pid())? - used) * 1e6 / (rate * self.secs.as_secs_f64()));
        seen.quiet_grants.push(rate);
        Ok(())
    }

    fn flooded(&mut self, seen: &mut Seen, from: Ipv4Addr) -> Result<()> {
        let flood = Crowd { address: self.tidegate.address(), from, threads: FLOOD, each: 1 };
        let host = self.tidegate.address();
        let wrong = move |number: u64| grant(&host.to_string(), &basic(&format!("name-{}", number % NAMES), "wrong-Password-1"));
        let end = Instant::now() + HEAD_START + self.secs + Duration::from_secs(2);
        thread::scope(|scope| {
            let flooding = scope.spawn(move || flood.run(end, 401, wrong));
            thread::sleep(HEAD_START);
            seen.flooded_logins.push(self.logins()?);
            seen.flooded_grants.push(self.grants()?);
            let flooded = flooding.join().map_err(|_| anyhow::anyhow!("the flood ended"))??;
            seen.flood.push(flooded.rate);
            Ok(())
        })
    }

    /// Milliseconds of a login with a right password that nobody has presented before: the middle of a few.
    fn logins(&mut self) -> Result<f64> {
        let address = self.tidegate.address();
        let mut connection = Connection::open(address, Ipv4Addr::LOCALHOST)?;
        let mut took = Vec::new();
        for login in self.fresh.drain(..LOGINS) {
            let begin = Instant::now();
            let answer = connection.call(&grant(&address.to_string(), &login))?;
            took.push(begin.elapsed().as_secs_f64() * 1e3);
            if answer.status != 200 {
                bail!("a right password was answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
            }
        }
        took.sort_by(f64::total_cmp);
        Ok(middle(&took))
    }

    /// Tokens a second for the generated secret, on 16 connections.
    fn grants(&self) -> Result<f64> {
        let address = self.tidegate.address();
        let request = grant(&address.to_string(), &self.secret);
        let crowd = Crowd { address, from: Ipv4Addr::LOCALHOST, threads: 2, each: 8 };
        let load = crowd.run(Instant::now() + self.secs, 200, |_| request.clone())?;
        if load.others > 0 {
            bail!("{} tokens were refused", load.others);
        }
        Ok(load.rate)
    }
}

impl Seen {
    fn print(&self) {
        print("token_grant_c16_rps", "req/s", &self.quiet_grants);
        print("token_grant_processor", "us/req", &self.cost);
        print("flood_rps", "req/s", &self.flood);
        print("token_grant_c16_rps_in_flood", "req/s", &self.flooded_grants);
        print("password_login", "ms", &self.quiet_logins);
        print("password_login_in_flood", "ms", &self.flooded_logins);
        print("token_grant_in_flood_to_quiet", "ratio", &ratios(&self.flooded_grants, &self.quiet_grants));
        print("password_login_in_flood_to_quiet", "ratio", &ratios(&self.flooded_logins, &self.quiet_logins));
    }
}

fn ratios(these: &[f64], to: &[f64]) -> Vec<f64> {
    these.iter().zip(to).map(|(this, to)| this / to).collect()
}

pub(super) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

pub(super) fn grant(host: &str, authorization: &str) -> Vec<u8> {
    let target = format!("/token?service={host}&scope=repository:bench/small:pull");
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n\r\n").into_bytes()
}
