//! A random sequence of use cases in two accounts keeps what each sees to what a simple model says.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::{Client, House, house};

/// Two accounts that use the same names on purpose.
const ALIASES: [&str; 2] = ["left", "right"];
const REPOSITORIES: [&str; 2] = ["demo/app", "prod/app"];
const USERS: [&str; 3] = ["alice", "bob", "carol"];
const GROUPS: [&str; 2] = ["readers", "others"];
/// `p0` reads demo, `p1` reads everything, `p2` keeps everybody out of prod.
const POLICIES: [&str; 3] = ["p0", "p1", "p2"];

type Account = usize;

/// Who holds policies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Holder {
    User(usize),
    Group(usize),
    Robot,
}

#[derive(Clone, Debug)]
enum Step {
    CreateUser(Account, usize),
    DeleteUser(Account, usize),
    EnableUser(Account, usize, bool),
    CreateGroup(Account, usize),
    DeleteGroup(Account, usize),
    Join(Account, usize, usize),
    Leave(Account, usize, usize),
    CreateRobot(Account),
    DeleteRobot(Account),
    EnableRobot(Account, bool),
    Attach(Account, Holder, usize),
    Detach(Account, Holder, usize),
    CreateCredential(Account, usize),
    EnableCredential(usize, bool),
    DeleteCredential(usize),
    KeepToken(usize),
    Push(Account, usize),
    Suspend(Account, bool),
}

fn step() -> impl Strategy<Value = Step> {
    use Step as S;
    let (account, user, group, policy) = (0..2usize, 0..USERS.len(), 0..GROUPS.len(), 0..POLICIES.len());
    let holder = prop_oneof![(0..USERS.len()).prop_map(Holder::User), (0..GROUPS.len()).prop_map(Holder::Group), Just(Holder::Robot)];
    let at = (account.clone(), user.clone(), group, any::<bool>());
    prop_oneof![
        4 => (account.clone(), user.clone()).prop_map(|(a, u)| S::CreateUser(a, u)),
        1 => (account.clone(), user.clone()).prop_map(|(a, u)| S::DeleteUser(a, u)),
        2 => at.clone().prop_map(|(a, u, _, on)| S::EnableUser(a, u, on)),
        2 => at.clone().prop_map(|(a, _, g, _)| S::CreateGroup(a, g)),
        1 => at.clone().prop_map(|(a, _, g, _)| S::DeleteGroup(a, g)),
        4 => at.clone().prop_map(|(a, u, g, _)| S::Join(a, u, g)),
        1 => at.clone().prop_map(|(a, u, g, _)| S::Leave(a, u, g)),
        2 => account.clone().prop_map(S::CreateRobot),
        1 => account.clone().prop_map(S::DeleteRobot),
        1 => at.prop_map(|(a, _, _, on)| S::EnableRobot(a, on)),
        6 => (account.clone(), holder.clone(), policy.clone()).prop_map(|(a, h, p)| S::Attach(a, h, p)),
        2 => (account.clone(), holder, policy).prop_map(|(a, h, p)| S::Detach(a, h, p)),
        4 => (account.clone(), user).prop_map(|(a, u)| S::CreateCredential(a, u)),
        2 => (0..8usize, any::<bool>()).prop_map(|(c, on)| S::EnableCredential(c, on)),
        1 => (0..8usize).prop_map(S::DeleteCredential),
        3 => (0..8usize).prop_map(S::KeepToken),
        3 => (account.clone(), 0..2usize).prop_map(|(a, r)| S::Push(a, r)),
        1 => (account, any::<bool>()).prop_map(|(a, on)| S::Suspend(a, on)),
    ]
}

/// Somebody of the model. Whoever is deleted never comes back: a new one of the same name is somebody else.
#[derive(Clone, Debug)]
struct Person {
    number: usize,
    enabled: bool,
    policies: BTreeSet<usize>,
}

#[derive(Default, Debug)]
struct Tenant {
    users: BTreeMap<usize, Person>,
    groups: BTreeMap<usize, BTreeSet<usize>>,
    members: BTreeSet<(usize, usize)>,
    robot: Option<Person>,
    pushed: BTreeSet<usize>,
    suspended: bool,
}

impl Tenant {
    fn person(&self, holder: Holder) -> Option<&Person> {
        match holder {
            Holder::User(user) => self.users.get(&user),
            Holder::Robot => self.robot.as_ref(),
            Holder::Group(_) => None,
        }
    }

    fn policies(&mut self, holder: Holder) -> Option<&mut BTreeSet<usize>> {
        match holder {
            Holder::User(user) => self.users.get_mut(&user).map(|person| &mut person.policies),
            Holder::Group(group) => self.groups.get_mut(&group),
            Holder::Robot => self.robot.as_mut().map(|person| &mut person.policies),
        }
    }

    fn may_pull(&self, holder: Holder, repository: usize) -> bool {
        let Some(person) = self.person(holder) else { return false };
        let mut held = person.policies.clone();
        if let Holder::User(user) = holder {
            held.extend(self.members.iter().filter(|(member, _)| *member == user).flat_map(|(_, group)| &self.groups[group]));
        }
        let denied = held.contains(&2) && repository == 1;
        !denied && (held.contains(&1) || (held.contains(&0) && repository == 0))
    }
}

/// A credential that was ever made, and what was kept of it.
struct Credential<'h> {
    account: Account,
    owner: Holder,
    number: usize,
    id: String,
    enabled: bool,
    gone: bool,
    basic: Client<'h>,
    bearer: Option<(Client<'h>, BTreeSet<usize>)>,
}

/// The model and the house that it is held against.
struct World<'h> {
    house: &'h House,
    roots: Vec<Client<'h>>,
    pushers: Vec<Client<'h>>,
    tenants: [Tenant; 2],
    credentials: Vec<Credential<'h>>,
    people: usize,
}

impl<'h> World<'h> {
    async fn new(house: &'h House) -> Self {
        let (mut roots, mut pushers) = (Vec::new(), Vec::new());
        for alias in ALIASES {
            let account = house.account(alias);
            let root = account.root_manager().await;
            for (name, effect, repositories) in [("p0", "Allow", "demo/*"), ("p1", "Allow", "*"), ("p2", "Deny", "prod/*")] {
                let statement =
                    json!({"Effect": effect, "Action": "cr:PullRepository", "Resource": format!("acs:cr:*:*:repository/*/{repositories}")});
                let document = json!({"Version": "1", "Statement": [statement]}).to_string();
                root.post("/api/v1/policies", &json!({"name": name, "document": document})).await.expect(201);
            }
            let own = root.post("/api/v1/credentials", &json!({"description": "root's own"})).await.expect(201);
            pushers.push(account.login("root", &own.text("secret")));
            roots.push(root);
        }
        Self { house, roots, pushers, tenants: Default::default(), credentials: Vec::new(), people: 0 }
    }

    fn is_alive(&self, credential: &Credential<'_>) -> bool {
        let tenant = &self.tenants[credential.account];
        let owner = tenant.person(credential.owner).filter(|person| person.number == credential.number);
        !tenant.suspended && !credential.gone && credential.enabled && owner.is_some_and(|person| person.enabled)
    }

    fn new_person(&mut self) -> Person {
        self.people += 1;
        Person { number: self.people, enabled: true, policies: BTreeSet::new() }
    }

    /// Sends what an account's root user does, and holds the answer to whether the model lets it happen.
    async fn does(&self, account: Account, method: Method, path: &str, body: Value, happens: bool) -> Option<Value> {
        let kind = [("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers: &[(&str, &str)] = if body.is_empty() { &[] } else { &kind };
        let reply = self.roots[account].send(method.clone(), &format!("/api/v1{path}"), headers, body).await;
        let status = reply.status.as_u16();
        let happens = happens && !self.tenants[account].suspended;
        assert_eq!(reply.status.is_success(), happens, "{method} {path}: {status} {}", String::from_utf8_lossy(&reply.body));
        assert!(!self.tenants[account].suspended || status == 401, "{method} {path}: {status}");
        (happens && !reply.body.is_empty()).then(|| reply.json())
    }

    async fn apply(&mut self, step: &Step) {
        match *step {
            Step::CreateUser(a, _) | Step::DeleteUser(a, _) | Step::EnableUser(a, ..) => self.user(a, step).await,
            Step::CreateGroup(a, _) | Step::DeleteGroup(a, _) | Step::Join(a, ..) | Step::Leave(a, ..) => self.group(a, step).await,
            Step::CreateRobot(a) | Step::DeleteRobot(a) | Step::EnableRobot(a, _) => self.robot(a, step).await,
            Step::Attach(a, holder, policy) => self.attach(a, holder, policy, true).await,
            Step::Detach(a, holder, policy) => self.attach(a, holder, policy, false).await,
            Step::CreateCredential(a, user) => self.create_credential(a, user).await,
            Step::EnableCredential(which, _) | Step::DeleteCredential(which) => self.change_credential(which, step).await,
            Step::KeepToken(which) => self.keep_token(which).await,
            Step::Push(a, repository) => self.push(a, repository).await,
            Step::Suspend(a, suspended) => {
                self.house.suspend(&self.house.account(ALIASES[a]), suspended).await;
                self.tenants[a].suspended = suspended;
            }
        }
    }

    async fn user(&mut self, a: Account, step: &Step) {
        let there = |user: &usize| self.tenants[a].users.contains_key(user);
        match step {
            Step::CreateUser(_, user) => {
                if self.does(a, Method::POST, "/users", json!({"name": USERS[*user]}), !there(user)).await.is_some() {
                    let person = self.new_person();
                    self.tenants[a].users.insert(*user, person);
                }
            }
            Step::DeleteUser(_, user) => {
                self.does(a, Method::DELETE, &format!("/users/{}", USERS[*user]), Value::Null, there(user)).await;
                if !self.tenants[a].suspended {
                    self.tenants[a].users.remove(user);
                    self.tenants[a].members.retain(|(member, _)| member != user);
                }
            }
            Step::EnableUser(_, user, on) => {
                let path = format!("/users/{}", USERS[*user]);
                if self.does(a, Method::PATCH, &path, json!({"enabled": on}), there(user)).await.is_some() {
                    self.tenants[a].users.get_mut(user).unwrap().enabled = *on;
                }
            }
            _ => unreachable!(),
        }
    }

    async fn group(&mut self, a: Account, step: &Step) {
        let there = |group: &usize| self.tenants[a].groups.contains_key(group);
        match step {
            Step::CreateGroup(_, group) => {
                if self.does(a, Method::POST, "/groups", json!({"name": GROUPS[*group]}), !there(group)).await.is_some() {
                    self.tenants[a].groups.insert(*group, BTreeSet::new());
                }
            }
            Step::DeleteGroup(_, group) => {
                self.does(a, Method::DELETE, &format!("/groups/{}", GROUPS[*group]), Value::Null, there(group)).await;
                if !self.tenants[a].suspended {
                    self.tenants[a].groups.remove(group);
                    self.tenants[a].members.retain(|(_, of)| of != group);
                }
            }
            Step::Join(_, user, group) | Step::Leave(_, user, group) => {
                let joins = matches!(step, Step::Join(..));
                let path = format!("/groups/{}/users/{}", GROUPS[*group], USERS[*user]);
                let member = self.tenants[a].members.contains(&(*user, *group));
                let both = there(group) && self.tenants[a].users.contains_key(user);
                let method = if joins { Method::PUT } else { Method::DELETE };
                self.does(a, method, &path, Value::Null, both && (joins || member)).await;
                let tenant = &mut self.tenants[a];
                if both && !tenant.suspended {
                    if joins {
                        tenant.members.insert((*user, *group))
                    } else {
                        tenant.members.remove(&(*user, *group))
                    };
                }
            }
            _ => unreachable!(),
        }
    }

    async fn robot(&mut self, a: Account, step: &Step) {
        let there = self.tenants[a].robot.is_some();
        match step {
            Step::CreateRobot(_) => {
                let Some(made) = self.does(a, Method::POST, "/service-accounts", json!({"name": "robot"}), !there).await else { return };
                let person = self.new_person();
                let text = |key: &str| made[key].as_str().unwrap().to_owned();
                let basic = self.house.account(ALIASES[a]).login("robot", &text("secret"));
                let (id, number) = (text("credential_id"), person.number);
                self.credentials.push(Credential {
                    account: a,
                    owner: Holder::Robot,
                    number,
                    id,
                    enabled: true,
                    gone: false,
                    basic,
                    bearer: None,
                });
                self.tenants[a].robot = Some(person);
            }
            Step::DeleteRobot(_) => {
                self.does(a, Method::DELETE, "/service-accounts/robot", Value::Null, there).await;
                if !self.tenants[a].suspended {
                    self.tenants[a].robot = None;
                }
            }
            Step::EnableRobot(_, on) => {
                if self.does(a, Method::PATCH, "/service-accounts/robot", json!({"enabled": on}), there).await.is_some() {
                    self.tenants[a].robot.as_mut().unwrap().enabled = *on;
                }
            }
            _ => unreachable!(),
        }
    }

    async fn attach(&mut self, a: Account, holder: Holder, policy: usize, on: bool) {
        let noun = match holder {
            Holder::User(user) => format!("users/{}", USERS[user]),
            Holder::Group(group) => format!("groups/{}", GROUPS[group]),
            Holder::Robot => "service-accounts/robot".to_owned(),
        };
        let held = self.tenants[a].policies(holder).map(|held| held.contains(&policy));
        let method = if on { Method::PUT } else { Method::DELETE };
        let happens = held.is_some_and(|held| on || held);
        self.does(a, method, &format!("/{noun}/policies/{}", POLICIES[policy]), Value::Null, happens).await;
        if self.tenants[a].suspended {
            return;
        }
        if let Some(held) = self.tenants[a].policies(holder) {
            if on {
                held.insert(policy)
            } else {
                held.remove(&policy)
            };
        }
    }

    async fn create_credential(&mut self, a: Account, user: usize) {
        let number = self.tenants[a].users.get(&user).map(|person| person.number);
        let body = json!({"user": USERS[user], "description": "x"});
        let Some(made) = self.does(a, Method::POST, "/credentials", body, number.is_some()).await else { return };
        let basic = self.house.account(ALIASES[a]).login(USERS[user], made["secret"].as_str().unwrap());
        let id = made["credential_id"].as_str().unwrap().to_owned();
        let (owner, number) = (Holder::User(user), number.unwrap());
        self.credentials.push(Credential { account: a, owner, number, id, enabled: true, gone: false, basic, bearer: None });
    }

    async fn change_credential(&mut self, which: usize, step: &Step) {
        let Some(credential) = self.credentials.get(which) else { return };
        let a = credential.account;
        let owner = self.tenants[a].person(credential.owner).is_some_and(|person| person.number == credential.number);
        let there = owner && !credential.gone;
        let path = match credential.owner {
            Holder::Robot => format!("/service-accounts/robot/secrets/{}", credential.id),
            _ => format!("/credentials/{}", credential.id),
        };
        // By the other account's root user it is not there.
        self.does(1 - a, Method::PATCH, &path, json!({"enabled": true}), false).await;
        self.does(1 - a, Method::DELETE, &path, Value::Null, false).await;
        if let Step::EnableCredential(_, on) = step {
            if self.does(a, Method::PATCH, &path, json!({"enabled": on}), there).await.is_some() {
                self.credentials[which].enabled = *on;
            }
            return;
        }
        self.does(a, Method::DELETE, &path, Value::Null, there).await;
        self.credentials[which].gone |= there && !self.tenants[a].suspended;
    }

    async fn keep_token(&mut self, which: usize) {
        let Some(credential) = self.credentials.get(which).filter(|credential| self.is_alive(credential)) else { return };
        let bearer = credential.basic.token("repository:demo/app:pull repository:prod/app:pull").await;
        let tenant = &self.tenants[credential.account];
        let granted = (0..2).filter(|repository| tenant.may_pull(credential.owner, *repository)).collect();
        self.credentials[which].bearer = Some((bearer, granted));
    }

    async fn push(&mut self, a: Account, repository: usize) {
        if self.tenants[a].suspended {
            self.pushers[a].get("/v2/").await.expect(401);
            return;
        }
        self.pushers[a].push_image(REPOSITORIES[repository], &format!("v-{}", ALIASES[a])).await;
        self.tenants[a].pushed.insert(repository);
    }

    /// What everybody sees is what the model says.
    async fn check(&self) {
        for credential in &self.credentials {
            self.check_credential(credential).await;
        }
        for a in 0..2 {
            self.check_lists(a).await;
        }
    }

    async fn check_credential(&self, credential: &Credential<'_>) {
        let (alive, tenant) = (self.is_alive(credential), &self.tenants[credential.account]);
        let elsewhere = self.house.account(ALIASES[1 - credential.account]);
        for (r, repository) in REPOSITORIES.iter().enumerate() {
            let there = if tenant.pushed.contains(&r) { 200 } else { 404 };
            let may = tenant.may_pull(credential.owner, r);
            let target = format!("/v2/{repository}/manifests/v-{}", ALIASES[credential.account]);
            let basic = if !alive {
                401
            } else if may {
                there
            } else {
                403
            };
            credential.basic.get(&target).await.expect(basic);
            credential.basic.clone().at(elsewhere.host()).get(&target).await.expect(401);
            if let Some((bearer, granted)) = &credential.bearer {
                let carried = alive && may && granted.contains(&r);
                bearer.get(&target).await.expect(if carried { there } else { 401 });
                bearer.clone().at(elsewhere.host()).get(&target).await.expect(401);
            }
        }
    }

    async fn check_lists(&self, a: Account) {
        let (tenant, root) = (&self.tenants[a], &self.roots[a]);
        let namespaces: BTreeSet<&str> = tenant.pushed.iter().map(|r| REPOSITORIES[*r].split('/').next().unwrap()).collect();
        let users: BTreeSet<&str> = tenant.users.keys().map(|user| USERS[*user]).chain(["root"]).collect();
        let expected = [
            ("users", users),
            ("groups", tenant.groups.keys().map(|group| GROUPS[*group]).collect()),
            ("service-accounts", tenant.robot.iter().map(|_| "robot").collect()),
            ("instances/-/namespaces", namespaces),
        ];
        for (list, mut expected) in expected {
            let reply = root.get(&format!("/api/v1/{list}")).await.expect(if tenant.suspended { 401 } else { 200 });
            if tenant.suspended {
                continue;
            }
            let listed = reply.json();
            let mut names: BTreeSet<&str> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
            // Lists may or may not count the root user among the users.
            names.remove("root");
            expected.remove("root");
            assert_eq!(names, expected, "{list} of {}", ALIASES[a]);
        }
    }
}

async fn run(steps: &[Step]) {
    let house = house().await.with_account(ALIASES[0]).await.with_account(ALIASES[1]).await;
    let mut world = World::new(&house).await;
    for step in steps {
        world.apply(step).await;
        world.check().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn what_each_account_sees_is_what_the_model_says(steps in proptest::collection::vec(step(), 10..45)) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(run(&steps));
    }
}
