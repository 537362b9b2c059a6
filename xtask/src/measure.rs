//! `cargo xtask measure`: every published figure again, side by side in one run on this machine.
//!
//! Without a further word it takes them all: the four comparisons, the one over TLS, the logins, the full house, the start, the other
//! back ends, and growth.
//!
//! Each comparison starts its servers on loopback ports in temporary folders and prints the load kit's JSON lines
//! (`xtask/loadkit/README.md`). In them `b` is Tidegate, with authentication and audit on, and `a` what it is held against; read
//! the ratios, since client and servers share the cores. To add a comparison: a line in `Against`, or a module with its own client.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};

use crate::command::{output, run};
use crate::peers;
use crate::workspace::Workspace;

mod back_ends;
mod figures;
mod growth;
mod http;
mod logins;
mod population;
mod registries;
mod sink;
mod start;
mod tidegate;

use registries::Registry;
use tidegate::{Program, Tidegate};

const ROUNDS: u8 = 5;
const SECONDS: u32 = 10;

/// How often, and how long.
#[derive(Args)]
struct Repeats {
    #[arg(long, default_value_t = ROUNDS)]
    rounds: u8,
    /// Seconds of one load round.
    #[arg(long, default_value_t = SECONDS)]
    secs: u32,
}

#[derive(Args)]
pub(crate) struct Options {
    /// A Tidegate that is built already; else the release build is made first.
    #[arg(long, global = true)]
    program: Option<PathBuf>,
    /// Small content and short rounds, on a busy machine too: to see that everything works, not to quote.
    #[arg(long)]
    try_out: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Tidegate beside another server, by the load kit.
    Compare(Compare),
    /// Tokens for generated secrets, and both kinds of login during a flood of wrong passwords.
    Logins(Repeats),
    /// Tokens with 10,000 principals, 100,000 credentials and 100 policies.
    Population(population::Options),
    /// From a start to the first answer, and memory at rest, beside the other registries.
    Start(start::Options),
    /// Questions among 10^3 to 10^6 of everything, and what pulls leave in the database.
    Growth(growth::Options),
    /// Over PostgreSQL and object storage, beside SQLite and a folder.
    BackEnds(Repeats),
    /// A plain receiver of PUT requests: the limit that pushes are held against.
    Sink(sink::Options),
}

#[derive(Args)]
struct Compare {
    /// What Tidegate is held against.
    #[arg(long, value_enum, required = true)]
    against: Vec<Against>,
    /// A registry that already runs, in Tidegate's place.
    #[arg(long, value_name = "BASE")]
    base: Option<String>,
    /// The value of the Authorization header for --base.
    #[arg(long, requires = "base", env = "TIDEGATE_MEASURE_AUTH", hide_env_values = true)]
    auth: Option<String>,
    /// Regular expression of the metric groups to run.
    #[arg(long, default_value = "")]
    only: String,
    #[arg(long, default_value_t = ROUNDS)]
    rounds: u8,
    /// Seconds of one load round.
    #[arg(long, default_value_t = SECONDS)]
    secs: u32,
    /// Over TLS; against nginx alone.
    #[arg(long)]
    tls: bool,
    /// Measure on a busy machine too, without waiting for it to come to rest: ratios only, and rough ones.
    #[arg(long)]
    busy: bool,
    /// Small content: to see that everything works, not to quote.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Against {
    /// nginx on the same bytes as static files: the limit for reads.
    Nginx,
    /// The plain sink: the limit for pushes.
    Sink,
    /// CNCF distribution 2.8, Debian's docker-registry, without authentication.
    Distribution2,
    /// CNCF distribution 3, without authentication.
    Distribution3,
}

pub(crate) fn measure(workspace: &Workspace, options: &Options) -> Result<()> {
    let program = || Program::provide(workspace, options.program.as_ref());
    let everything = Everything { try_out: options.try_out };
    match &options.what {
        None => everything.run(workspace, &Program::provide(workspace, options.program.as_ref())?),
        Some(What::Compare(compare)) => compare.run(workspace, program),
        Some(What::Logins(logins)) => logins::run(&Tidegate::start(&program()?, false)?, logins),
        Some(What::Population(population)) => population::run(&Tidegate::start(&program()?, false)?, population),
        Some(What::Start(start)) => start::run(workspace, &program()?, start),
        Some(What::Growth(options)) => growth::measure(workspace, options),
        Some(What::BackEnds(on)) => back_ends::run(workspace, &program()?, on, options.try_out),
        Some(What::Sink(options)) => sink::run(options),
    }
}

/// All that is published.
struct Everything {
    try_out: bool,
}

impl Everything {
    fn run(&self, workspace: &Workspace, program: &Program) -> Result<()> {
        let plain = self.compare(Against::value_variants().to_vec(), false);
        plain.run(workspace, || Ok(program.clone()))?;
        self.compare(vec![Against::Nginx], true).run(workspace, || Ok(program.clone()))?;
        let (rounds, secs) = self.load();
        logins::run(&Tidegate::start(program, false)?, &Repeats { rounds, secs })?;
        let population = if self.try_out { (100, 1000) } else { (10_000, 200_000) };
        let population = population::Options { principals: population.0, grants: population.1 };
        population::run(&Tidegate::start(program, false)?, &population)?;
        start::run(workspace, program, &start::Options { rounds })?;
        back_ends::run(workspace, program, &Repeats { rounds, secs }, self.try_out)?;
        let (most, pulls) = if self.try_out { (1000, 1000) } else { (1_000_000, 100_000) };
        growth::measure(workspace, &growth::Options { back_end: Vec::new(), part: Vec::new(), most, pulls })
    }

    /// Rounds, and the seconds of one.
    const fn load(&self) -> (u8, u32) {
        if self.try_out { (1, 1) } else { (ROUNDS, SECONDS) }
    }

    fn compare(&self, against: Vec<Against>, tls: bool) -> Compare {
        let (rounds, secs) = self.load();
        self.of(against, tls, rounds, secs)
    }

    fn of(&self, against: Vec<Against>, tls: bool, rounds: u8, secs: u32) -> Compare {
        Compare { against, base: None, auth: None, only: String::new(), rounds, secs, tls, busy: self.try_out, quick: self.try_out }
    }
}

impl Compare {
    fn run(&self, workspace: &Workspace, program: impl Fn() -> Result<Program>) -> Result<()> {
        if self.tls && self.against != [Against::Nginx] {
            bail!("over TLS only nginx is compared with");
        }
        peers::debian::provision_measure(workspace)?;
        let kit = LoadKit::new(workspace, self);
        let ours = match &self.base {
            Some(base) => Ours::Given { base: base.clone(), auth: self.auth.clone() },
            None => Ours::Started(Tidegate::start(&program()?, self.tls)?),
        };
        kit.seed(&ours.base(), ours.basic()?.as_deref())?;
        for against in &self.against {
            let other = against.start(workspace, &kit, self.tls)?;
            println!("# a is {against:?}, b is Tidegate");
            for group in kit.groups(against.groups())? {
                match ours.pid() {
                    None => kit.compare(&group, &other.side(), &ours.side()?)?,
                    Some(pid) => {
                        let ((), most) = figures::most_memory(pid, || kit.compare(&group, &other.side(), &ours.side()?))?;
                        figures::print(&format!("{group}_anonymous_memory"), "MiB", &[most]);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Against {
    /// The load kit's metric groups that it can take part in.
    fn groups(self) -> &'static str {
        match self {
            Self::Nginx => "^(ping|manifest|blob_get)",
            Self::Sink => "^push_big_put",
            Self::Distribution2 | Self::Distribution3 => "",
        }
    }

    fn start(self, workspace: &Workspace, kit: &LoadKit, tls: bool) -> Result<Registry> {
        let registry = match self {
            Self::Nginx => return Registry::nginx(tls, |folder| kit.static_tree(folder)),
            Self::Sink => return Registry::sink(),
            Self::Distribution2 => Registry::distribution_2()?,
            Self::Distribution3 => Registry::distribution_3(&peers::go::distribution(workspace)?)?,
        };
        kit.seed(&registry.base(), None)?;
        Ok(registry)
    }
}

/// What is measured: Tidegate, or what stands in its place.
enum Ours {
    Started(Tidegate),
    Given { base: String, auth: Option<String> },
}

impl Ours {
    fn base(&self) -> String {
        match self {
            Self::Started(tidegate) => tidegate.base(),
            Self::Given { base, .. } => base.clone(),
        }
    }

    /// The header that content is seeded with: more repositories than a token has scopes.
    fn basic(&self) -> Result<Option<String>> {
        match self {
            Self::Started(tidegate) => tidegate.basic().map(Some),
            Self::Given { auth, .. } => Ok(auth.clone()),
        }
    }

    /// The header that is measured with; a new token each time, since one ends after minutes.
    fn bearer(&self) -> Result<Option<String>> {
        match self {
            Self::Started(tidegate) => tidegate.bearer().map(Some),
            Self::Given { auth, .. } => Ok(auth.clone()),
        }
    }

    fn pid(&self) -> Option<u32> {
        match self {
            Self::Started(tidegate) => Some(tidegate.pid()),
            Self::Given { .. } => None,
        }
    }

    fn side(&self) -> Result<Side> {
        Ok(Side { base: self.base(), auth: self.bearer()?, pid: self.pid() })
    }
}

/// One of two that are compared.
struct Side {
    base: String,
    /// The value of the Authorization header.
    auth: Option<String>,
    pid: Option<u32>,
}

/// `xtask/loadkit/bench.py` with the options of this run.
struct LoadKit {
    script: PathBuf,
    only: String,
    content: Vec<String>,
    load: Vec<String>,
}

impl LoadKit {
    fn new(workspace: &Workspace, options: &Compare) -> Self {
        let small = ["--tags", "100", "--repos", "50", "--big-mb", "64"];
        Self {
            script: workspace.root.join("xtask/loadkit/bench.py"),
            only: options.only.clone(),
            content: if options.quick { small.map(str::to_owned).to_vec() } else { Vec::new() },
            load: load_options(options),
        }
    }

    /// Every group, so often and so long.
    fn with(workspace: &Workspace, rounds: u8, secs: u32, try_out: bool) -> Self {
        Self::new(workspace, &Everything { try_out }.of(Vec::new(), false, rounds, secs))
    }

    fn call(&self, arguments: &[&str]) -> Command {
        let mut call = Command::new("python3");
        call.arg(&self.script).args(arguments).args(&self.content);
        call
    }

    /// The metric groups that the run asks for and the servers can take part in.
    fn groups(&self, possible: &str) -> Result<Vec<String>> {
        let asked = self.named(&self.only)?;
        Ok(self.named(possible)?.into_iter().filter(|group| asked.contains(group)).collect())
    }

    fn named(&self, pattern: &str) -> Result<Vec<String>> {
        Ok(output(&mut self.call(&["list", "--only", pattern]))?.lines().map(str::to_owned).collect())
    }

    fn seed(&self, base: &str, auth: Option<&str>) -> Result<()> {
        run(self.call(&["seed", base]).envs(auth.map(|auth| ("BENCH_AUTH", auth))))
    }

    fn static_tree(&self, folder: &Path) -> Result<()> {
        run(&mut self.call(&["static", &folder.to_string_lossy()]))
    }

    fn compare(&self, group: &str, a: &Side, b: &Side) -> Result<()> {
        let mut call = self.call(&["compare", &a.base, &b.base]);
        call.arg(format!("--only=^{group}$")).args(&self.load);
        call.envs(a.auth.as_ref().map(|auth| ("BENCH_AUTH", auth))).envs(b.auth.as_ref().map(|auth| ("BENCH_AUTH_B", auth)));
        call.args(a.pid.map(|pid| format!("--pid-a={pid}")));
        call.args(b.pid.map(|pid| format!("--pid-b={pid}")));
        print!("{}", output(&mut call)?);
        Ok(())
    }
}

fn load_options(options: &Compare) -> Vec<String> {
    let mut words = vec!["--secs".to_owned(), options.secs.to_string(), "--rounds".to_owned(), options.rounds.to_string()];
    if !options.busy {
        words.push("--settle".to_owned());
    }
    words
}

/// A certificate for 127.0.0.1 that its own key has signed, and that key.
fn certificate(folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let mut call = Command::new("openssl");
    call.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    call.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
    output(call.arg("-keyout").arg(&key).arg("-out").arg(&certificate))?;
    Ok((certificate, key))
}
