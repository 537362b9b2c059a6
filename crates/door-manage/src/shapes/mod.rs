//! From values of the use cases to shapes of `api`.

mod content;

use api::{
    AccessKey, Account, AdminPassword, AdminUser, AttachedPolicy, Credential, Decision, DefaultAction, Endpoint, EndpointEntry,
    EndpointKind, Explanation, Group, Integration, IntegrationKind, Labelled, Node, PermittedPrincipal, Policy, PolicyDocument,
    PolicyVersion, RenewedAdminPassword, ResourcePolicy, Role, RotatedAccessKey, RotatedCredential, Secret, SecretOwner, ServiceAccount,
    SigningKey, User, Whoami,
};
use identity::{IntegrationUse, MayDo, PolicyDetails};
use model::{InstanceId, Known, NamespaceId, PolicyId, PrincipalId, ProviderId};
use store::network::{Endpoints, Entry, Private, Public};

pub(crate) use content::{
    digest_holder, image_protection, image_reference, instance, instance_usage, locks, namespace, namespace_quota, pattern, repository,
    retention_rule, retention_run, tag, tag_rule,
};

pub(crate) fn public_endpoint(id: InstanceId, endpoints: &Endpoints) -> Endpoint {
    let Public { enabled, lets_everybody_in } = endpoints.public;
    Endpoint {
        endpoint: "public".to_owned(),
        kind: EndpointKind::Public,
        instance_id: id.to_string(),
        enabled,
        default_action: Some(if lets_everybody_in { DefaultAction::Allow } else { DefaultAction::Deny }),
        entries: Some(endpoints.entries.iter().map(endpoint_entry).collect()),
        configured: None,
        created_at: None,
        created_by: None,
    }
}

pub(crate) fn private_endpoint(id: InstanceId, private: &Private, configured: bool) -> Endpoint {
    Endpoint {
        endpoint: private.network.to_string(),
        kind: EndpointKind::Private,
        instance_id: id.to_string(),
        enabled: true,
        default_action: None,
        entries: None,
        configured: Some(configured),
        created_at: Some(private.created),
        created_by: Some(private.created_by.clone()),
    }
}

pub(crate) fn endpoint_entry(entry: &Entry) -> EndpointEntry {
    EndpointEntry {
        cidr: entry.cidr.clone(),
        comment: entry.comment.clone(),
        created_at: entry.created,
        created_by: entry.created_by.clone(),
    }
}

pub(crate) fn admin_user(admin: &identity::AdminUser) -> AdminUser {
    let password = |(which, credential): &(identity::AdminPassword, store::credential::Credential)| AdminPassword {
        number: which.number(),
        credential_id: credential.id.to_string(),
        created_at: credential.created,
        created_by: credential.created_by_name.clone(),
        last_used_at: credential.last_used,
        last_used_from: credential.last_used_from.clone(),
    };
    AdminUser {
        instance_id: admin.instance.to_string(),
        enabled: admin.enabled,
        username: admin.name.to_string(),
        passwords: admin.passwords.iter().map(password).collect(),
    }
}

pub(crate) fn renewed_admin_password(renewed: &identity::RenewedAdminPassword, which: identity::AdminPassword) -> RenewedAdminPassword {
    RenewedAdminPassword {
        enabled: renewed.user.enabled,
        username: renewed.user.name.to_string(),
        number: which.number(),
        password: api::Secret::new(renewed.password.reveal()),
    }
}

pub(crate) fn whoami(known: &Known) -> Whoami {
    Whoami {
        account_id: known.account.to_string(),
        user_id: known.principal.to_string(),
        name: known.name.to_string(),
        kind: known.kind.as_str().to_owned(),
        credential_id: known.credential.id.to_string(),
        credential_kind: known.credential.kind.as_str().to_owned(),
        instance_id: known.instance.map(|id| id.to_string()),
        expires_at: known.ends,
    }
}

pub(crate) fn account(account: &store::account::Account) -> Account {
    Account {
        account_id: account.id.to_string(),
        uuid: account.uuid.clone(),
        alias: account.alias.clone(),
        enabled: account.enabled,
        created_at: account.created,
    }
}

pub(crate) fn user(user: &identity::User) -> User {
    User {
        user_id: user.id.to_string(),
        uuid: user.uuid.clone(),
        name: user.name.to_string(),
        account_id: user.account.to_string(),
        enabled: user.enabled,
        display_name: user.profile.display_name.clone(),
        description: user.description.clone(),
        email: user.profile.email.clone(),
        phone: user.profile.phone.clone(),
        created_at: user.created,
        updated_at: user.updated,
        last_login_at: None,
    }
}

pub(crate) fn policy_holder((holder, attached_at): &(store::account::Principal, model::Timestamp)) -> api::PolicyHolder {
    api::PolicyHolder {
        principal: format!("{}/{}", holder.kind.noun(), holder.name),
        principal_id: holder.id.to_string(),
        attached_at: *attached_at,
    }
}

pub(crate) fn group(group: &store::account::Principal) -> Group {
    Group {
        group_id: group.id.to_string(),
        name: group.name.to_string(),
        description: group.description.clone(),
        created_at: group.created,
        updated_at: group.updated,
    }
}

pub(crate) fn service_account(account: &store::account::Principal) -> ServiceAccount {
    ServiceAccount {
        client_id: account.uuid.clone(),
        user_id: account.id.to_string(),
        name: account.name.to_string(),
        account_id: account.account.to_string(),
        description: account.description.clone(),
        enabled: account.enabled,
        created_at: account.created,
        expires_at: account.expires,
    }
}

pub(crate) fn role(role: identity::Role) -> Role {
    Role {
        role_id: role.principal.id.to_string(),
        uuid: role.principal.uuid,
        name: role.principal.name.to_string(),
        description: role.principal.description,
        trust_policy: role.trust,
        max_session: role.max_session,
        enabled: role.principal.enabled,
        created_at: role.principal.created,
    }
}

pub(crate) fn labelled(l: store::label::Labelled) -> Labelled {
    let id = match &*l.kind {
        "instance" => InstanceId::from_i64(l.id).to_string(),
        "namespace" => NamespaceId::from_i64(l.id).to_string(),
        "policy" => PolicyId::from_i64(l.id).to_string(),
        "oidc_provider" => ProviderId::from_i64(l.id).to_string(),
        _ => PrincipalId::from_i64(l.id).to_string(),
    };
    Labelled { kind: l.kind, id, name: l.name, instance: l.instance, key: l.key, value: l.value }
}

/// `user` is the owner's name, `integration` the name of what it was made for.
pub(crate) fn credential(c: store::credential::Credential, user: &str, integration: Option<String>) -> Credential {
    Credential {
        user: user.to_owned(),
        integration,
        replaced_by: c.replaced_by.map(|id| id.to_string()),
        credential_id: c.id.to_string(),
        kind: c.kind.as_str().to_owned(),
        description: c.description,
        user_id: c.principal.to_string(),
        enabled: c.enabled,
        instance_id: c.instance.map(|id| id.to_string()),
        access_key_id: c.access_key_id,
        created_at: c.created,
        created_by: c.created_by_name,
        expires_at: c.expires,
        last_used_at: c.last_used,
        last_used_from: c.last_used_from,
    }
}

pub(crate) fn provider(p: store::provider::Provider) -> api::Provider {
    api::Provider {
        provider_id: p.id.to_string(),
        arn: format!("acs:ram::{}:oidc-provider/{}", p.account, p.name),
        name: p.name,
        issuer: p.issuer,
        client_ids: serde_json::from_str(&p.client_ids).unwrap_or_default(),
        jwks: p.jwks,
        ca: p.ca,
        allow_internal: p.allow_internal,
        description: p.description,
        enabled: p.enabled,
        created_at: p.created,
        created_by: p.created_by_name,
    }
}

pub(crate) fn federated(f: identity::FederatedCredential) -> api::FederatedCredential {
    api::FederatedCredential {
        credential_id: f.credential.id.to_string(),
        name: f.name,
        user_id: f.credential.principal.to_string(),
        provider: f.provider,
        issuer: f.issuer,
        audience: f.conditions.audience,
        subject: f.conditions.subject,
        claims: f.conditions.claims,
        description: f.credential.description,
        enabled: f.credential.enabled,
        created_at: f.credential.created,
        created_by: f.credential.created_by_name,
        expires_at: f.credential.expires,
        last_used_at: f.credential.last_used,
        last_used_from: f.credential.last_used_from,
    }
}

pub(crate) fn access_key(c: store::credential::Credential) -> AccessKey {
    AccessKey {
        access_key_id: c.access_key_id.unwrap_or_default(),
        credential_id: c.id.to_string(),
        user_id: c.principal.to_string(),
        enabled: c.enabled,
        created_at: c.created,
        created_by: c.created_by_name,
        expires_at: c.expires,
        last_used_at: c.last_used,
        last_used_from: c.last_used_from,
    }
}

pub(crate) fn rotated_credential(rotated: identity::Rotated) -> RotatedCredential {
    RotatedCredential {
        credential_id: rotated.new.id.to_string(),
        username: rotated.username,
        secret: Secret::new(rotated.secret.reveal()),
        instance_id: rotated.new.instance.map(|id| id.to_string()),
        description: rotated.new.description,
        created_at: rotated.new.created,
        expires_at: rotated.new.expires,
        old_credential_id: rotated.old.id.to_string(),
        old_expires_at: rotated.old.expires,
    }
}

pub(crate) fn rotated_access_key(rotated: identity::Rotated) -> RotatedAccessKey {
    RotatedAccessKey {
        access_key_id: rotated.new.access_key_id.unwrap_or_default(),
        access_key_secret: Secret::new(rotated.secret.reveal()),
        enabled: rotated.new.enabled,
        created_at: rotated.new.created,
        old_access_key_id: rotated.old.access_key_id.unwrap_or_default(),
        old_expires_at: rotated.old.expires,
    }
}

pub(crate) fn secret_owner(identified: Option<identity::Identified>) -> SecretOwner {
    let Some(identity::Identified { credential: c, token, owner }) = identified else { return SecretOwner::default() };
    SecretOwner {
        known: true,
        credential_id: Some(c.id.to_string()),
        kind: Some(c.kind.as_str().to_owned()),
        token: token.map(str::to_owned),
        access_key_id: c.access_key_id,
        user_id: Some(c.principal.to_string()),
        owner: Some(owner.to_string()),
        description: Some(c.description),
        enabled: Some(c.enabled),
        created_at: Some(c.created),
        expires_at: c.expires,
        last_used_at: c.last_used,
        last_used_from: c.last_used_from,
    }
}

pub(crate) fn integration(found: IntegrationUse) -> Integration {
    let i = found.integration;
    Integration {
        integration_id: i.id.to_string(),
        name: i.name,
        kind: integration_kind(i.kind),
        link: i.link,
        state: if i.gone.is_some() { "gone" } else { "present" }.to_owned(),
        gone_at: i.gone,
        credentials: found.credentials,
        last_used_at: found.last_used,
        created_at: i.created,
        created_by: i.created_by,
    }
}

const fn integration_kind(kind: store::integration::Kind) -> IntegrationKind {
    match kind {
        store::integration::Kind::KubernetesCluster => IntegrationKind::KubernetesCluster,
        store::integration::Kind::Pipeline => IntegrationKind::Pipeline,
        store::integration::Kind::Other => IntegrationKind::Other,
    }
}

pub(crate) fn policy(p: store::policy::Policy) -> Policy {
    Policy {
        name: p.name,
        policy_id: Some(p.id.to_string()),
        description: p.description,
        version: p.default_version,
        built_in: false,
        created_at: Some(p.created),
        updated_at: Some(p.updated),
    }
}

pub(crate) fn built_in(p: &policy::BuiltIn) -> Policy {
    Policy {
        name: p.name.to_owned(),
        policy_id: None,
        description: p.description.to_owned(),
        version: 1,
        built_in: true,
        created_at: None,
        updated_at: None,
    }
}

pub(crate) fn policy_details(p: PolicyDetails) -> PolicyDocument {
    let policy = Policy {
        name: p.name,
        policy_id: p.id.map(|id| id.to_string()),
        description: p.description,
        version: p.version,
        built_in: p.id.is_none(),
        created_at: p.created,
        updated_at: p.updated,
    };
    PolicyDocument { policy, document: p.document, attachments: p.attachments }
}

pub(crate) fn policy_version(name: &str, default: i64, v: store::policy::Version) -> PolicyVersion {
    PolicyVersion {
        name: name.to_owned(),
        version: v.version,
        is_default: v.version == default,
        document: v.document,
        created_at: v.created,
    }
}

pub(crate) fn attached(a: store::policy::Attachment) -> AttachedPolicy {
    AttachedPolicy { name: a.name, policy_id: a.policy.map(|id| id.to_string()), attached_at: a.attached }
}

pub(crate) fn signing_key(key: tokens::PublicKey) -> SigningKey {
    SigningKey {
        kid: key.kid,
        algorithm: "ES256".to_owned(),
        public_key_pem: key.pem,
        created_at: key.created,
        signs_from: key.signs_from,
        retires_at: key.retires,
    }
}

/// A node: the shape of the control socket too.
pub fn node(seen: identity::SeenNode) -> Node {
    let identity::SeenNode { node: store::node::Node { beat, seen, .. }, alive, answering, leases } = seen;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    Node {
        listen: words(&beat.listen),
        failing: words(&beat.failing),
        node_id: beat.id,
        host: beat.host,
        version: beat.version,
        alive,
        answering,
        started_at: beat.started,
        seen_at: seen,
        feed_lag_millis: beat.feed_lag_ms,
        feed_behind: beat.feed_behind,
        clock_ahead_millis: beat.clock_ahead_ms,
        database_millis: beat.database_ms,
        leases,
    }
}

pub(crate) fn explanation(said: access::Explained) -> Explanation {
    let decision = if said.is_allowed() { Decision::Allow } else { Decision::Deny };
    let layer = said.layer.map(|layer| layer.name().into_owned());
    let policy::Explanation { policy, statement, reason, .. } = said.explanation;
    Explanation { decision, policy, statement: statement.and_then(|number| u32::try_from(number).ok()), layer, reason }
}

pub(crate) fn permitted(MayDo { principal: who, said, through }: MayDo) -> PermittedPrincipal {
    let Explanation { policy, statement, layer, reason, .. } = explanation(said);
    PermittedPrincipal {
        principal: format!("{}/{}", who.kind.noun(), who.name),
        principal_id: who.id.to_string(),
        layer: layer.unwrap_or_default(),
        policy,
        statement,
        reason,
        through: through.iter().map(|role| format!("{}/{role}", model::PrincipalKind::Role.noun())).collect(),
    }
}

pub(crate) fn resource_policy(of: &model::Resource, kept: store::resource_policy::ResourcePolicy) -> ResourcePolicy {
    ResourcePolicy { resource: of.to_string(), document: kept.document, updated_at: kept.updated }
}
